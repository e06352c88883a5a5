"""The people of the tests: who they are and what they may do."""

from dataclasses import dataclass

from customers.models import User, Workspace
from tests.factories import grant, make_user, make_workspace


@dataclass(frozen=True, slots=True)
class Cast:
    """A workspace and those who come to it."""

    workspace: Workspace
    support: User  # works here all day, sees no personal data
    lead: User  # sees personal data
    privacy: User  # sees sensitive data too
    outsider: User  # belongs to another workspace
    root: User  # superuser
    elsewhere: Workspace


def make_cast() -> Cast:
    """Everybody, with their grants."""
    workspace, elsewhere = make_workspace("Shop"), make_workspace("Elsewhere")
    cast = Cast(
        workspace,
        make_user("support"),
        make_user("lead"),
        make_user("privacy"),
        make_user("outsider"),
        make_user("root", is_superuser=True, is_staff=True),
        elsewhere,
    )
    grant(cast.support, workspace, "view_workspace")
    grant(cast.lead, workspace, "view_workspace", "view_personal", "edit")
    grant(cast.privacy, workspace, "view_workspace", "view_sensitive")
    grant(cast.outsider, elsewhere, "view_workspace", "view_sensitive")
    return cast
