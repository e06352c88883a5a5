"""The ingest worker: what it claims, what survives its death, and which errors it sets aside."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from pytest_django import Settings

from customers.models import Customer, IdentifierKind, Workspace
from rolodesk.database import Connection, connect
from tests.factories import make_workspace
from tests.intake import MINUTE, NOON, Gate, damage, identify, open_gate, totals, track
from tracking.intake import sql, worker
from tracking.intake.apply import ATTEMPTS, Applier
from tracking.intake.inbox import Submission, write
from tracking.intake.worker import MAX_ATTEMPTS, Worker
from tracking.models import Event, EventCounter, InboxItem, QuarantinedItem

pytestmark = pytest.mark.django_db(transaction=True)

PASSING = ("08006", "40001", "40P01", "53100", "53200", "55P03", "57P01", "57P02")
DATA = ("22001", "22P05", "23502", "23505", "23514", "54000", "54001")
OURS = ("57014", "42P01", "0A000", "XX000", "P0001")


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def gate(workspace: Workspace) -> Iterator[Gate]:
    with open_gate(workspace) as gate:
        yield gate


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the worker would have slept."""
    naps: list[float] = []
    monkeypatch.setattr("tracking.intake.worker.time.sleep", naps.append)
    return naps


def raise_state(connection: Connection, state: str) -> None:
    """An error as the server raises it."""
    connection.execute(f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$")


def fail(monkeypatch: pytest.MonkeyPatch, times: int, failure: Callable[[Connection], object]) -> None:
    """Let the counting of events fail so often, and work again then."""
    left, count_events = [times], sql.count_events

    def count(connection: Connection) -> None:
        left[0] -= 1
        if left[0] >= 0:
            failure(connection)
        count_events(connection)

    monkeypatch.setattr(sql, "count_events", count)


def run_until_idle(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> int:
    """``run`` until nothing waits; how many turns it took."""
    turns, turn = [0], worker.turn

    def counted() -> int:
        turns[0] += 1
        done = turn()
        worker.is_stopping = not done
        return done

    monkeypatch.setattr(worker, "turn", counted)
    worker.run()
    return turns[0]


# --- Claiming ------------------------------------------------------------------------------------


def sizes(gate: Gate, *numbers: int) -> None:
    """Requests of so many operations; they are named by their place."""
    for place, number in enumerate(numbers):
        gate.put(*(track(f"p{place}") for _ in range(number)))


def test_a_turn_takes_the_oldest_by_number_of_operations(gate: Gate, settings: Settings) -> None:
    settings.INTAKE_BATCH_OPERATIONS = 10
    sizes(gate, 4, 4, 4, 1, 1)
    assert gate.worker.turn() == 8
    assert [gate.find(f"p{place}") is None for place in range(5)] == [False, False, True, True, True]
    assert [gate.worker.turn() for _ in range(3)] == [5, 1, 0]


def test_the_largest_request_sets_how_many_are_taken(gate: Gate, settings: Settings) -> None:
    settings.INTAKE_BATCH_OPERATIONS = 10
    sizes(gate, 1, 1, 5, 1, 1, 1)
    assert gate.worker.turn() == 2
    assert (gate.find("p1") is None, gate.find("p2") is None) == (False, True)
    assert [gate.worker.turn() for _ in range(3)] == [6, 2, 0]


def test_a_request_beyond_the_limit_is_taken_alone(gate: Gate, settings: Settings) -> None:
    settings.INTAKE_BATCH_OPERATIONS = 10
    sizes(gate, 11, 1, 25)
    assert [gate.worker.turn() for _ in range(4)] == [11, 1, 25, 0]


def test_a_request_without_operations_holds_nothing_up(gate: Gate) -> None:
    sizes(gate, 0, 0)
    assert gate.worker.turn() == 0
    assert not InboxItem.objects.exists()
    sizes(gate, 0, 2)
    gate.drain()
    assert Event.objects.count() == 2


def test_what_another_worker_has_is_left_to_it(gate: Gate, settings: Settings) -> None:
    settings.INTAKE_BATCH_OPERATIONS = 2
    sizes(gate, 1, 1, 1, 1)
    with connect(application="other") as other, other.transaction(force_rollback=True):
        assert len(sql.claim(other, 2)) == 2
        assert gate.worker.turn() == 2
        assert [gate.find(f"p{place}") is None for place in range(4)] == [True, True, False, False]
        assert gate.worker.turn() == 0
        gate.check()
    # The other one died: its rows are anybody's again.
    gate.drain()
    assert Event.objects.count() == 4


def test_claimed_rows_come_in_the_order_of_their_arrival(gate: Gate) -> None:
    sizes(gate, *[1] * 30)
    with gate.connection.transaction(force_rollback=True):
        claimed = sql.claim(gate.connection, 2000)
    assert [row.id for row in claimed] == sorted(row.id for row in claimed) and len(claimed) == 30
    assert {(row.workspace_id, row.route, row.n, row.received_at) for row in claimed} == {
        (gate.workspace.pk, "test", 1, NOON)
    }


# --- Death ---------------------------------------------------------------------------------------


def test_a_kill_between_claim_and_commit_leaves_the_row_for_the_next(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.put(track("c1", client_id="e1"), identify("c1", plan="gold"))

    def die(connection: Connection, *_args: object) -> None:
        connection.close()
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(sql, "add_totals", die)
        with pytest.raises(SystemExit):
            gate.worker.turn()
    assert (InboxItem.objects.get().n, Customer.objects.count(), Event.objects.count()) == (2, 0, 0)
    gate.check()
    gate.worker.close()
    gate.drain()
    assert (Customer.objects.count(), Event.objects.count(), EventCounter.objects.get().n) == (1, 1, 1)
    assert damage() == set()


def test_claim_and_effect_commit_together(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    gate.put(track("c1"))
    add_totals = sql.add_totals
    seen: list[tuple[int, int]] = []

    def look(*args: Any) -> None:
        seen.append((InboxItem.objects.count(), Event.objects.count()))
        add_totals(*args)

    monkeypatch.setattr(sql, "add_totals", look)
    gate.drain()
    assert seen == [(1, 0)]
    assert (InboxItem.objects.count(), Event.objects.count()) == (0, 1)


def test_it_survives_losing_the_database(gate: Gate, monkeypatch: pytest.MonkeyPatch, naps: list[float]) -> None:
    gate.put(track("c1", client_id="e1"))

    def lose(connection: Connection) -> None:
        gate.connection.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])

    # More often than an error of ours would be forgiven.
    monkeypatch.setattr(worker, "MAX_ATTEMPTS", 1)
    fail(monkeypatch, 2, lose)
    assert run_until_idle(gate.worker, monkeypatch) == 4
    gate.check()
    assert totals(gate.workspace).applied == 1
    assert naps == [worker.RECONNECT_SECONDS] * 2 + [worker.REST_SECONDS] * 2


def test_it_waits_for_a_database_that_is_not_there(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    gate.put(track("c1"))
    opened: list[Connection] = []

    def connect_seldom(*, application: str, **session: str) -> Connection:
        if len(opened) % 2:
            opened.append(opened[-1])
            raise psycopg.OperationalError("no such host")
        opened.append(connect(application=application, **session))
        return opened[-1]

    monkeypatch.setattr(worker, "connect", connect_seldom)
    with pytest.raises(psycopg.OperationalError):
        gate.worker.turn()
    # The first of the two that it needs was there, and is given back.
    assert opened[0].closed
    monkeypatch.setattr(worker, "connect", connect)
    gate.drain()
    assert Event.objects.count() == 1


# --- Errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [*PASSING, *DATA, *OURS])
def test_the_class_of_an_error_says_whose_fault_it_is(state: str) -> None:
    worker, error = Worker(0), psycopg.errors.lookup(state)()
    assert worker._is_poison(error) == (state in DATA)
    worker._attempts = MAX_ATTEMPTS
    assert worker._is_poison(error) == (state not in PASSING)


def test_an_error_of_the_driver_itself_has_no_state_but_a_kind() -> None:
    assert worker._state(psycopg.DataError()) == "22000"
    assert worker._state(psycopg.OperationalError()) == worker._state(psycopg.InterfaceError()) == "08000"
    assert worker._state(psycopg.ProgrammingError()) == "XX000"


def test_an_error_that_passes_is_tried_again_as_often_as_it_takes(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    monkeypatch.setattr(worker, "MAX_ATTEMPTS", 1)
    gate.put(track("c1"), track("c1"))
    fail(monkeypatch, 3, lambda connection: raise_state(connection, "40P01"))
    run_until_idle(gate.worker, monkeypatch)
    gate.check()
    assert totals(gate.workspace).applied == 2


def test_an_error_of_the_data_goes_to_the_quarantine_at_once(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    gate.put(track("c1"))
    fail(monkeypatch, 1, lambda connection: raise_state(connection, "23505"))
    assert run_until_idle(gate.worker, monkeypatch) == 2
    gate.check()
    assert totals(gate.workspace).quarantined == 1
    assert QuarantinedItem.objects.get().reason == "sql_23505"


@pytest.mark.slow  # It opens its connections again five times.
@pytest.mark.parametrize(
    ("state", "statement"), [("42P01", "SELECT * FROM not_there"), ("XX000", "SELECT %(the_driver_lacks_it)s")]
)
def test_an_error_of_ours_is_waited_for_but_not_for_ever(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, naps: list[float], state: str, statement: str
) -> None:
    monkeypatch.setattr(worker, "MAX_ATTEMPTS", 2)
    gate.put(track("c1"))
    fail(monkeypatch, 2, lambda connection: connection.execute(statement, {}))
    run_until_idle(gate.worker, monkeypatch)
    gate.check()
    assert totals(gate.workspace).applied == 1
    # A success ends the count of attempts.
    gate.put(track("c1"))
    fail(monkeypatch, 3, lambda connection: connection.execute(statement, {}))
    gate.worker.is_stopping = False
    assert run_until_idle(gate.worker, monkeypatch) == 4
    gate.check()
    assert (totals(gate.workspace).applied, totals(gate.workspace).quarantined) == (1, 1)
    assert QuarantinedItem.objects.get().reason == f"sql_{state}"


def test_what_goes_wrong_in_python_costs_the_operation_only(gate: Gate) -> None:
    IdentifierKind.objects.create(workspace=gate.workspace, name="odd", label="Odd", normaliser="klingon")
    assert gate.apply(track("c1"), track("odd:1"), track("c2")) == {"applied": 2, "quarantined": 1}
    assert QuarantinedItem.objects.get().reason == "not_applicable"


def test_an_operation_of_a_workspace_that_is_gone_is_set_aside(gate: Gate) -> None:
    gate.apply(track("c1"))
    Workspace.objects.filter(pk=gate.workspace.pk).delete()
    # The worker has read the workspaces a moment ago.
    gate.put(track("c1", "Other"))
    gate.drain()
    gate.worker.close()
    gate.put(track("c1", "Visit"))
    gate.drain()
    reasons = QuarantinedItem.objects.order_by("id").values_list("reason", flat=True)
    assert list(reasons) == ["sql_23503", "unknown_workspace"]


DEEP = "[" * 50_000 + "]" * 50_000
NO_OPERATIONS = [
    "",
    "{}",
    "[1]",
    '[{"op":"fly"}]',
    '[{"op":"track"}]',
    f'[{{"op":"track","who":["a","b"],"name":"x","properties":{{"deep":{DEEP}}}}}]',
]


def test_a_body_that_is_none_of_ours_is_set_aside_whole(gate: Gate) -> None:
    for body in NO_OPERATIONS:
        gate.put(track("c1"))
        write(gate.connection, [Submission(gate.workspace.pk, "test", 3, NOON, body.encode())])
        gate.submitted += 3
    gate.put(track("c1"))
    gate.drain()
    count = len(NO_OPERATIONS)
    assert (totals(gate.workspace).applied, totals(gate.workspace).quarantined) == (count + 1, 3 * count)
    found = QuarantinedItem.objects.order_by("id").values_list("raw_body", "reason", "received_at")
    assert list(found) == [(body, "unreadable", NOON) for body in NO_OPERATIONS]


def test_an_identifier_that_others_keep_taking_is_given_up(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr("customers.sql.claim_identifiers", lambda *args: calls.append(args))
    assert gate.apply(track("c1")) == {"quarantined": 1}
    assert len(calls) == ATTEMPTS
    assert QuarantinedItem.objects.get().reason == "contended_identifier"
    assert not Customer.objects.exists()


# --- Running -------------------------------------------------------------------------------------


def test_it_rests_after_a_short_batch_only(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, naps: list[float], settings: Settings
) -> None:
    settings.INTAKE_BATCH_OPERATIONS = 8
    sizes(gate, 8, 1)
    run_until_idle(gate.worker, monkeypatch)
    # After the full batch it goes on at once; after the short one and the empty turn it rests.
    assert naps == [worker.REST_SECONDS] * 2


def test_totals_are_kept_by_slot_and_day(gate: Gate, time_machine: Any) -> None:
    with open_gate(gate.workspace, slot=7) as other:
        time_machine.move_to(NOON, tick=False)
        gate.apply(track("c1"))
        other.put(track("c1"))
        other.worker.turn()
        time_machine.move_to(NOON + 24 * 60 * MINUTE, tick=False)
        other.put(track("c1"))
        other.worker.turn()
    from tracking.models import IntakeTotal

    rows = IntakeTotal.objects.order_by("slot", "day").values_list("slot", "day", "accepted", "applied")
    today, tomorrow = NOON.date(), (NOON + 24 * 60 * MINUTE).date()
    assert list(rows) == [(0, today, 1, 1), (7, today, 1, 1), (7, tomorrow, 1, 1)]


def test_the_command_finishes_its_batch_when_told_to_stop(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_gate(workspace) as gate:
        gate.put(track("c1"))
    apply, slots = Applier.apply, []

    def interrupted(self: Applier, items: Any, **options: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return apply(self, items, **options)

    def made(slot: int) -> Worker:
        slots.append(slot)
        return Worker(slot)

    monkeypatch.setattr(Applier, "apply", interrupted)
    monkeypatch.setattr("tracking.management.commands.ingest_worker.Worker", made)
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        call_command("ingest_worker", slot=3)
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
    assert slots == [3]
    assert Event.objects.count() == 1
