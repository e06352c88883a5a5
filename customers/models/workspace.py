"""The tenant, and the grants that guardian keeps for it."""

import secrets

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

# Plain words for each permission on a workspace; security.md section 2 (P) and P8.
WORKSPACE_PERMISSIONS = (
    ("view_workspace", "Open the workspace; personal data stays hidden"),
    ("view_personal", "See personal data"),
    ("view_sensitive", "See sensitive data"),
    ("edit", "Create and change customers"),
    ("export", "Export customers and events"),
    ("merge", "Merge customers"),
    ("suppress", "Suppress customers"),
    ("erase", "Erase personal data"),
    ("manage_segments", "Create and change segments"),
    ("manage_classes", "Decide what counts as personal"),
    ("manage_grants", "Grant and revoke access"),
    ("manage_tokens", "Create and revoke API tokens"),
    ("view_audit", "Read the audit"),
    ("break_glass", "Reveal personal data for a short time, with a reason"),
)


def make_slug() -> str:
    """A random name for the workspace in our own URLs; it says nothing about whose it is."""
    return secrets.token_hex(5)


class Workspace(models.Model):
    """A tenant: everything belongs to exactly one."""

    id = models.AutoField(primary_key=True)
    slug = models.SlugField(max_length=40, unique=True, default=make_slug)
    name = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="EUR", help_text="ISO 4217 code for lifetime value.")
    updates_email_by_id = models.BooleanField(
        default=True, help_text="An identify call by id may change the e-mail when nobody else has the new one."
    )
    merges_automatically = models.BooleanField(
        default=True, help_text="Two customers that one identify call names, one by id and one by e-mail, become one."
    )
    joins_anonymous = models.BooleanField(
        default=True, help_text="What somebody did before he was known becomes part of his timeline."
    )
    anonymous_kept_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Anonymous customers go after so many days without an event; empty: never."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "workspace"
        default_permissions = ()
        permissions = list(WORKSPACE_PERMISSIONS)

    def __str__(self) -> str:
        return self.name


class WorkspaceUserGrant(UserObjectPermissionBase):
    """A permission of one user on a workspace. Stored by guardian's shape, judged by ``customers.access``."""

    content_object = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_constraint=False)

    class Meta(UserObjectPermissionBase.Meta):
        db_table = "workspace_user_grant"


class WorkspaceGroupGrant(GroupObjectPermissionBase):
    """A permission of a group on a workspace."""

    content_object = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_constraint=False)

    class Meta(GroupObjectPermissionBase.Meta):
        db_table = "workspace_group_grant"
