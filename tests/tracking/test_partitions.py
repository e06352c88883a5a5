"""Partitions: which one holds a day, made ahead without locking out readers, dropped past their keeping."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolodesk import partitions
from rolodesk.database import Connection, connect
from rolodesk.partitions import EVENT, EVENT_SEEN, PARENTS, PROPERTY_CHANGE, SEGMENT_CHANGE, Parent

pytestmark = pytest.mark.django_db

# Far from the days that other tests use; every change is taken back.
TODAY = date(2040, 12, 31)


@pytest.fixture
def connection() -> Iterator[Connection]:
    with connect(application="test") as connection, connection.transaction(force_rollback=True):
        yield connection


def attached(connection: Connection, parent: Parent, year: str = "20") -> list[str]:
    return sorted(name for name in partitions.existing(connection, parent) if f"{parent.table}_{year}" in name)


# --- Names and bounds ----------------------------------------------------------------------------

days = st.dates(date(1980, 1, 1), date(2200, 1, 1))


@given(days)
def test_every_day_is_in_the_partition_of_its_name_and_in_no_other(day: date) -> None:
    for parent in PARENTS:
        start, end = parent.start(day), parent.end(day)
        assert start <= day < end
        assert parent.name(start) == parent.name(day) == parent.name(end - timedelta(days=1)) != parent.name(end)
        assert parent.start(end) == end and parent.end(start) == end


@given(days, days)
def test_names_sort_as_their_days_do(one: date, two: date) -> None:
    for parent in PARENTS:
        assert (parent.name(one) < parent.name(two)) == (parent.start(one) < parent.start(two))


def test_months_and_days_have_plain_names() -> None:
    assert (EVENT.name(TODAY), EVENT.end(TODAY)) == ("event_204012", date(2041, 1, 1))
    assert (EVENT_SEEN.name(TODAY), EVENT_SEEN.end(TODAY)) == ("event_seen_20401231", date(2041, 1, 1))


# --- Making --------------------------------------------------------------------------------------


def test_each_is_made_once(connection: Connection) -> None:
    days = [TODAY, TODAY - timedelta(days=3), date(2041, 2, 5)]
    assert partitions.make(connection, EVENT, days) == 2
    assert partitions.make(connection, EVENT, days) == 0
    assert attached(connection, EVENT, "204") == ["event_204012", "event_204102"]


def test_a_maker_who_looked_too_early_finds_it_made(connection: Connection) -> None:
    assert partitions._make_one(connection, EVENT, TODAY) is True
    assert partitions._make_one(connection, EVENT, TODAY) is False
    # The failed attempt cost nothing of the transaction around it.
    assert attached(connection, EVENT, "204") == ["event_204012"]


def test_a_partition_has_what_its_parent_has(connection: Connection) -> None:
    partitions.make(connection, EVENT, [TODAY])
    wanted = connection.execute("SELECT count(*) FROM pg_index WHERE indrelid = 'event'::regclass").fetchone()
    assert (
        connection.execute(
            "SELECT count(*) FROM pg_index x JOIN pg_inherits i ON i.inhrelid = x.indexrelid"
            " WHERE x.indrelid = 'event_204012'::regclass"
        ).fetchone()
        == wanted
    )
    options = connection.execute("SELECT reloptions FROM pg_class WHERE relname = 'event_204012'").fetchone()
    assert options == (["autovacuum_vacuum_insert_scale_factor=0.02"],)


def test_the_first_and_the_last_moment_of_a_month_are_in_it(connection: Connection) -> None:
    partitions.make(connection, EVENT, [TODAY])
    first, last = datetime(2040, 12, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)
    for at in (first, last):
        connection.execute(
            "INSERT INTO event (customer_id, ts, id, type_id, received_at, raw_props)"
            " VALUES (gen_random_uuid(), %s, gen_random_uuid(), 1, %s, '{}')",
            [at, at],
        )
    assert connection.execute("SELECT count(*) FROM event_204012").fetchone() == (2,)


def test_yesterday_today_and_what_is_to_come_are_made_for_every_table(connection: Connection) -> None:
    expected = {
        EVENT: ["204012", "204101", "204102", "204103"],
        PROPERTY_CHANGE: ["204012", "204101", "204102", "204103"],
        SEGMENT_CHANGE: ["204012", "204101", "204102", "204103"],
        EVENT_SEEN: ["20401230", "20401231", "20410101", "20410102", "20410103"],
    }
    assert partitions.make_ahead(connection, TODAY) == 17
    assert partitions.make_ahead(connection, TODAY) == 0
    for parent, names in expected.items():
        assert attached(connection, parent, "204") == [f"{parent.table}_{name}" for name in names]
    # A day later one more is made of those by day; at the turn of a month one more of the others.
    assert partitions.make_ahead(connection, TODAY + timedelta(days=1)) == 4


def test_on_the_first_of_a_month_the_month_before_is_made_too(connection: Connection) -> None:
    partitions.make_ahead(connection, date(2041, 1, 1))
    assert attached(connection, EVENT, "204")[0] == "event_204012"


# --- Dropping ------------------------------------------------------------------------------------


def test_days_past_their_keeping_are_dropped_and_months_are_kept_for_ever(connection: Connection) -> None:
    days = [TODAY - timedelta(days=back) for back in range(12)]
    partitions.make(connection, EVENT_SEEN, days)
    partitions.make(connection, EVENT, [TODAY, date(2040, 1, 1)])
    older = len([name for name in partitions.existing(connection, EVENT_SEEN) if name < "event_seen_2040"])
    assert partitions.drop_old(connection, TODAY) == 3 + older
    # A client id is remembered for seven days; the eighth is the one that is running out.
    assert attached(connection, EVENT_SEEN) == sorted(EVENT_SEEN.name(day) for day in days[:9])
    assert attached(connection, EVENT, "2040") == ["event_204001", "event_204012"]
    assert partitions.drop_old(connection, TODAY) == 0
