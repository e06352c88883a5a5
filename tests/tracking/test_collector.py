"""Group commit: what waits is committed together, and nothing is accepted that is not stored."""

import asyncio
import threading
from collections.abc import Awaitable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from pytest_django import Settings

from customers.models import Workspace
from rolodesk.database import Connection, connect
from rolodesk.errors import IntakeUnavailable, Overloaded
from tests.factories import make_workspace
from tests.intake import NOON, submission, track
from tracking.intake import collector as module
from tracking.intake import inbox
from tracking.intake.collector import Collector
from tracking.intake.inbox import Submission
from tracking.models import InboxItem

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 20.0


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def connection() -> Iterator[Connection]:
    with connect(application="test") as connection:
        yield connection


class Gate:
    """Holds each write until it is told to go on, and notes how many submissions it had."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        self.reached, self.go = threading.Event(), threading.Event()
        self._write = inbox.write
        monkeypatch.setattr(inbox, "write", self)

    def __call__(self, connection: Connection, submissions: Iterable[Submission]) -> None:
        taken = list(submissions)
        self.sizes.append(len(taken))
        self.reached.set()
        assert self.go.wait(PATIENCE)
        self._write(connection, taken)

    async def until_reached(self) -> None:
        await asyncio.to_thread(self.reached.wait, PATIENCE)


def stored() -> int:
    return sum(InboxItem.objects.values_list("n", flat=True))


async def outcomes(awaitables: Iterable[Awaitable[None]]) -> list[str]:
    found = await asyncio.wait_for(asyncio.gather(*awaitables, return_exceptions=True), PATIENCE)
    return ["stored" if one is None else type(one).__name__ for one in found]


# --- Commits -------------------------------------------------------------------------------------


def test_what_gathers_during_a_commit_shares_the_next_one(
    collector: Collector, workspace: Workspace, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)

    async def scenario() -> list[str]:
        first = asyncio.ensure_future(collector.submit(submission(workspace, track("c0"))))
        await gate.until_reached()
        rest = [
            asyncio.ensure_future(collector.submit(submission(workspace, track(f"c{n}"), track("x")))) for n in range(9)
        ]
        await asyncio.sleep(0)
        assert not first.done() and len(collector._waiting) == 9
        gate.go.set()
        return await outcomes([first, *rest])

    assert asyncio.run(scenario()) == ["stored"] * 10
    assert gate.sizes == [1, 9]
    commits = connection.execute("SELECT xmin::text, count(*), sum(n) FROM inbox GROUP BY 1 ORDER BY 2").fetchall()
    assert [(count, n) for _, count, n in commits] == [(1, 1), (9, 18)]


def test_a_row_is_stored_before_its_answer(collector: Collector, workspace: Workspace) -> None:
    async def scenario() -> int:
        await collector.submit(submission(workspace, track("c1"), track("c2")))
        return await asyncio.to_thread(stored)

    assert asyncio.run(scenario()) == 2


def test_requests_of_several_event_loops_are_each_answered_in_theirs(
    collector: Collector, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, results = Gate(monkeypatch), []

    async def one() -> None:
        await asyncio.wait_for(collector.submit(submission(workspace, track("c1"))), PATIENCE)
        results.append(threading.get_ident())

    threads = [threading.Thread(target=lambda: asyncio.run(one())) for _ in range(4)]
    threads[0].start()
    assert gate.reached.wait(PATIENCE)
    for thread in threads[1:]:
        thread.start()
    gate.go.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert set(results) == {thread.ident for thread in threads}
    assert stored() == 4


FIELDS = [
    Submission(1, "track", 1, NOON, b"[]"),
    Submission(2**31 - 1, "", 2**31 - 1, datetime(1980, 1, 1, tzinfo=UTC), b""),
    Submission(
        3, "ünicode/☕", 0, datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), '["☕\\u0000\\\\"]\n\t'.encode()
    ),
    Submission(4, "far", 5, datetime(2199, 1, 1, tzinfo=UTC) - timedelta(microseconds=1), b"x" * 100_000),
]


def test_a_row_comes_out_as_it_went_in(connection: Connection) -> None:
    inbox.write(connection, FIELDS)
    rows = InboxItem.objects.order_by("id").values_list("workspace_id", "route", "n", "received_at", "raw_body")
    assert [Submission(*row[:4], row[4].encode()) for row in rows] == FIELDS
    assert inbox.waiting(connection) == sum(one.n for one in FIELDS)


def test_an_empty_inbox_has_nothing_waiting(connection: Connection) -> None:
    inbox.write(connection, [])
    assert inbox.waiting(connection) == 0


def test_a_submission_of_ours_says_how_many_it_has_and_is_received_now() -> None:
    before = datetime.now(UTC)
    made = inbox.submission(7, "import", [track("c1"), track("c2")])
    assert (made.workspace_id, made.route, made.n) == (7, "import", 2)
    assert before <= made.received_at <= datetime.now(UTC)


# --- Failure -------------------------------------------------------------------------------------


def test_a_lost_connection_answers_unavailable_stores_nothing_and_is_opened_again(
    collector: Collector, workspace: Workspace, connection: Connection
) -> None:
    async def scenario() -> list[str]:
        await collector.submit(submission(workspace, track("c1")))
        assert collector._connection is not None
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [collector._connection.info.backend_pid])
        lost = await outcomes([collector.submit(submission(workspace, track("c1")))])
        return lost + await outcomes([collector.submit(submission(workspace, track("c1")))])

    assert asyncio.run(scenario()) == ["IntakeUnavailable", "stored"]
    assert stored() == 2


def test_a_write_that_the_database_refuses_is_refused_as_a_whole(
    collector: Collector, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate(monkeypatch)
    bad = Submission(workspace.pk, "test", 1, NOON, b'["SECRET\xff"]')

    async def scenario() -> list[str]:
        first = asyncio.ensure_future(collector.submit(submission(workspace, track("c1"))))
        await gate.until_reached()
        rest = [asyncio.ensure_future(collector.submit(one)) for one in (submission(workspace, track("c2")), bad)]
        await asyncio.sleep(0)
        gate.go.set()
        return await outcomes([first, *rest])

    assert asyncio.run(scenario()) == ["stored", "IntakeUnavailable", "IntakeUnavailable"]
    assert stored() == 1
    assert "22021" in caplog.text and "SECRET" not in caplog.text


def test_without_a_database_everybody_who_waits_is_told_to_come_back(
    collector: Collector, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*, application: str) -> Connection:
        raise psycopg.OperationalError

    async def scenario() -> list[str]:
        with pytest.raises(IntakeUnavailable) as caught:
            await collector.submit(submission(workspace, track("c1")))
        assert caught.value.data == {"retry_after": module.RETRY_AFTER_SECONDS}
        refused = await outcomes(collector.submit(submission(workspace, track("c1"))) for _ in range(3))
        monkeypatch.setattr(module, "connect", connect)
        return refused + await outcomes([collector.submit(submission(workspace, track("c1")))])

    monkeypatch.setattr(module, "connect", refuse)
    assert asyncio.run(scenario()) == ["IntakeUnavailable"] * 3 + ["stored"]
    assert stored() == 1


# --- Backlog -------------------------------------------------------------------------------------


def fill(connection: Connection, workspace: Workspace, n: int) -> None:
    inbox.write(connection, [submission(workspace, *(track("c1") for _ in range(n)))])


def test_above_the_cap_answers_are_held_until_the_workers_have_caught_up(
    collector: Collector,
    workspace: Workspace,
    connection: Connection,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.INTAKE_BACKLOG_CAP = 5
    monkeypatch.setattr(module, "HOLD_SECONDS", PATIENCE)
    looks, waiting = threading.Semaphore(0), inbox.waiting

    def look(on: Connection) -> int:
        looks.release()
        return waiting(on)

    monkeypatch.setattr(inbox, "waiting", look)
    fill(connection, workspace, 5)

    async def scenario() -> list[str]:
        held = asyncio.ensure_future(collector.submit(submission(workspace, track("c2"))))
        for _ in range(2):  # it looks again and again
            await asyncio.to_thread(looks.acquire, timeout=PATIENCE)
        assert not held.done() and await asyncio.to_thread(stored) == 5
        connection.execute("DELETE FROM inbox")
        return await outcomes([held])

    assert asyncio.run(scenario()) == ["stored"]
    assert stored() == 1


def test_who_was_held_too_long_is_refused_and_nothing_of_him_is_stored(
    collector: Collector,
    workspace: Workspace,
    connection: Connection,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.INTAKE_BACKLOG_CAP = 5
    monkeypatch.setattr(module, "HOLD_SECONDS", 0.05)
    fill(connection, workspace, 6)

    async def scenario() -> None:
        with pytest.raises(Overloaded) as caught:
            await asyncio.wait_for(collector.submit(submission(workspace, track("c2"))), PATIENCE)
        assert caught.value.data == {"retry_after": module.RETRY_AFTER_SECONDS}

    asyncio.run(scenario())
    assert stored() == 6


def test_its_own_commits_count_towards_the_cap_at_once(
    collector: Collector, workspace: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INTAKE_BACKLOG_CAP = 4
    monkeypatch.setattr(module, "HOLD_SECONDS", 0.05)
    monkeypatch.setattr(module, "BACKLOG_CHECK_SECONDS", 0.001)
    # It has looked a moment ago and will not look again.
    monkeypatch.setattr(collector, "_backlog_at", float("inf"))

    async def scenario() -> list[str]:
        return [(await outcomes([collector.submit(submission(workspace, track("c1"), track("c2")))]))[0] for _ in "abc"]

    assert asyncio.run(scenario()) == ["stored", "stored", "Overloaded"]
    assert stored() == 4


def test_no_more_may_wait_than_can_be_held_in_memory(
    collector: Collector, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    monkeypatch.setattr(module, "MAX_WAITING", 2)

    async def scenario() -> list[str]:
        first = asyncio.ensure_future(collector.submit(submission(workspace, track("c1"))))
        await gate.until_reached()
        rest = [asyncio.ensure_future(collector.submit(submission(workspace, track("c1")))) for _ in range(3)]
        await asyncio.sleep(0)
        gate.go.set()
        return await outcomes([first, *rest])

    assert asyncio.run(scenario()) == ["stored", "stored", "stored", "Overloaded"]
    assert stored() == 3


# --- Coming and going ----------------------------------------------------------------------------


def test_a_client_who_went_away_disturbs_nobody(
    collector: Collector, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)

    async def scenario() -> list[str]:
        gone = asyncio.ensure_future(collector.submit(submission(workspace, track("c1"))))
        await gate.until_reached()
        other = asyncio.ensure_future(collector.submit(submission(workspace, track("c2"))))
        await asyncio.sleep(0)
        gone.cancel()
        gate.go.set()
        return await outcomes([gone, other])

    assert asyncio.run(scenario()) == ["CancelledError", "stored"]
    assert stored() == 2


def test_an_event_loop_that_ended_disturbs_nobody(
    collector: Collector, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)

    async def leave() -> None:
        task = asyncio.ensure_future(collector.submit(submission(workspace, track("c1"))))
        await gate.until_reached()
        task.cancel()

    asyncio.run(leave())
    gate.go.set()
    assert asyncio.run(outcomes([collector.submit(submission(workspace, track("c2")))])) == ["stored"]
    assert stored() == 2


def test_closing_commits_what_waits_and_ends_thread_and_connection(
    collector: Collector, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)

    async def scenario() -> list[str]:
        first = asyncio.ensure_future(collector.submit(submission(workspace, track("c1"))))
        await gate.until_reached()
        second = asyncio.ensure_future(collector.submit(submission(workspace, track("c2"))))
        await asyncio.sleep(0)
        thread, connection = collector._thread, collector._connection
        closing = asyncio.ensure_future(asyncio.to_thread(collector.close))
        gate.go.set()
        found = await outcomes([first, second, closing])
        assert thread is not None and not thread.is_alive()
        assert connection is not None and connection.closed
        return found

    assert asyncio.run(scenario()) == ["stored"] * 3
    # It can be used again, and closing twice or before any use is nothing.
    assert asyncio.run(outcomes([collector.submit(submission(workspace, track("c3")))])) == ["stored"]
    assert stored() == 3
    collector.close()
    collector.close()
    Collector().close()


def test_closing_without_a_database_still_ends(
    collector: Collector, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*, application: str) -> Connection:
        raise psycopg.OperationalError

    monkeypatch.setattr(module, "connect", refuse)
    assert asyncio.run(outcomes([collector.submit(submission(workspace, track("c1")))])) == ["IntakeUnavailable"]
    thread = collector._thread
    collector.close()
    assert thread is not None and not thread.is_alive()


def test_one_thread_is_enough_however_many_ask_for_it(collector: Collector) -> None:
    collector._start()
    thread = collector._thread
    collector._start()
    assert collector._thread is thread
