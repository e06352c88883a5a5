"""The audit: written in the transaction of a change, or before the first byte of a disclosure."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Q
from django.db.models.functions import Now

from customers.access import Viewer
from customers.masking import Shown, disclosed
from customers.models import AuditEntry


def record(
    viewer: Viewer | None,
    action: str,
    *,
    workspace_id: int | None = None,
    customer_ids: Iterable[UUID] = (),
    classes: Iterable[int] = (),
    data: Mapping[str, str | int | list[str]] | None = None,
) -> None:
    """Write one entry: ids, names and codes, never values. ``viewer`` None is a command of the operator."""
    AuditEntry.objects.create(
        workspace_id=viewer.workspace_id if viewer else workspace_id,
        user_id=viewer.user_id if viewer else None,
        face=viewer.face if viewer else "command",
        action=action,
        route=viewer.route if viewer else "",
        request_id=viewer.request_id if viewer else "",
        customer_ids=list(customer_ids),
        classes=sorted(set(classes)),
        data=dict(data or {}),
    )


def disclosure(viewer: Viewer, customer_ids: Iterable[UUID], values: Iterable[Shown]) -> None:
    """Record the personal ones among values about to be shown. The system's own reads are no disclosure."""
    shown = [one for one in values if disclosed([one])]
    if shown and not viewer.is_system:
        record(
            viewer, "personal.shown", customer_ids=customer_ids, classes=[one.data_class for one in shown],
            data={"names": sorted({one.name for one in shown})},
        )  # fmt: skip


LOOKUP = "identifier.lookup"


def lookups_made(user_id: int | None) -> tuple[int, int]:
    """Look-ups of private identifiers by this user in the last minute and the last day, by the database's clock."""
    recent = AuditEntry.objects.filter(user_id=user_id, action=LOOKUP, at__gt=Now() - timedelta(days=1))
    counts = recent.aggregate(minute=Count("pk", filter=Q(at__gt=Now() - timedelta(minutes=1))), day=Count("pk"))
    return counts["minute"], counts["day"]
