"""Who may see what: from a viewer to permitted rows and clearance, as SQL conditions.

The truth table of the security specification (section 2). Grants come from guardian's tables and are
resolved once a request to literals; guardian itself never decides. What a row lets the viewer see is
decided by the database in one statement for a whole page.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from django.db.models import BooleanField, Q, Value
from django.db.models.expressions import Combinable, ExpressionWrapper

from customers.models import Customer, User, Workspace, WorkspaceGroupGrant, WorkspaceUserGrant
from customers.models.customer import CustomerState
from customers.models.workspace import WORKSPACE_PERMISSIONS

PUBLIC, PERSONAL, SENSITIVE, SECRET = range(4)
TRUE: Q = Q(Value(value=True, output_field=BooleanField()))
FALSE: Q = Q(Value(value=False, output_field=BooleanField()))

# A token shows a class only if its scopes say so too.
TOKEN_SCOPES = {PERSONAL: "pii:personal", SENSITIVE: "pii:sensitive"}
# Superusers hold everything but break-glass, which is granted like everybody's.
SUPERUSER_PERMISSIONS = frozenset(name for name, _ in WORKSPACE_PERMISSIONS) - {"break_glass"}


class Grant(Protocol):
    """A source of permission, resolved for one viewer: literals, no queries."""

    @property
    def is_customer_level(self) -> bool:
        """Whether it names single customers; only such grants open a restricted customer."""

    def covers(self, data_class: int) -> Q:
        """The customers whose values of this class it opens, as a condition on Customer."""


@dataclass(frozen=True, slots=True)
class WorkspaceGrant:
    """Source P: a permission on the whole workspace. ``view_sensitive`` implies ``view_personal``."""

    highest: int
    is_customer_level: bool = False

    def covers(self, data_class: int) -> Q:
        """All customers or none."""
        return TRUE if data_class <= self.highest else FALSE


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking, where, through which face and why. Every read gate takes one; there is no default."""

    workspace_id: int
    face: str
    reason: str
    user_id: int | None = None
    permissions: frozenset[str] = frozenset()
    grants: tuple[Grant, ...] = field(default=(), repr=False)
    token_scopes: frozenset[str] | None = None
    is_system: bool = False
    route: str = ""
    request_id: str = ""

    @classmethod
    def system(cls, *, workspace_id: int, reason: str) -> "Viewer":
        """The one bypass: for recomputes, never for anything a person will read."""
        return cls(workspace_id=workspace_id, face="system", reason=reason, is_system=True)

    def may(self, permission: str) -> bool:
        """Whether the viewer holds a permission on the workspace."""
        return self.is_system or permission in self.permissions

    def sees_everywhere(self, data_class: int) -> bool:
        """Whether the workspace-wide right covers this class (restricted customers aside)."""
        if not self._token_covers(data_class):
            return False
        return self.is_system or any(
            isinstance(grant, WorkspaceGrant) and grant.highest >= data_class for grant in self.grants
        )

    def _token_covers(self, data_class: int) -> bool:
        return self.token_scopes is None or TOKEN_SCOPES.get(max(data_class, PERSONAL), "") in self.token_scopes

    @property
    def binding(self) -> str:
        """What cursors and handles are bound to."""
        return f"{self.workspace_id}:{self.user_id}:{self.face}"


Resolver = Callable[[int, int, list[int]], Grant | None]
_resolvers: list[Resolver] = []


def register_source(resolver: Resolver) -> None:
    """Add a source of permission: (user, workspace, groups) -> grant. Higher apps call this in ``ready``."""
    _resolvers.append(resolver)


def workspace_permissions(user: User, workspace_id: int, groups: list[int]) -> frozenset[str]:
    """Permission names that the user holds on the workspace, by himself or by a group. One statement."""
    if user.is_superuser:
        return SUPERUSER_PERMISSIONS | _granted(user, workspace_id, groups)
    return _granted(user, workspace_id, groups)


def _granted(user: User, workspace_id: int, groups: list[int]) -> frozenset[str]:
    own = WorkspaceUserGrant.objects.filter(user_id=user.pk, content_object_id=workspace_id)
    by_group = WorkspaceGroupGrant.objects.filter(group_id__in=groups, content_object_id=workspace_id)
    names = own.values_list("permission__codename").union(by_group.values_list("permission__codename"))
    return frozenset(name for (name,) in names)


def resolve(user: User, workspace_id: int, *, face: str, route: str = "", request_id: str = "") -> Viewer:
    """The viewer for one request: permissions and grants as literals, in a few statements."""
    groups = list(user.groups.values_list("pk", flat=True))
    permissions = workspace_permissions(user, workspace_id, groups)
    highest = SENSITIVE if "view_sensitive" in permissions else PERSONAL if "view_personal" in permissions else PUBLIC
    found = (resolver(user.pk, workspace_id, groups) for resolver in _resolvers)
    return Viewer(
        workspace_id=workspace_id,
        face=face,
        reason="request",
        user_id=user.pk,
        permissions=permissions,
        grants=(WorkspaceGrant(highest), *(grant for grant in found if grant is not None)),
        route=route,
        request_id=request_id,
    )


def workspaces_of(user: User) -> list[Workspace]:
    """The workspaces that the user may open, by name."""
    if user.is_superuser:
        return list(Workspace.objects.order_by("name"))
    groups = list(user.groups.values_list("pk", flat=True))
    own = WorkspaceUserGrant.objects.filter(user_id=user.pk, permission__codename="view_workspace")
    by_group = WorkspaceGroupGrant.objects.filter(group_id__in=groups, permission__codename="view_workspace")
    ids = own.values("content_object_id").union(by_group.values("content_object_id"))
    return list(Workspace.objects.filter(pk__in=[row["content_object_id"] for row in ids]).order_by("name"))


# --- The decision ------------------------------------------------------------------------------


def sees(viewer: Viewer, data_class: int) -> Q:
    """Rules T3 to T10: the customers whose values of this class the viewer sees, as a condition on Customer."""
    if viewer.is_system:
        return TRUE
    if data_class >= SECRET:
        return FALSE
    ordinary, by_customer = _covered(viewer, max(data_class, PERSONAL))
    if data_class == PUBLIC:
        return Q(is_restricted=False) | by_customer
    return (Q(is_restricted=False) & ordinary) | by_customer


def _covered(viewer: Viewer, data_class: int) -> tuple[Q, Q]:
    """Conditions of the ordinary grants and of those that name single customers."""
    ordinary, by_customer = FALSE, FALSE
    if not viewer._token_covers(data_class):  # noqa: SLF001  # the viewer's own rule
        return ordinary, by_customer
    for grant in viewer.grants:
        if grant.is_customer_level:
            by_customer |= grant.covers(data_class)
        else:
            ordinary |= grant.covers(data_class)
    # A grant that names the customer opens him whether he is restricted or not.
    return ordinary | by_customer, by_customer


@dataclass(frozen=True, slots=True)
class Clearance:
    """What this viewer may see of one customer."""

    state: str
    merged_into: UUID | None
    is_restricted: bool
    classes: frozenset[int]

    def shows(self, data_class: int) -> bool:
        """Whether values of this class are shown; no values of a customer that is gone (T2)."""
        return self.is_present and data_class in self.classes

    @property
    def is_present(self) -> bool:
        """Not merged away, not deleted."""
        return self.state in (CustomerState.ACTIVE, CustomerState.ANONYMOUS)


def clearances(viewer: Viewer, ids: Iterable[UUID]) -> dict[UUID, Clearance]:
    """The decision for a page of rows, in one statement. Rows of other workspaces are absent (T1)."""
    decided = {f"sees_{k}": _boolean(sees(viewer, k)) for k in (PUBLIC, PERSONAL, SENSITIVE)}
    rows = (
        Customer.objects.filter(workspace_id=viewer.workspace_id, id__in=list(ids))
        .annotate(**decided)
        .values_list("id", "state", "merged_into", "is_restricted", *decided)
    )
    return {
        id_: Clearance(state, merged, restricted, frozenset(k for k, shown in enumerate(flags) if shown))
        for id_, state, merged, restricted, *flags in rows
    }


def _boolean(condition: Q) -> Combinable:
    return ExpressionWrapper(condition, output_field=BooleanField())
