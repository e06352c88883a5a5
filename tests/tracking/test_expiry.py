"""Anonymous customers go after the days that their workspace keeps them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from customers.writing import locks
from rolodesk.database import Connection, connect
from tests.tracking.intake import Gate, by_id, count, open_gate
from tracking.intake import expiry
from tracking.intake.operations import Identify, Ref, Track
from tracking.integrity import checks
from tracking.tasks import forget_anonymous

NOW = datetime.now(UTC)
OLD, YOUNG = NOW - timedelta(days=31), NOW - timedelta(days=29)
TABLES = ("event", "event_counter", "customer_profile", "customer_identifier", "identifier_lookup", "customer_search")


@pytest.fixture
def gate(transactional_db: None) -> Iterator[Gate]:
    """A workspace that keeps anonymous customers for thirty days."""
    with open_gate() as opened:
        opened.connection.execute("UPDATE workspace SET anonymous_kept_days = 30 WHERE id = %s", [opened.workspace_id])
        yield opened
        assert {one.name for one in checks.run().findings if one.violations} == set()


def visitor(name: str) -> Ref:
    return Ref("anonymous_id", name)


def visit(gate: Gate, name: str, received: datetime, at: int | None = None) -> None:
    """An event of a visitor, received then."""
    gate.send(Track(visitor(name), "Visit", at=at), at=received)
    gate.apply()


def expire(gate: Gate) -> int:
    return expiry.forget_anonymous(gate.connection, NOW).get(gate.workspace_id, 0)


def entries(gate: Gate) -> list[Any]:
    return gate.rows("SELECT customer_ids, data FROM audit_entry WHERE action = 'anonymous.expired' ORDER BY at, id")


def test_a_visitor_who_was_silent_for_longer_goes_with_all_that_is_his(gate: Gate) -> None:
    visit(gate, "old", OLD)
    visit(gate, "young", YOUNG)
    old, young = gate.owner(visitor("old")), gate.owner(visitor("young"))
    assert expire(gate) == 1
    assert {table: count(gate, table, old) for table in TABLES} == dict.fromkeys(TABLES, 0)
    assert (gate.state(old), gate.state(young)) == ("deleted", "anonymous")
    assert entries(gate) == [([], {"count": 1, "days": 30})]


def test_a_second_run_finds_nothing_and_says_nothing(gate: Gate) -> None:
    visit(gate, "old", OLD)
    assert (expire(gate), expire(gate)) == (1, 0)
    assert len(entries(gate)) == 1


def test_a_workspace_that_names_no_days_keeps_them_for_ever(gate: Gate) -> None:
    gate.connection.execute("UPDATE workspace SET anonymous_kept_days = NULL")
    visit(gate, "old", OLD)
    assert expire(gate) == 0
    assert gate.state(gate.owner(visitor("old"))) == "anonymous"


def test_who_is_known_stays_however_long_he_was_silent(gate: Gate) -> None:
    gate.send(Identify(by_id("ada")), Track(by_id("ada"), "Visit"), at=OLD)
    visit(gate, "old", OLD)
    gate.apply(Identify(by_id("eve"), {"anonymous_id": "old"}))
    assert expire(gate) == 0
    assert {gate.state(gate.owner(by_id(name))) for name in ("ada", "eve")} == {"active"}


@pytest.mark.parametrize(
    ("received", "happened"),
    [(YOUNG, OLD), (NOW, OLD - timedelta(days=400)), (NOW, NOW)],
)
def test_a_visitor_of_whom_something_was_received_lately_stays(
    gate: Gate, received: datetime, happened: datetime
) -> None:
    visit(gate, "old", OLD)
    visit(gate, "old", received, at=int(happened.timestamp() * 1_000_000))
    assert expire(gate) == 0
    assert gate.state(gate.owner(visitor("old"))) == "anonymous"


def test_they_go_in_small_transactions_and_each_is_audited(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        visit(gate, f"old {number}", OLD - timedelta(days=number // 2))  # some of the same moment
        gate.send(Track(by_id(f"known {number}"), "Visit"), at=OLD - timedelta(days=number))
    gate.apply()
    before, own = [], locks.own

    def look(connection: Connection, workspaces: Iterable[int]) -> None:
        before.append(gate.rows("SELECT count(*) FROM customer WHERE state = 'deleted'")[0])
        own(connection, workspaces)

    monkeypatch.setattr(expiry, "BATCH", 2)
    monkeypatch.setattr(locks, "own", look)
    with connect(application="other") as other:
        assert expiry.forget_anonymous(other, NOW) == {gate.workspace_id: 5}
    # What was there for others to see each time before the next began.
    assert before == [0, 2, 4]
    assert entries(gate) == [([], {"count": number, "days": 30}) for number in (2, 2, 1)]


def test_who_makes_himself_known_at_the_last_moment_stays(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    visit(gate, "old", OLD)
    own = locks.own

    def late(connection: Connection, workspaces: Iterable[int]) -> None:
        monkeypatch.setattr(locks, "own", own)
        gate.apply(Identify(by_id("ada"), {"anonymous_id": "old"}))
        own(connection, workspaces)

    monkeypatch.setattr(locks, "own", late)
    with connect(application="other") as other:
        assert expiry.forget_anonymous(other, NOW) == {gate.workspace_id: 0}
    assert gate.events(gate.owner(by_id("ada"))) == ["Visit"]
    assert entries(gate) == []


def test_the_task_does_it_for_every_workspace(gate: Gate) -> None:
    with open_gate() as second:
        second.connection.execute("UPDATE workspace SET anonymous_kept_days = 40")
        for one in (gate, second):
            visit(one, "old", NOW - timedelta(days=35))
            visit(one, "older", NOW - timedelta(days=45))
        forget_anonymous()
        states = {one.workspace_id: one.state(one.owner(visitor("old"))) for one in (gate, second)}
        assert states == {gate.workspace_id: "anonymous", second.workspace_id: "anonymous"}
        assert len(entries(gate)) == 2


def test_they_are_found_along_the_index_of_the_list(gate: Gate) -> None:
    plan = {"workspace": 1, "before": NOW, "last_seen": OLD, "id": "0" * 32, "limit": 50}
    with gate.connection.transaction():
        gate.connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        lines = gate.connection.execute(f"EXPLAIN {expiry._UNSEEN}", plan).fetchall()
    assert "Index Scan Backward using customer_list" in "\n".join(line for (line,) in lines)
