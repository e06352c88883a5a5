"""Loading the demo: what is declared before, remembered during, and made of the purchases after."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet, Sum

from customers import audit
from customers.models import AuditEntry
from customers.services import demo_file
from customers.services.definitions import declare_properties
from segments.services.members import add_members
from segments.services.segments import create_segment, find_segment
from tracking.demo.operations import DECLARATIONS, ICON, PURCHASE, REVENUE
from tracking.demo.people import Person
from tracking.models import EventCounter, EventDefinition
from tracking.services.definitions import declare_event

STARTED, LOADED = "demo.load_started", "demo.loaded"
COLLECTOR_ORDERS = 10
RECENT = timedelta(days=90)
QUEUE_LENGTH = 500
SAMPLE_FILE = "demo_customers.csv"
SAMPLE = 25


class _Group(NamedTuple):
    """A segment of the demo and who belongs to it."""

    name: str
    customers: "QuerySet[EventCounter, UUID]"
    is_access_scope: bool = False


def declare(workspace_id: int) -> bool:
    """Declare what the demo's data means; True when something changed."""
    made = declare_properties(workspace_id=workspace_id, declarations=DECLARATIONS)
    _, is_changed = declare_event(workspace_id=workspace_id, name=PURCHASE, icon=ICON, revenue_property=REVENUE)
    return bool(made) or is_changed


def last_day(workspace_id: int) -> date:
    """The day on which the history ends: yesterday, as of the first attempt.

    The time is part of what makes an event the same. So a run that goes on with one that was
    interrupted, perhaps days ago, must come to the same times; the audit remembers them.
    """
    started = AuditEntry.objects.filter(workspace_id=workspace_id, action=STARTED).order_by("at").first()
    if started is not None:
        return date.fromisoformat(started.data["last_day"])
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    audit.record(None, STARTED, workspace_id=workspace_id, data={"last_day": yesterday.isoformat()})
    return yesterday


def purchases(workspace_id: int) -> int:
    """How many purchases are stored."""
    return int(_counters(workspace_id).aggregate(total=Sum("n"))["total"] or 0)


def is_loaded(workspace_id: int) -> bool:
    """Whether an earlier run came to its end and all of its purchases are still there."""
    loaded = AuditEntry.objects.filter(workspace_id=workspace_id, action=LOADED).order_by("-at").first()
    return loaded is not None and purchases(workspace_id) >= int(loaded.data["purchases"])


def finish(workspace_id: int, count: int) -> None:
    """Make the segments, and remember that the demo is complete."""
    make_segments(workspace_id, datetime.now(UTC))
    audit.record(None, LOADED, workspace_id=workspace_id, data={"purchases": count})


def make_segments(workspace_id: int, now: datetime) -> None:
    """The demo's three segments, with their members. Safe to repeat."""
    counters = _counters(workspace_id)
    groups = (
        _Group("Collectors", _ids(counters.filter(n__gte=COLLECTOR_ORDERS))),
        _Group("Active this quarter", _ids(counters.filter(last_at__gte=now - RECENT))),
        _Group(
            "Phone support queue",
            _ids(counters.order_by("-last_at", "customer_id")[:QUEUE_LENGTH]),
            is_access_scope=True,
        ),
    )
    for group in groups:
        segment = find_segment(workspace_id=workspace_id, name=group.name) or create_segment(
            workspace_id=workspace_id, name=group.name, is_access_scope=group.is_access_scope
        )
        add_members(segment_id=segment, customer_ids=list(group.customers), at=now)


def write_sample(folder: Path, people: Iterable[Person]) -> Path:
    """A few of the invented customers in a file, to have something to search for. Raises OSError."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["external_id", "name", "email", "phone"])
    for person, _ in zip(people, range(SAMPLE), strict=False):
        writer.writerow([person.external_id, person.name, person.email, person.phone])
    demo_file.write_text(folder / SAMPLE_FILE, text.getvalue())
    return folder / SAMPLE_FILE


def _counters(workspace_id: int) -> "QuerySet[EventCounter]":
    types = EventDefinition.objects.filter(workspace_id=workspace_id, kind="event", name=PURCHASE)
    return EventCounter.objects.filter(type_id__in=list(types.values_list("pk", flat=True)))


def _ids(counters: "QuerySet[EventCounter]") -> "QuerySet[EventCounter, UUID]":
    return counters.values_list("customer_id", flat=True)
