"""READ GATE for deliveries: which messages a customer got, and what was last reported of each."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from customers import access, audit, definitions, paging
from customers.access import PUBLIC, Viewer
from customers.masking import Described, Shown, show
from rolodesk.errors import NotFound
from tracking import labels
from tracking.models import Delivery, EventKind

DELIVERY_ID = "delivery_id"
CHANNEL = Described("channel", "Channel", PUBLIC)
METRIC = Described("last_metric", "Last report", PUBLIC)


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was sent to a customer."""

    icon: str
    channel: Shown
    last_metric: Shown
    delivery_id: Shown
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Messages:
    """A page of messages."""

    rows: tuple[Message, ...]
    next_cursor: str = ""


def page(viewer: Viewer, customer_id: UUID, cursor: str = "") -> Messages:
    """A page of messages. Raises NotFound for unknown customers, HandleRefused for a foreign cursor.

    In the order of their first reports: that of the last ones changes while somebody pages.
    """
    clearance = access.clearances(viewer, [customer_id]).get(customer_id)
    if clearance is None:
        raise NotFound
    if not clearance.is_present:
        return Messages(())
    found, next_cursor = paging.newest_first(
        Delivery.objects.filter(customer_id=customer_id), "first_at", "digest",
        binding=f"messages:{customer_id}:{viewer.binding}", cursor=cursor,
    )  # fmt: skip
    # The id opens the reports of its message to everybody who has it, so it is personal unless declared otherwise.
    declared = definitions.properties(viewer.workspace_id, [EventKind.MESSAGE])[EventKind.MESSAGE]
    described = declared.get(DELIVERY_ID) or Described(DELIVERY_ID, "Delivery", 1)
    rows = tuple(_message(row, described, clearance) for row in found)
    shown = [one for row in rows for one in (row.channel, row.last_metric, row.delivery_id)]
    audit.disclosure(viewer, [customer_id], shown)
    return Messages(rows, next_cursor)


def _message(row: Delivery, described: Described, clearance: access.Clearance) -> Message:
    known = labels.channel(row.channel)
    channel = show(CHANNEL, lambda: known.text, clearance)
    return Message(
        icon=labels.MESSAGE.icon if channel.is_masked else known.icon,
        channel=channel,
        last_metric=show(METRIC, lambda: labels.words(row.last_metric), clearance),
        delivery_id=show(described, lambda: row.raw_delivery_id, clearance),
        first_at=row.first_at,
        last_at=row.last_at,
    )
