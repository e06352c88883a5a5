"""Two workers, two connections, one thing: each race is first shown to happen without the guard.

A thread is held right before its commit until the other one waits for a lock, so no run depends on luck.
"""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
import uuid_utils.compat as uuids
from pytest_django import Settings

from customers import sql as people
from customers.directory import Directory
from customers.identity import Attachment, Identifier, NewCustomer
from customers.models import Customer, CustomerIdentifier, CustomerProfile, Workspace
from rolodesk import partitions, staging
from rolodesk.database import Connection, connect
from rolodesk.staging import array
from tests.concurrency.locks import PATIENCE, wait_until_blocked
from tests.factories import make_customer, make_workspace
from tests.intake import DAY, HOUR, NOON, SECOND, Gate, damage, identify, open_gate, ref, totals, track
from tracking.intake import sql
from tracking.intake.operations import Identify, Operation, Track
from tracking.intake.times import digest_id
from tracking.models import Event, EventCounter

pytestmark = pytest.mark.django_db(transaction=True)

MIDNIGHT = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def gates(workspace: Workspace, settings: Settings) -> Iterator[tuple[Gate, Gate]]:
    """Two workers of the same workspace, connected and ready; each takes one request a turn."""
    settings.INTAKE_BATCH_OPERATIONS = 1
    with open_gate(workspace, slot=1) as first, open_gate(workspace, slot=2) as second:
        for gate in (first, second):
            gate.worker._ready()
        yield first, second


@pytest.fixture
def connections() -> Iterator[tuple[Connection, Connection]]:
    with connect(application="first") as first, connect(application="second") as second:
        yield first, second


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def overlap(
    gates: tuple[Gate, Gate], pool: ThreadPoolExecutor, one: Sequence[Operation], two: Sequence[Operation]
) -> None:
    """The first worker applies ``one`` and commits only when the second, applying ``two``, waits for it."""
    first, second = gates
    (applied, go), add_totals = (threading.Event(), threading.Event()), sql.add_totals
    held = first.worker._ready().connection

    def add_when_told(connection: Connection, *rest: Any) -> None:
        if connection is held:
            applied.set()
            assert go.wait(PATIENCE)
        add_totals(connection, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql, "add_totals", add_when_told)
        first.put(*one)
        leader = pool.submit(first.worker.turn)
        try:
            assert applied.wait(PATIENCE), leader.exception(0)
            second.put(*two)
            follower = pool.submit(second.worker.turn)
            backend = second.worker._ready().connection.info.backend_pid
            wait_until_blocked(first.connection, backend, follower)
        finally:
            go.set()
        assert leader.result(PATIENCE) == len(one)
        assert follower.result(PATIENCE) == len(two)


def outcome(workspace: Workspace) -> tuple[int, int, int]:
    done = totals(workspace)
    assert done.accepted == done.applied + done.duplicate
    return done.applied, done.duplicate, done.quarantined


# --- One identifier ------------------------------------------------------------------------------


def attachment(workspace: Workspace, connection: Connection, customer: UUID, value: str = "c1") -> Attachment:
    directory = Directory()
    directory.refresh(connection)
    identifier = Identifier.of(directory.workspaces[workspace.pk], "external_id", value)
    assert identifier is not None
    return Attachment(customer, identifier)


def test_without_claiming_the_identifier_two_workers_would_make_two_customers(
    workspace: Workspace, connections: tuple[Connection, Connection], pool: ThreadPoolExecutor
) -> None:
    first, second = connections
    new = [NewCustomer(uuids.uuid7(), workspace.pk) for _ in connections]
    for connection in connections:
        people.prepare_stages(connection)
    with first.transaction(), second.transaction():
        for connection, one in zip(connections, new, strict=True):
            wanted = attachment(workspace, connection, one.id)
            # Each looks before the other has committed: nobody has it.
            assert people.read_owners(connection, [wanted.identifier.key]) == {}
            people.create_customers(connection, [one], {one.id}, {}, NOON)
    assert Customer.objects.count() == 2


def test_of_two_who_claim_an_identifier_one_is_told_to_look_again(
    workspace: Workspace, connections: tuple[Connection, Connection], pool: ThreadPoolExecutor
) -> None:
    first, second = connections
    for connection in connections:
        people.prepare_stages(connection)
    mine, yours = (attachment(workspace, first, uuids.uuid7()) for _ in connections)
    with second.transaction():
        with first.transaction():
            assert people.claim_identifiers(first, [mine])
            late = pool.submit(people.claim_identifiers, second, [yours])
            wait_until_blocked(first, second.info.backend_pid, late)
        assert late.result(PATIENCE) is False


@pytest.mark.parametrize("make", [track, identify])
def test_two_workers_with_one_new_identifier_make_one_customer(
    workspace: Workspace, gates: tuple[Gate, Gate], pool: ThreadPoolExecutor, make: Callable[..., Operation]
) -> None:
    overlap(gates, pool, [make("c1"), track("c1")], [track("c2"), make("c1"), track("c1")])
    assert outcome(workspace) == (5, 0, 0)
    assert Customer.objects.count() == 2
    assert Event.objects.filter(customer_id=gates[0].owner("c1")).count() == (4 if make is track else 2)
    assert damage() == set()


def test_many_new_identifiers_in_opposite_order_make_each_customer_once(
    workspace: Workspace, gates: tuple[Gate, Gate], pool: ThreadPoolExecutor
) -> None:
    one = [identify(f"c{n}", {"email": f"c{n}@b.example"}, n=n) for n in range(50)]
    two = [track(f"email:c{n}@b.example") for n in reversed(range(50))]
    overlap(gates, pool, one, two)
    assert outcome(workspace) == (100, 0, 0)
    assert Customer.objects.count() == 50
    assert damage() == set()


# --- One customer gets identifiers ---------------------------------------------------------------


def emails(customer: UUID) -> list[str]:
    rows = CustomerIdentifier.objects.filter(customer_id=customer, raw_normal__contains="@")
    return sorted(rows.values_list("raw_normal", flat=True))


@pytest.mark.parametrize("is_replaced", [True, False])
def test_two_workers_cannot_give_one_customer_two_emails(
    workspace: Workspace, gates: tuple[Gate, Gate], pool: ThreadPoolExecutor, is_replaced: bool
) -> None:
    Workspace.objects.update(updates_email_by_id=is_replaced)
    bare = make_customer(workspace, identifiers={"external_id": "bare"})
    named = make_customer(workspace, identifiers={"external_id": "named", "email": "old@b.example"})
    one, two = (
        [Identify(ref(who), {"email": f"{who}-{name}@b.example"}, {name: 1}) for who in ("bare", "named")]
        for name in ("one", "two")
    )
    overlap(gates, pool, one, two[::-1])
    assert emails(bare) == ["bare-two@b.example" if is_replaced else "bare-one@b.example"]
    assert emails(named) == ["named-two@b.example" if is_replaced else "old@b.example"]
    for customer in (bare, named):
        assert CustomerProfile.objects.get(pk=customer).raw_props == {"one": 1, "two": 1}
    assert damage() == set()


def test_receivers_are_locked_in_one_order(
    connections: tuple[Connection, Connection], pool: ThreadPoolExecutor
) -> None:
    """Held up in the middle, neither has what comes after it."""
    first, second = connections
    low, middle, high = (UUID(int=number) for number in (1, 2, 3))
    try_lock = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s::text, 0))"
    late = []
    with connect(application="third") as third, second.transaction():
        with first.transaction():
            with third.transaction():
                people.lock_receivers(third, [middle])
                for connection, wanted in ((first, [high, middle, low]), (second, [low, high, middle])):
                    late.append(pool.submit(people.lock_receivers, connection, wanted))
                    wait_until_blocked(third, connection.info.backend_pid, late[-1])
                assert third.execute(try_lock, [low]).fetchone() == (False,)
                assert third.execute(try_lock, [high]).fetchone() == (True,)
            late[0].result(PATIENCE)
        late[1].result(PATIENCE)


# --- One event -----------------------------------------------------------------------------------


def row(workspace: Workspace, customer: UUID, client_id: UUID) -> sql.EventRow:
    return sql.EventRow(workspace.pk, customer, NOON, client_id, 1, NOON, None, {})


def test_a_look_alone_would_let_a_retry_through(
    workspace: Workspace, connections: tuple[Connection, Connection], pool: ThreadPoolExecutor
) -> None:
    client_id = uuids.uuid7()
    with connections[0].transaction(), connections[1].transaction():
        for connection in connections:
            seen = connection.execute(sql._SEEN_IDS, [array([workspace.pk]), array([client_id])]).fetchall()
            assert seen == []


@pytest.mark.parametrize(
    "operation",
    [track("c1", client_id="order-5"), track("c1", client_id="order-5", at=NOON - HOUR)],
    ids=["loose", "fixed"],
)
def test_two_workers_with_one_client_id_store_one_event(
    workspace: Workspace, gates: tuple[Gate, Gate], pool: ThreadPoolExecutor, operation: Track
) -> None:
    make_customer(workspace, identifiers={"external_id": "c1"})
    overlap(gates, pool, [operation, track("c1")], [track("c1"), operation])
    assert outcome(workspace) == (3, 1, 0)
    assert EventCounter.objects.get().n == Event.objects.count() == 3
    assert damage() == set()


CLOCKS = [
    (MIDNIGHT - SECOND, MIDNIGHT + SECOND),  # both know both days
    (MIDNIGHT - sql.MIDNIGHT_MARGIN - SECOND, MIDNIGHT - sql.MIDNIGHT_MARGIN),  # one knows today only
    (MIDNIGHT + sql.MIDNIGHT_MARGIN, MIDNIGHT + sql.MIDNIGHT_MARGIN - SECOND),  # one knows the next day only
    (MIDNIGHT + HOUR, MIDNIGHT + HOUR),
]


def test_clocks_on_either_side_of_midnight_meet_on_a_day_they_share(
    workspace: Workspace, connections: tuple[Connection, Connection], pool: ThreadPoolExecutor
) -> None:
    first, second = connections
    partitions.make(first, partitions.EVENT_SEEN, [MIDNIGHT.date(), (MIDNIGHT - DAY).date()])
    for one, two in [*CLOCKS, *((two, one) for one, two in CLOCKS)]:
        client_id, other_id, customer = uuids.uuid7(), uuids.uuid7(), uuids.uuid7()
        mine = [row(workspace, customer, client_id)]
        yours = [row(workspace, customer, client_id), row(workspace, customer, other_id)]
        with second.transaction():
            with first.transaction():
                assert sql.remember_ids(first, mine, one) == mine
                late = pool.submit(sql.remember_ids, second, yours, two)
                wait_until_blocked(first, second.info.backend_pid, late)
            assert late.result(PATIENCE) == yours[1:], (one, two)


# --- Locks ---------------------------------------------------------------------------------------


NAMES = [f"c{n}" for n in range(20)]
Hold = Callable[[Connection, Workspace], object]


def hold_row(table: str, column: str) -> Hold:
    """Somebody else has the row of the customer in the middle."""

    def hold(connection: Connection, _workspace: Workspace) -> None:
        middle = sorted(Customer.objects.values_list("pk", flat=True))[10]
        connection.execute(f"SELECT FROM {table} WHERE {column} = %s FOR UPDATE", [middle])

    return hold


def hold_identifier(connection: Connection, workspace: Workspace) -> None:
    """Somebody else is about to take the new identifier in the middle."""
    people.prepare_stages(connection)
    staging.empty(connection, people.STAGES)
    wanted = [attachment(workspace, connection, uuids.uuid7(), f"new-{name}") for name in NAMES]
    middle = sorted(wanted, key=lambda one: one.identifier.key)[10]
    assert people.claim_identifiers(connection, [middle])


def hold_client_id(connection: Connection, workspace: Workspace) -> None:
    """Somebody else is about to remember the client id in the middle."""
    middle = sorted(digest_id(name, workspace.pk) for name in NAMES)[10]
    assert sql.remember_ids(connection, [row(workspace, uuids.uuid7(), middle)], datetime.now(UTC))


@dataclass(frozen=True)
class Crossing:
    """Where two workers contend first, and what each does with the customer of a name."""

    hold: Hold
    one: Callable[[str], Operation]
    two: Callable[[str], Operation]


CROSSINGS = {
    "identifiers": Crossing(hold_identifier, lambda name: identify(f"new-{name}"), lambda name: track(f"new-{name}")),
    "client ids": Crossing(
        hold_client_id, lambda name: track(name, client_id=name), lambda name: track(name, client_id=name)
    ),
    "profiles": Crossing(
        hold_row("customer_profile", "customer_id"),
        lambda name: identify(name, at=NOON, plan=1),
        lambda name: identify(name, at=NOON, plan=2),
    ),
    "counters": Crossing(hold_row("event_counter", "customer_id"), track, track),
    "customers": Crossing(
        hold_row("customer", "id"),
        lambda name: track(name, "One", at=NOON + HOUR),
        lambda name: track(name, "Two", at=NOON + HOUR),
    ),
}


def cross(gates: tuple[Gate, Gate], pool: ThreadPoolExecutor, crossing: Crossing) -> list[Future[int]]:
    """Turns over the same customers in opposite order; both are amid their locks when the middle is let go."""
    gates[0].apply(*(track(name) for name in NAMES))
    gates[0].put(*map(crossing.one, NAMES))
    gates[1].put(*map(crossing.two, reversed(NAMES)))
    turns: list[Future[int]] = []
    with connect(application="third") as third, third.transaction(force_rollback=True):
        crossing.hold(third, gates[0].workspace)
        for gate in gates:
            turns.append(pool.submit(gate.worker.turn))
            wait_until_blocked(third, gate.worker._ready().connection.info.backend_pid, turns[-1])
    return turns


@pytest.mark.parametrize("where", CROSSINGS)
def test_batches_in_opposite_order_lock_in_the_same_order(
    workspace: Workspace, gates: tuple[Gate, Gate], pool: ThreadPoolExecutor, where: str
) -> None:
    assert [turn.result(PATIENCE) for turn in cross(gates, pool, CROSSINGS[where])] == [20, 20]
    assert outcome(workspace) == ((40, 20, 0) if where == "client ids" else (60, 0, 0))
    if where == "profiles":
        assert all(gates[0].properties(name) == {"plan": 2} for name in NAMES)
    assert damage() == set()


@pytest.mark.parametrize("where", CROSSINGS)
def test_in_another_order_they_would_deadlock(
    gates: tuple[Gate, Gate], pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The second worker has the same statements, with the order of their locks reversed."""
    order = re.compile(r"ORDER BY ([\w., ]+?)(?=\s+(?:FOR UPDATE|ON CONFLICT))")
    connection = gates[1].worker._ready().connection
    execute = connection.execute

    def execute_reversed(statement: Any, *rest: Any) -> Any:
        if isinstance(statement, str):
            statement = order.sub(lambda found: f"ORDER BY {found[1].replace(',', ' DESC,')} DESC", statement)
        return execute(statement, *rest)

    monkeypatch.setattr(connection, "execute", execute_reversed)
    for gate in gates:
        gate.worker._ready().connection.execute("SET deadlock_timeout = '50ms'")
    errors = [turn.exception(PATIENCE) for turn in cross(gates, pool, CROSSINGS[where])]
    assert [type(error) for error in errors if error] == [psycopg.errors.DeadlockDetected]


def test_one_who_writes_and_one_who_sees_the_same_customers_do_not_deadlock(
    workspace: Workspace, gates: tuple[Gate, Gate], pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both pause after each statement that locks customers, so that locks taken in two steps would cross."""
    gates[0].apply(track("c1"), track("c2"))
    steps = threading.Barrier(2)

    def stepped(connection: Connection) -> Callable[..., Any]:
        execute = connection.execute

        def run(statement: Any, *rest: Any) -> Any:
            done = execute(statement, *rest)
            if "UPDATE customer c" in str(statement):
                with suppress(threading.BrokenBarrierError):  # the other one waits for our lock
                    steps.wait(0.3)
            return done

        return run

    for gate in gates:
        connection = gate.worker._ready().connection
        monkeypatch.setattr(connection, "execute", stepped(connection))
    one: list[Operation] = [identify("c1", plan="gold"), track("c2", at=NOON + HOUR)]
    two: list[Operation] = [identify("c2", plan="gold"), track("c1", at=NOON + HOUR)]
    for gate, batch in zip(gates, (one, two), strict=True):
        gate.put(*batch)
    turns = [pool.submit(gate.worker.turn) for gate in gates]
    assert [turn.result(PATIENCE) for turn in turns] == [2, 2]
    assert outcome(workspace) == (6, 0, 0)
    assert damage() == set()
