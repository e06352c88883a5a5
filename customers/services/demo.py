"""The demo workspace: its people, its token, and the file that tells other programs about them.

``demo.json`` is the only place where the passwords and the secret stand; the database keeps digests. If
the file is lost, all of them are made anew.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from customers import audit
from customers.models import Token, User, Workspace
from customers.models.workspace import WORKSPACE_PERMISSIONS
from customers.services import demo_file, tokens
from customers.services.grants import grant_on_workspace
from customers.services.workspaces import create_workspace

SLUG = "cellar"
NAME = "Compact Disc Cellar"
CURRENCY = "USD"
PASSWORD_BYTES = 12
SITE_ID_BYTES = 10
TRACK = "track"


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works in the demo."""

    username: str
    first_name: str
    last_name: str
    permissions: tuple[str, ...]
    is_superuser: bool = False

    @property
    def email(self) -> str:
        """At a domain that can never exist."""
        return f"{self.first_name}.{self.last_name}@cellar.example".lower()


# Everything but the tokens, which stay with the administrator.
LEAD_PERMISSIONS = tuple(codename for codename, _ in WORKSPACE_PERMISSIONS if codename != "manage_tokens")
PEOPLE = (
    # Superusers hold every permission but this one.
    Colleague("admin", "Mara", "Lindqvist", ("break_glass",), is_superuser=True),
    Colleague("lead", "Jonas", "Abernathy", LEAD_PERMISSIONS),
    Colleague("agent", "Priya", "Okafor", ("view_workspace", "edit", "break_glass")),
)
# What a shop's own systems do: everything that the Track API can write.
SERVICE = Colleague("demo-track", "Web", "shop", ("edit", "erase", "manage_segments", "merge", "suppress"))


def ensure_workspace() -> int:
    """The number of the demo workspace; made on the first call."""
    return create_workspace(name=NAME, slug=SLUG, currency=CURRENCY)


def bootstrap() -> Path:
    """Make the demo's workspace, people and token, and write the file; returns its path.

    Safe to repeat: passwords and token stay as long as the file knows them. Raises
    ``demo_file.CannotWrite`` when the data folder does not take the file.
    """
    path: Path = settings.DATA_DIR / demo_file.NAME
    # One at a time: two starts at once must not issue two sets of passwords.
    with demo_file.locked(path):
        demo_file.check_writable(path)
        kept = demo_file.read(path)
        with transaction.atomic():
            workspace = Workspace.objects.get(pk=ensure_workspace())
            document = {
                "base_url": settings.BASE_URL,
                "workspace": {"slug": workspace.slug, "id": workspace.pk},
                "people": {one.username: _person(one, workspace.pk, kept) for one in PEOPLE},
                "tokens": {**demo_file.section(kept, "tokens"), TRACK: _track(workspace.pk, kept)},
            }
        # After the commit: if we die in between, the file lacks what is new and the next run makes it again.
        demo_file.write(path, document)
    return path


def _person(one: Colleague, workspace_id: int, kept: dict[str, Any]) -> dict[str, str]:
    """Username and password of one colleague; a new password unless the file knows a working one."""
    user, is_new = _account(one)
    entry = demo_file.section(demo_file.section(kept, "people"), one.username)
    password = entry.get("password")
    if is_new or not isinstance(password, str) or entry.get("username") != one.username:
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        user.set_password(password)
        user.save(update_fields=["password"])
    grant_on_workspace(user_id=user.pk, workspace_id=workspace_id, permissions=one.permissions)
    return {"username": one.username, "password": password}


def _account(one: Colleague, *, is_service: bool = False) -> tuple[User, bool]:
    user, is_new = User.objects.get_or_create(
        username=one.username,
        defaults={
            "first_name": one.first_name,
            "last_name": one.last_name,
            "email": "" if is_service else one.email,
            "is_superuser": one.is_superuser,
            "is_staff": one.is_superuser,
            "is_service": is_service,
        },
    )
    return user, is_new


def _track(workspace_id: int, kept: dict[str, Any]) -> dict[str, str]:
    """Site id and key of the Track token; a new token unless the file knows a live one with all scopes."""
    owner, is_new = _account(SERVICE, is_service=True)
    if is_new:
        owner.set_unusable_password()
        owner.save(update_fields=["password"])
    grant_on_workspace(user_id=owner.pk, workspace_id=workspace_id, permissions=SERVICE.permissions)
    entry = demo_file.section(demo_file.section(kept, "tokens"), TRACK)
    site_id, api_key = str(entry.get("site_id", "")), str(entry.get("api_key", ""))
    rights = tokens.live_tokens(TRACK).get(tokens.digest(api_key, site_id))
    if rights is not None and rights.scopes.issuperset(SERVICE.permissions):
        return {"site_id": site_id, "api_key": api_key}
    _revoke_lost(owner, workspace_id)
    site_id = secrets.token_hex(SITE_ID_BYTES)
    api_key = tokens.issue_token(
        user_id=owner.pk,
        workspace_id=workspace_id,
        face=TRACK,
        name="Demo web shop",
        scopes=list(SERVICE.permissions),
        public_id=site_id,
    )
    return {"site_id": site_id, "api_key": api_key}


def _revoke_lost(owner: User, workspace_id: int) -> None:
    """Nobody knows the secrets of the older ones any more, or somebody does who should not."""
    lost = Token.objects.filter(user=owner, workspace_id=workspace_id, face=TRACK, revoked_at=None)
    for token in lost:
        audit.record(None, "token.revoked", workspace_id=workspace_id, data={"token": token.pk})
    lost.update(revoked_at=Now())
