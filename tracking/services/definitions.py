"""Declaring what we know about events of one name."""

from django.db import transaction

from customers import audit
from rolodesk.errors import InvalidInput
from tracking.models import EventDefinition, EventKind

MAX_NAME = 100


def declare_event(
    *, workspace_id: int, name: str, kind: str = "event", icon: str = "", revenue_property: str = ""
) -> tuple[int, bool]:
    """Declare an event; returns its number, and whether anything changed.

    Icon and amount are filled in where they are empty; what somebody has set stays. Raises InvalidInput.
    """
    if kind not in EventKind.values or not name or len(name) > MAX_NAME:
        raise InvalidInput(reason="event_definition")
    with transaction.atomic():
        row, is_changed = EventDefinition.objects.get_or_create(
            workspace_id=workspace_id,
            kind=kind,
            name=name,
            defaults={"icon": icon, "revenue_property": revenue_property},
        )
        # The first event of a name makes its definition too, and leaves these empty.
        wanted = (row.icon or icon, row.revenue_property or revenue_property)
        if wanted != (row.icon, row.revenue_property):
            row.icon, row.revenue_property = wanted
            row.save(update_fields=["icon", "revenue_property"])
            is_changed = True
        if is_changed:
            audit.record(None, "event.declared", workspace_id=workspace_id, data={"event_definition_id": row.pk})
    return row.pk, is_changed
