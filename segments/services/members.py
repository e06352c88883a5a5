"""Members of manual segments: put in and taken out by hand, many at once."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from customers import access, audit
from customers.models import User
from rolodesk import partitions
from rolodesk.database import connect, django_connection
from rolodesk.errors import InvalidInput, NotFound
from segments import sql
from segments.access import exists_for
from segments.models import Segment, SegmentKind

BATCH = 5000


def add_members(*, segment_id: int, customer_ids: Iterable[UUID], at: datetime) -> int:
    """Put live customers of the workspace into a manual segment; returns how many were not in it.

    Raises NotFound for an unknown segment, InvalidInput for one that is not manual.
    """
    segment = _manual(segment_id)
    return _change(
        segment, customer_ids, at, "segment.members_added",
        lambda ids: sql.add_members(django_connection(), segment.pk, segment.workspace_id, ids, at),
    )  # fmt: skip


def remove_members(*, segment_id: int, customer_ids: Iterable[UUID], at: datetime) -> int:
    """Take customers out of a manual segment; returns how many were in it. Raises as ``add_members``."""
    segment = _manual(segment_id)
    return _change(
        segment,
        customer_ids,
        at,
        "segment.members_removed",
        lambda ids: sql.remove_members(django_connection(), segment.pk, ids, at),
    )


def check_changeable(*, workspace_id: int, segment_id: int, user_id: int) -> None:
    """Whether a key of this user may change who is in a segment.

    Raises NotFound for an unknown segment and for one that does not exist for the user (security.md N5),
    InvalidInput for a dynamic one and for one that opens personal data (P6).
    """
    segment = Segment.objects.filter(pk=segment_id, workspace_id=workspace_id).first()
    user = User.objects.filter(pk=user_id).first()
    if segment is None or user is None or not exists_for(access.resolve(user, workspace_id, face="key"), segment):
        raise NotFound(reason="segment")
    if segment.kind != SegmentKind.MANUAL or segment.is_access_scope:
        raise InvalidInput(reason="not_manual")


def _manual(segment_id: int) -> Segment:
    segment = Segment.objects.filter(pk=segment_id).first()
    if segment is None:
        raise NotFound
    if segment.kind != SegmentKind.MANUAL:
        raise InvalidInput(reason="not_manual")
    return segment


def _change(
    segment: Segment, customer_ids: Iterable[UUID], at: datetime, action: str, apply: Callable[[list[UUID]], int]
) -> int:
    ids = sorted(set(customer_ids))
    with connect(application="rolodesk partitions") as side:
        # On a connection of its own: a partition made in a transaction would lock readers until its end.
        partitions.make(side, partitions.SEGMENT_CHANGE, [at.astimezone(UTC).date()])
    with transaction.atomic():
        changed = sum(apply(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH))
        if changed:
            data: dict[str, str | int | list[str]] = {"segment_id": segment.pk, "count": changed}
            audit.record(None, action, workspace_id=segment.workspace_id, data=data)
    return changed
