"""Issuing tokens and reading the live ones."""

import base64
import hashlib
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.db.models.functions import Now
from pytest_django import DjangoAssertNumQueries

from customers.models import AuditEntry, Token, User, Workspace, WorkspaceGroupGrant, WorkspaceUserGrant
from customers.services.tokens import TokenRights, issue_token, live_tokens
from rolodesk.errors import InvalidInput, NotFound


@pytest.fixture
def owner(db: None) -> User:
    """A service user."""
    return User.objects.create(username="integration", is_service=True)


@pytest.fixture
def workspace(db: None) -> Workspace:
    """A workspace."""
    return Workspace.objects.create(name="Shop")


def issue(
    owner: User, workspace: Workspace, *, public_id: str = "site", days: int = 365, scopes: tuple[str, ...] = ("edit",)
) -> str:
    """A Track token."""
    return issue_token(
        user_id=owner.pk, workspace_id=workspace.pk, face="track", name="t",
        scopes=list(scopes), public_id=public_id, days=days,
    )  # fmt: skip


def only() -> TokenRights:
    """The one live token."""
    (rights,) = live_tokens("track").values()
    return rights


def edit() -> Permission:
    """The permission to write."""
    return Permission.objects.get(codename="edit", content_type__app_label="customers")


def test_a_secret_has_256_bits_and_only_its_digest_is_kept(owner: User, workspace: Workspace) -> None:
    secret = issue(owner, workspace)
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    token = Token.objects.get()
    assert bytes(token.digest) == hashlib.sha256(f"site:{secret}".encode()).digest()
    assert secret not in repr(Token.objects.values().get())
    assert list(live_tokens("track")) == [bytes(token.digest)]


def test_without_a_public_id_the_digest_is_of_the_secret_alone(owner: User, workspace: Workspace) -> None:
    secret = issue(owner, workspace, public_id="")
    assert bytes(Token.objects.get().digest) == hashlib.sha256(secret.encode()).digest()


def test_issuing_is_audited_without_the_secret(owner: User, workspace: Workspace) -> None:
    secret = issue(owner, workspace)
    entry = AuditEntry.objects.get(action="token.issued")
    assert (entry.workspace_id, entry.data["face"], entry.data["user"]) == (workspace.pk, "track", owner.pk)
    assert secret not in repr(entry.data)


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_token_lives_a_year_at_most(owner: User, workspace: Workspace, days: int) -> None:
    with pytest.raises(InvalidInput):
        issue(owner, workspace, days=days)


def test_unknown_scopes_and_ambiguous_public_ids_are_refused(owner: User, workspace: Workspace) -> None:
    with pytest.raises(InvalidInput):
        issue(owner, workspace, scopes=("everything",))
    with pytest.raises(InvalidInput):
        issue(owner, workspace, public_id="a:b")


def test_an_unknown_user_or_workspace_is_not_found(owner: User, workspace: Workspace) -> None:
    with pytest.raises(NotFound):
        issue(User(pk=0), workspace)
    with pytest.raises(NotFound):
        issue(owner, Workspace(pk=0))


def test_revoked_and_expired_tokens_and_those_of_inactive_users_are_dead(owner: User, workspace: Workspace) -> None:
    issue(owner, workspace)
    assert len(live_tokens("track")) == 1
    assert live_tokens("app") == {}
    Token.objects.update(revoked_at=Now())
    assert live_tokens("track") == {}
    Token.objects.update(revoked_at=None, expires_at=Now() - timedelta(seconds=1))
    assert live_tokens("track") == {}
    Token.objects.update(expires_at=Now() + timedelta(days=1))
    User.objects.update(is_active=False)
    assert live_tokens("track") == {}


def test_a_token_may_what_its_scopes_and_its_user_may_now(owner: User, workspace: Workspace) -> None:
    issue(owner, workspace)
    assert not only().may("edit")
    grant = WorkspaceUserGrant.objects.create(user=owner, permission=edit(), content_object=workspace)
    assert only().may("edit")
    assert not only().may("merge")
    Token.objects.update(scopes=["merge"])
    assert not only().may("edit")
    Token.objects.update(scopes=["edit"])
    grant.delete()
    assert not only().may("edit")


def test_rights_by_group_count_and_those_in_another_workspace_do_not(owner: User, workspace: Workspace) -> None:
    issue(owner, workspace)
    elsewhere = Workspace.objects.create(name="Elsewhere")
    WorkspaceUserGrant.objects.create(user=owner, permission=edit(), content_object=elsewhere)
    assert not only().may("edit")
    group = Group.objects.create(name="Integrations")
    WorkspaceGroupGrant.objects.create(group=group, permission=edit(), content_object=workspace)
    assert not only().may("edit")
    owner.groups.add(group)
    assert only().may("edit")


def test_a_superuser_holds_everything_but_break_glass(owner: User, workspace: Workspace) -> None:
    issue(owner, workspace, scopes=("edit", "break_glass"))
    User.objects.update(is_superuser=True)
    assert only().may("edit")
    assert not only().may("break_glass")


def test_all_live_tokens_are_one_statement(
    owner: User, workspace: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(3):
        issue(owner, workspace, public_id=f"site-{n}")
    with django_assert_num_queries(1):
        assert len(live_tokens("track")) == 3
