"""Tokens of the dialects: issuing one, and reading all that are live."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import F, OuterRef
from django.db.models.functions import Now

from customers import audit
from customers.access import SUPERUSER_PERMISSIONS, TOKEN_SCOPES
from customers.models import Token, User, Workspace, WorkspaceGroupGrant, WorkspaceUserGrant
from customers.models.workspace import WORKSPACE_PERMISSIONS
from rolodesk.errors import InvalidInput, NotFound

SECRET_BYTES = 32
MAX_DAYS = 365
SCOPES = frozenset(TOKEN_SCOPES.values()) | {name for name, _ in WORKSPACE_PERMISSIONS}


@dataclass(frozen=True, slots=True)
class TokenRights:
    """What a token may do: its scopes, and what its user may do in its workspace at this moment."""

    token_id: int
    workspace_id: int
    user_id: int
    scopes: frozenset[str]
    expires_at: datetime
    permissions: frozenset[str] = frozenset()

    def may(self, permission: str) -> bool:
        """Whether both the scopes and the live rights of the user cover a permission (security.md P7)."""
        return permission in self.scopes and permission in self.permissions


def digest(secret: str, public_id: str = "") -> bytes:
    """What is stored of a token and looked up: SHA-256 of ``public_id:secret``, or of the secret alone."""
    return hashlib.sha256(f"{public_id}:{secret}".encode() if public_id else secret.encode()).digest()


def issue_token(
    *,
    user_id: int,
    workspace_id: int,
    face: str,
    name: str,
    scopes: list[str],
    public_id: str = "",
    days: int = MAX_DAYS,
) -> str:
    """Make a token and return its secret, which is shown once and kept nowhere.

    ``scopes`` are permissions on the workspace and ``pii:…``; they bound the user's own rights and never
    add to them. Raises InvalidInput and NotFound.
    """
    _check(scopes, public_id, days)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        if not User.objects.filter(pk=user_id).exists() or not Workspace.objects.filter(pk=workspace_id).exists():
            raise NotFound
        token = Token.objects.create(
            user_id=user_id,
            workspace_id=workspace_id,
            face=face,
            name=name,
            public_id=public_id,
            digest=digest(secret, public_id),
            scopes=sorted(set(scopes)),
            expires_at=Now() + timedelta(days=days),
        )
        data: dict[str, str | int | list[str]] = {"token": token.pk, "user": user_id, "face": face, "scopes": scopes}
        audit.record(None, "token.issued", workspace_id=workspace_id, data=data)
    return secret


def _check(scopes: list[str], public_id: str, days: int) -> None:
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(reason="days")
    if not SCOPES.issuperset(scopes):
        raise InvalidInput(reason="scopes")
    if ":" in public_id:  # it would be ambiguous in Basic credentials
        raise InvalidInput(reason="public_id")


def live_tokens(face: str) -> dict[bytes, TokenRights]:
    """All tokens of a face that work now, by digest, in one statement.

    Not revoked, not expired by the database's clock, of an active user; with the rights that the user has
    in the token's workspace, so that taking a grant away disarms his tokens too.
    """
    here = {"content_object_id": OuterRef("workspace_id")}
    own = WorkspaceUserGrant.objects.filter(user_id=OuterRef("user_id"), **here)
    by_group = WorkspaceGroupGrant.objects.filter(group__user=OuterRef("user_id"), **here)
    tokens = (
        Token.objects.filter(face=face, user__is_active=True, revoked_at=None, expires_at__gt=Now())
        .annotate(
            own=ArraySubquery(own.values("permission__codename")),
            by_group=ArraySubquery(by_group.values("permission__codename")),
            is_root=F("user__is_superuser"),
        )
        .values_list("digest", "pk", "workspace_id", "user_id", "scopes", "expires_at", "is_root", "own", "by_group")
    )
    return {
        bytes(key): TokenRights(
            token_id=pk,
            workspace_id=workspace_id,
            user_id=user_id,
            scopes=frozenset(scopes),
            expires_at=expires_at,
            permissions=frozenset([*own, *by_group]) | (SUPERUSER_PERMISSIONS if is_root else frozenset()),
        )
        for key, pk, workspace_id, user_id, scopes, expires_at, is_root, own, by_group in tokens
    }
