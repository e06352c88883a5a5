"""Ingestion shares a workspace; whoever joins or removes customers has it alone."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread

import psycopg
import pytest

from customers.writing import locks
from rolodesk.database import Connection, connect
from tests.tracking.intake import Gate, by_email, by_id, open_gate
from tracking.intake.operations import Identify, Merge, Operation, Ref, Suppress, Track
from tracking.intake.worker import Worker
from tracking.integrity import checks

Lock = Callable[[Connection, set[int]], None]


@pytest.fixture
def gate(transactional_db: None) -> Iterator[Gate]:
    with open_gate() as opened:
        yield opened


def waits(first: Lock, second: Lock) -> bool:
    """Whether the second has to wait for the first in one workspace."""
    with connect(application="one") as one, connect(application="two", lock_timeout="100ms") as two, one.transaction():
        first(one, {1})
        try:
            with two.transaction():
                second(two, {1})
        except psycopg.errors.LockNotAvailable:
            return True
    return False


@pytest.mark.parametrize(
    ("first", "second", "is_waiting"),
    [
        (locks.share, locks.share, False),
        (locks.share, locks.own, True),
        (locks.own, locks.share, True),
        (locks.own, locks.own, True),
    ],
)
def test_who_waits_for_whom(transactional_db: None, first: Lock, second: Lock, is_waiting: bool) -> None:
    assert waits(first, second) is is_waiting


def test_workspaces_do_not_wait_for_each_other(transactional_db: None) -> None:
    assert not waits(locks.own, lambda connection, _ids: locks.own(connection, {2}))


def test_a_share_that_is_rolled_back_is_given_back(transactional_db: None) -> None:
    """A batch that turns out to need the workspace alone rolls back, and must not wait for itself and others."""

    def share_and_roll_back(connection: Connection, ids: set[int]) -> None:
        with connection.transaction(force_rollback=True):
            locks.share(connection, ids)

    assert not waits(share_and_roll_back, locks.own)


def drain(gate: Gate, *requests: list[Operation]) -> None:
    """Send all at once from two connections, and apply with two workers at the same time."""
    workers, start = [Worker(1), Worker(2)], Barrier(2)

    def work(worker: Worker) -> None:
        start.wait()
        while gate.rows("SELECT EXISTS (SELECT FROM inbox)") == [True]:
            worker.turn()
        worker.close()

    for request in requests:
        gate.send(*request)
    threads = [Thread(target=work, args=[worker]) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.slow  # two workers race for a while
def test_two_workers_keep_the_order_around_serial_operations(gate: Gate) -> None:
    requests: list[list[Operation]] = []
    for n in range(60):
        who, other = by_id(f"p{n % 7}"), by_id(f"q{n % 7}")
        requests += [[Identify(who, properties={"n": n})], [Track(other, "Visit")], [Merge(who, other)]]
        if n % 5 == 0:
            requests.append([Suppress(by_email(f"{n}@shop.example"))])
    drain(gate, *requests)
    totals = gate.totals()
    assert totals["accepted"] == sum(map(len, requests))
    assert totals["quarantined"] == 0
    assert {one.name for one in checks.run().findings if one.violations} == set()
    # q3 was merged into p3 at once, so the seventh visit and all others are p3's.
    assert gate.owner(by_id("q3")) == gate.owner(by_id("p3"))
    assert gate.events(gate.owner(by_id("p3"))).count("Visit") == len([n for n in range(60) if n % 7 == 3])


@pytest.mark.slow  # two workers race for a while
def test_two_workers_that_both_find_pairs_to_join_never_wait_for_each_other(gate: Gate) -> None:
    visitors = [Ref("anonymous_id", f"v{n}") for n in range(40)]
    requests: list[list[Operation]] = [[Track(one, "Page")] for one in visitors]
    requests += [[Identify(by_id(f"p{n}"))] for n in range(40)]
    requests += [[Identify(by_id(f"p{n}"), {"anonymous_id": f"v{n}"})] for n in range(40)]
    drain(gate, *requests)
    for n, visitor in enumerate(visitors):
        assert gate.owner(visitor) == gate.owner(by_id(f"p{n}"))
    assert {one.name for one in checks.run().findings if one.violations} == set()


@pytest.mark.slow  # hundreds of small transactions
def test_nothing_of_a_suppressed_person_is_left_while_he_keeps_coming(gate: Gate) -> None:
    """Sent from several connections while it is applied: an item counts before the bar, and goes, or is dropped."""
    who = by_email("ada@shop.example")

    def send(first: int) -> None:
        with connect(application="sender") as connection:
            sender = Gate(gate.workspace_id, connection)
            for n in range(20):
                sender.send(Track(who, "Visit", id=f"{first}-{n}"))

    workers = [Worker(1), Worker(2)]
    with ThreadPoolExecutor(6) as pool:
        senders = [pool.submit(send, first) for first in range(4)]
        gate.send(Suppress(who))
        for sender in senders:
            while not sender.done():
                for worker in workers:
                    worker.turn()
    for worker in workers:
        while worker.turn():
            pass
        worker.close()
    assert gate.rows("SELECT count(*) FROM customer_identifier") == gate.rows("SELECT count(*) FROM event") == [0]
    totals = gate.totals()
    assert (totals["accepted"], totals["applied"] + totals["suppressed"]) == (81, 81)
