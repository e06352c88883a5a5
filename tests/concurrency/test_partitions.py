"""Two makers of one partition: a worker that meets a new month while the scheduled task makes it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import psycopg
import pytest

from rolodesk import partitions
from rolodesk.database import Connection, connect
from rolodesk.partitions import EVENT
from tests.concurrency.locks import PATIENCE, wait_until_blocked

# Two connections that must see each other's commits; what they make is dropped again.
pytestmark = pytest.mark.django_db

# Not the years of other tests.
DAY, BEFORE = date(2051, 5, 17), date(2051, 4, 1)
NAME, NAME_BEFORE = "event_205105", "event_205104"


@pytest.fixture
def connections() -> Iterator[tuple[Connection, Connection]]:
    with connect(application="first") as first, connect(application="second") as second:
        first.execute(f"DROP TABLE IF EXISTS {NAME}, {NAME_BEFORE}")
        yield first, second
        first.execute(f"DROP TABLE IF EXISTS {NAME}, {NAME_BEFORE}")


def test_without_a_lock_the_second_maker_would_fail(connections: tuple[Connection, Connection]) -> None:
    first, second = connections
    create = f"CREATE TABLE {NAME} (LIKE event INCLUDING ALL)"
    with ThreadPoolExecutor(1) as pool:
        with first.transaction():
            first.execute(create)
            late = pool.submit(second.execute, create)
            wait_until_blocked(first, second.info.backend_pid, late)
        # Not the error for a table that exists, which could be told from others.
        with pytest.raises(psycopg.errors.UniqueViolation):
            late.result(PATIENCE)


def test_two_makers_make_one_partition(connections: tuple[Connection, Connection]) -> None:
    first, second = connections
    with ThreadPoolExecutor(1) as pool:
        with first.transaction():
            assert partitions.make(first, EVENT, [DAY]) == 1
            late = pool.submit(partitions.make, second, EVENT, [DAY])
            wait_until_blocked(first, second.info.backend_pid, late)
        assert late.result(PATIENCE) == 0
    assert NAME in partitions.existing(second, EVENT)


def test_readers_and_writers_of_other_months_go_on_meanwhile(connections: tuple[Connection, Connection]) -> None:
    first, second = connections
    partitions.make(first, EVENT, [BEFORE])
    with first.transaction(force_rollback=True):
        assert partitions.make(first, EVENT, [DAY]) == 1
        second.execute("SET lock_timeout = '1s'")
        assert second.execute("SELECT count(*) FROM event").fetchone() == (0,)
        with second.transaction(force_rollback=True):
            second.execute(
                "INSERT INTO event (customer_id, ts, id, type_id, received_at, raw_props)"
                " VALUES (gen_random_uuid(), '2051-04-02', gen_random_uuid(), 1, now(), '{}')"
            )
