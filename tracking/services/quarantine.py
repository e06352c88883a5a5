"""Trying operations again that were set aside, or throwing them away for good."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from customers import audit
from customers.access import Viewer
from rolodesk.errors import NotAllowed
from tracking import quarantine
from tracking.intake.operations import Operation, is_serial
from tracking.models import InboxItem, QuarantinedItem

# So many at once. More would fill the inbox to the point where senders are told to come back later.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many were dealt with, how many of the same are left, and how many of these nobody can read."""

    done: int
    left: int
    unreadable: int = 0


def redrive(*, viewer: Viewer, item_id: int | None = None, reason: str = "") -> Outcome:
    """Put an operation, or those of one reason, back into the inbox; what cannot be read stays. Raises NotAllowed.

    It keeps the time of its receipt, so a newer write still wins, and it counts as accepted anew. Whom it
    names is not looked at: what was suppressed meanwhile is dropped by the write gate.
    """
    with transaction.atomic():
        rows = _take(viewer, item_id, reason)
        ready = [(row, named) for row in rows if (named := quarantine.read(row.raw_body))]
        InboxItem.objects.bulk_create(_inbox_item(row, named) for row, named in ready)
        _remove(viewer, "quarantine.redriven", [row for row, _ in ready])
    return Outcome(len(ready), _count(viewer, item_id, reason), len(rows) - len(ready))


def discard(*, viewer: Viewer, item_id: int | None = None, reason: str = "") -> Outcome:
    """Throw an operation, or those of one reason, away. Raises NotAllowed."""
    with transaction.atomic():
        rows = _take(viewer, item_id, reason)
        _remove(viewer, "quarantine.discarded", rows)
    return Outcome(len(rows), _count(viewer, item_id, reason))


def _take(viewer: Viewer, item_id: int | None, reason: str) -> list[QuarantinedItem]:
    """The oldest of those meant, locked: whoever comes second waits, and finds them gone."""
    if not viewer.may("edit"):
        raise NotAllowed
    return list(_meant(viewer, item_id, reason).select_for_update().order_by("pk")[:MOST])


def _meant(viewer: Viewer, item_id: int | None, reason: str) -> QuerySet[QuarantinedItem]:
    here = QuarantinedItem.objects.filter(workspace_id=viewer.workspace_id)
    return here.filter(reason=reason) if item_id is None else here.filter(pk=item_id)


def _count(viewer: Viewer, item_id: int | None, reason: str) -> int:
    return _meant(viewer, item_id, reason).count()


def _inbox_item(row: QuarantinedItem, named: list[Operation]) -> InboxItem:
    return InboxItem(
        workspace_id=row.workspace_id,
        route=row.route,
        n=len(named),
        received_at=row.received_at,
        raw_body=row.raw_body,
        is_serial=any(map(is_serial, named)),
    )


def _remove(viewer: Viewer, action: str, rows: Collection[QuarantinedItem]) -> None:
    if rows:
        QuarantinedItem.objects.filter(pk__in=[row.pk for row in rows]).delete()
        reasons = sorted({row.reason for row in rows})
        audit.record(viewer, action, data={"items": [str(row.pk) for row in rows], "reasons": reasons})
