"""Making workspaces and granting on them."""

import pytest

from customers import access
from customers.models import AuditEntry, IdentifierKind, PropertyDefinition, Workspace, WorkspaceUserGrant
from customers.services.definitions import Declaration, declare_properties
from customers.services.grants import grant_on_workspace
from customers.services.workspaces import create_workspace
from rolodesk.errors import InvalidInput, NotFound
from tests.factories import make_user, make_workspace

pytestmark = pytest.mark.django_db


def test_a_new_workspace_has_its_identifier_kinds_in_order() -> None:
    workspace = create_workspace(name="Shop")
    kinds = IdentifierKind.objects.filter(workspace_id=workspace)
    assert [(kind.name, kind.data_class, kind.normaliser) for kind in kinds] == [
        ("external_id", 0, "exact"),
        ("email", 1, "email"),
        ("phone", 1, "phone"),
        ("anonymous_id", 1, "exact"),
    ]
    assert [kind.name for kind in kinds if kind.is_searchable] == ["external_id"]
    assert all(kind.has_lookup for kind in kinds)


def test_names_are_declared_personal_and_searchable() -> None:
    workspace = create_workspace(name="Shop")
    names = PropertyDefinition.objects.filter(workspace_id=workspace, role="name")
    assert [row.path for row in names] == ["name", "first_name", "last_name"]
    assert all(row.data_class == 1 and row.is_searchable for row in names)


def test_a_slug_that_exists_gives_the_same_workspace_unchanged() -> None:
    first = create_workspace(name="Shop", slug="shop", currency="USD")
    assert create_workspace(name="Other", slug="shop") == first
    workspace = Workspace.objects.get(pk=first)
    assert (workspace.name, workspace.currency) == ("Shop", "USD")
    assert IdentifierKind.objects.filter(workspace_id=first).count() == 4


def test_without_a_slug_each_workspace_is_a_new_one() -> None:
    assert create_workspace(name="Shop") != create_workspace(name="Shop")


@pytest.mark.parametrize("name", ["", "  ", "x" * 121])
def test_a_workspace_needs_a_name(name: str) -> None:
    with pytest.raises(InvalidInput):
        create_workspace(name=name)


def test_declaring_twice_keeps_what_a_person_has_changed() -> None:
    workspace = make_workspace()
    declaration = Declaration("city", "City", data_class=0)
    assert declare_properties(workspace_id=workspace.pk, declarations=[declaration]) == 1
    PropertyDefinition.objects.filter(workspace=workspace, path="city").update(data_class=2)
    assert declare_properties(workspace_id=workspace.pk, declarations=[declaration]) == 0
    assert PropertyDefinition.objects.get(workspace=workspace, path="city").data_class == 2


@pytest.mark.parametrize("fields", [{"type": "colour"}, {"data_class": 4}])
def test_a_declaration_of_unknown_type_or_class_is_refused(fields: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        declare_properties(
            workspace_id=make_workspace().pk,
            declarations=[Declaration("city", "City", **fields)],  # type: ignore[arg-type]
        )


def test_a_grant_counts_and_is_audited_without_values() -> None:
    user, workspace = make_user(), make_workspace()
    assert grant_on_workspace(user_id=user.pk, workspace_id=workspace.pk, permissions=["view_workspace", "edit"]) == 2
    assert access.resolve(user, workspace.pk, face="ui").may("edit")
    entry = AuditEntry.objects.get(action="grant.added")
    assert entry.data == {"user_id": user.pk, "permissions": ["edit", "view_workspace"]}


def test_a_grant_twice_is_one_grant_and_one_line_in_the_audit() -> None:
    user, workspace = make_user(), make_workspace()
    for _ in range(2):
        grant_on_workspace(user_id=user.pk, workspace_id=workspace.pk, permissions=["edit"])
    assert WorkspaceUserGrant.objects.filter(user=user).count() == 1
    assert AuditEntry.objects.filter(action="grant.added").count() == 1


def test_an_unknown_permission_grants_nothing() -> None:
    user, workspace = make_user(), make_workspace()
    with pytest.raises(InvalidInput):
        grant_on_workspace(user_id=user.pk, workspace_id=workspace.pk, permissions=["edit", "fly"])
    assert not WorkspaceUserGrant.objects.exists()


def test_a_grant_needs_a_user_and_a_workspace() -> None:
    user, workspace = make_user(), make_workspace()
    with pytest.raises(NotFound):
        grant_on_workspace(user_id=0, workspace_id=workspace.pk, permissions=["edit"])
    with pytest.raises(NotFound):
        grant_on_workspace(user_id=user.pk, workspace_id=0, permissions=["edit"])
