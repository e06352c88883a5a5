"""Making a workspace that works from its first minute."""

from django.db import transaction

from customers import audit
from customers.models import IdentifierKind, Workspace
from customers.services.definitions import Declaration, declare_properties
from rolodesk.errors import InvalidInput

MAX_NAME = 120

# name, label, class, normaliser, search by part. An external id is no secret by itself: it is what
# colleagues write into tickets, so that no ticket needs a name.
DEFAULT_KINDS = (
    ("external_id", "Customer no.", 0, "exact", True),
    ("email", "E-mail", 1, "email", False),
    ("phone", "Phone", 1, "phone", False),
    ("anonymous_id", "Anonymous id", 1, "exact", False),
)
# Anonymous ids gather, one per device; of the others a customer has one.
MULTIPLE = frozenset({"anonymous_id"})

DEFAULT_PROPERTIES = (
    Declaration("name", "Name", role="name", is_searchable=True, position=1),
    Declaration("first_name", "First name", role="name", is_searchable=True, position=2),
    Declaration("last_name", "Last name", role="name", is_searchable=True, position=3),
    Declaration("created_at", "Customer since", type="datetime", data_class=0, position=4),
    Declaration("unsubscribed", "Unsubscribed", type="boolean", data_class=0, position=5),
)


def create_workspace(*, name: str, slug: str | None = None, timezone: str = "UTC", currency: str = "EUR") -> int:
    """Create a workspace with its usual identifier kinds and properties; returns its number.

    With a slug that exists the existing one is returned unchanged. Without a slug it gets a random one.
    Raises InvalidInput for a name that is empty or too long.
    """
    if not name.strip() or len(name) > MAX_NAME:
        raise InvalidInput(reason="workspace_name")
    fields = {"name": name.strip(), "timezone": timezone, "currency": currency}
    with transaction.atomic():
        if slug is None:
            workspace, is_new = Workspace.objects.create(**fields), True
        else:
            workspace, is_new = Workspace.objects.get_or_create(slug=slug, defaults=fields)
        if is_new:
            _add_kinds(workspace)
            declare_properties(workspace_id=workspace.pk, declarations=DEFAULT_PROPERTIES)
            audit.record(None, "workspace.created", workspace_id=workspace.pk)
    return workspace.pk


def find_workspace(slug: str) -> int | None:
    """The number of the workspace of this slug."""
    return Workspace.objects.filter(slug=slug).values_list("pk", flat=True).first()


def _add_kinds(workspace: Workspace) -> None:
    IdentifierKind.objects.bulk_create(
        IdentifierKind(
            workspace=workspace,
            name=name,
            label=label,
            data_class=data_class,
            normaliser=normaliser,
            has_lookup=True,
            is_searchable=is_searchable,
            is_multiple=name in MULTIPLE,
            position=position,
        )
        for position, (name, label, data_class, normaliser, is_searchable) in enumerate(DEFAULT_KINDS)
    )
