"""Grants on a workspace: made here and nowhere else, each with its line in the audit (security.md P5)."""

from collections.abc import Iterable

from django.contrib.auth.models import Permission
from django.db import transaction

from customers import audit
from customers.models import User, Workspace, WorkspaceUserGrant
from customers.models.workspace import WORKSPACE_PERMISSIONS
from rolodesk.errors import InvalidInput, NotFound

CODENAMES = frozenset(codename for codename, _ in WORKSPACE_PERMISSIONS)


def grant_on_workspace(*, user_id: int, workspace_id: int, permissions: Iterable[str]) -> int:
    """Give a user these permissions; returns how many he did not have. Safe to repeat.

    Raises InvalidInput for an unknown permission and NotFound for an unknown user or workspace.
    """
    wanted = sorted(set(permissions))
    if not CODENAMES.issuperset(wanted):
        raise InvalidInput(reason="permission")
    with transaction.atomic():
        # The lock makes two calls at once agree on what is new: one audit line for each grant.
        if not User.objects.select_for_update().filter(pk=user_id).exists():
            raise NotFound
        if not Workspace.objects.filter(pk=workspace_id).exists():
            raise NotFound
        held = WorkspaceUserGrant.objects.filter(user_id=user_id, content_object_id=workspace_id)
        missing = sorted(set(wanted) - set(held.values_list("permission__codename", flat=True)))
        rows = Permission.objects.filter(
            content_type__app_label="customers", content_type__model="workspace", codename__in=missing
        )
        WorkspaceUserGrant.objects.bulk_create(
            WorkspaceUserGrant(user_id=user_id, permission=row, content_object_id=workspace_id) for row in rows
        )
        if missing:
            data: dict[str, str | int | list[str]] = {"user_id": user_id, "permissions": missing}
            audit.record(None, "grant.added", workspace_id=workspace_id, data=data)
    return len(missing)
