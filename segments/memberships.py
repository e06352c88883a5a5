"""READ GATE for memberships: which segments a customer is in, as far as the viewer may know them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from customers import access
from customers.access import Viewer
from segments.access import exists_for
from segments.models import Segment, SegmentMember


@dataclass(frozen=True, slots=True)
class Membership:
    """A segment that a customer is in."""

    segment_id: int
    name: str
    kind: str
    entered_at: datetime


def names(viewer: Viewer) -> dict[int, str]:
    """The segments that exist for this viewer, by number."""
    return {id_: segment.name for id_, segment in _visible(viewer).items()}


def _visible(viewer: Viewer) -> dict[int, Segment]:
    """Above the viewer's class a segment does not exist for him."""
    return {
        segment.pk: segment
        for segment in Segment.objects.filter(workspace_id=viewer.workspace_id)
        if exists_for(viewer, segment)
    }


def of_customers(viewer: Viewer, ids: list[UUID]) -> dict[UUID, list[Membership]]:
    """Memberships by customer, newest first."""
    visible = _visible(viewer)
    present = {id_ for id_, clearance in access.clearances(viewer, ids).items() if clearance.is_present}
    found: dict[UUID, list[Membership]] = {id_: [] for id_ in present}
    members = SegmentMember.objects.filter(customer_id__in=present, segment_id__in=list(visible)).order_by(
        "-entered_at", "segment_id"
    )
    for customer_id, segment_id, entered_at in members.values_list("customer_id", "segment_id", "entered_at"):
        segment = visible[segment_id]
        found[customer_id].append(Membership(segment_id, segment.name, segment.kind, entered_at))
    return found
