"""Operations through the real write gate: rows in the inbox, turns of a worker, and what became of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Sum

from customers.identifiers import lookup_digest, normalise
from customers.models import CustomerProfile, IdentifierKind, IdentifierLookup, Workspace
from rolodesk.database import Connection, connect
from rolodesk.json import Json
from tracking.intake import inbox
from tracking.intake.inbox import Submission
from tracking.intake.operations import CUSTOMER_ID, Identify, Operation, Ref, Track, encode
from tracking.intake.sql import Totals
from tracking.intake.times import EPOCH
from tracking.intake.worker import Worker
from tracking.integrity import checks
from tracking.models import InboxItem, IntakeTotal

# When requests of the tests are received, unless a test says otherwise.
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PARTS = ("applied", "duplicate", "suppressed", "ignored", "quarantined")


def micros(at: datetime) -> int:
    """A time as operations carry it."""
    return (at - EPOCH) // timedelta(microseconds=1)


def ref(who: str | UUID) -> Ref:
    """``email:a@b.example``, a bare external id, or a customer's own id."""
    if isinstance(who, UUID):
        return Ref(CUSTOMER_ID, str(who))
    kind, _, value = who.rpartition(":")
    return Ref(kind or "external_id", value)


def identify(
    who: str | UUID, identifiers: dict[str, str] | None = None, *, at: datetime | None = None, **properties: Json
) -> Identify:
    """Create or update a customer."""
    return Identify(ref(who), identifiers or {}, properties, None if at is None else micros(at))


def track(
    who: str | UUID,
    name: str = "Visit",
    *,
    at: datetime | None = None,
    client_id: str | None = None,
    **properties: Json,
) -> Track:
    """Something a customer did."""
    return Track(ref(who), name, properties=properties, id=client_id, at=None if at is None else micros(at))


def submission(workspace: Workspace, *operations: Operation, at: datetime = NOON, route: str = "test") -> Submission:
    """One request with these operations."""
    return Submission(workspace.pk, route, len(operations), at, encode(list(operations)))


def put(connection: Connection, workspace: Workspace, *operations: Operation, at: datetime = NOON) -> None:
    """Store one request."""
    inbox.write(connection, [submission(workspace, *operations, at=at)])


def totals(workspace: Workspace) -> Totals:
    """What became of everything so far, of all workers and days."""
    rows = IntakeTotal.objects.filter(workspace_id=workspace.pk)
    sums = rows.aggregate(**{name: Sum(name, default=0) for name in ("accepted", *PARTS)})
    return Totals(**{name: int(n) for name, n in sums.items()})


def damage() -> set[str]:
    """Names of the integrity checks that find something wrong."""
    return {one.name for one in checks.run().findings if one.violations}


def find(workspace: Workspace, who: str) -> UUID | None:
    """Whom the look-up table names for an identifier, written as for ``ref``."""
    named = ref(who)
    kind = IdentifierKind.objects.get(workspace=workspace, name=named.kind)
    digest = lookup_digest(workspace.pk, kind.pk, normalise(kind.normaliser, named.value))
    rows = IdentifierLookup.objects.filter(workspace_id=workspace.pk, kind_id=kind.pk, digest=digest)
    return rows.values_list("customer_id", flat=True).first()


class Gate:
    """The write gate of one workspace, with a worker of its own."""

    def __init__(self, workspace: Workspace, slot: int = 0) -> None:
        self.workspace = workspace
        self.worker = Worker(slot)
        self.connection = connect(application="test")
        self.submitted = 0
        # Another gate may have worked on this workspace before.
        self.already = totals(workspace).accepted

    def put(self, *operations: Operation, at: datetime = NOON) -> None:
        """One request into the inbox."""
        put(self.connection, self.workspace, *operations, at=at)
        self.submitted += len(operations)

    def apply(self, *operations: Operation, at: datetime = NOON) -> dict[str, int]:
        """One request, applied; says what became of it, without the zeros."""
        before = asdict(totals(self.workspace))
        self.put(*operations, at=at)
        self.drain()
        after = asdict(totals(self.workspace))
        return {name: after[name] - before[name] for name in PARTS if after[name] != before[name]}

    def drain(self) -> None:
        """Apply all that waits, then check that nothing is lost or counted twice (I5)."""
        while self.worker.turn():
            pass
        self.check()

    def check(self) -> None:
        """I5: submitted = applied + duplicate + suppressed + ignored + quarantined + pending."""
        sums = asdict(totals(self.workspace))
        pending = sum(InboxItem.objects.filter(workspace_id=self.workspace.pk).values_list("n", flat=True))
        assert sums["accepted"] == sum(sums[name] for name in PARTS)
        assert self.submitted == sums["accepted"] - self.already + pending

    def find(self, who: str) -> UUID | None:
        """Whom an identifier names, if anybody."""
        return find(self.workspace, who)

    def owner(self, who: str) -> UUID:
        """Whom an identifier names."""
        found = self.find(who)
        assert found is not None
        return found

    def properties(self, who: str) -> dict[str, Any]:
        """The stored properties of the customer whom an identifier names."""
        return CustomerProfile.objects.get(pk=self.owner(who)).raw_props

    def close(self) -> None:
        """No connection may outlive the test database."""
        self.worker.close()
        self.connection.close()


@contextmanager
def open_gate(workspace: Workspace, slot: int = 0) -> Iterator[Gate]:
    """A gate that is closed at the end."""
    gate = Gate(workspace, slot)
    try:
        yield gate
    finally:
        gate.close()
