"""A batch on a fresh connection: the planner knows how much is staged, and joins it accordingly.

A temporary table has no statistics; without care two thousand rows were joined by nested loop.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg import sql as pg

from customers import sql as people
from rolodesk import partitions
from rolodesk.database import Connection, connect
from tracking.intake import sql

# All of it is taken back by its own connection.
pytestmark = pytest.mark.django_db

ROWS = 2000
AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
STAGES = {**people.STAGES, **sql.STAGES}
Node = dict[str, Any]


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A worker's connection at the start of its first batch, all stages filled."""
    with connect(application="test") as connection:
        people.prepare_stages(connection)
        sql.prepare_stages(connection)
        with connection.transaction(force_rollback=True):
            partitions.make_ahead(connection, AT.date())
            for table, (_columns, sample) in STAGES.items():
                fill(connection, table, sample)
            yield connection


def fill(connection: Connection, table: str, sample: str) -> None:
    statement = pg.SQL("INSERT INTO {} SELECT {} FROM generate_series(1, {}) g")
    connection.execute(statement.format(pg.Identifier(table), pg.SQL(sample), ROWS))


def nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def explain(connection: Connection, statement: str, parameters: dict[str, Any], options: str = "COSTS") -> list[Node]:
    row = connection.execute(f"EXPLAIN ({options}, FORMAT JSON) {statement}", parameters).fetchone()
    assert row is not None
    document = json.loads(row[0]) if isinstance(row[0], str) else row[0]
    return list(nodes(document[0]["Plan"]))


def scans(found: list[Node]) -> list[tuple[str, int]]:
    return [
        (one["Relation Name"], one["Plan Rows"])
        for one in found
        if one["Node Type"] == "Seq Scan" and one["Relation Name"] in STAGES
    ]


STATEMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "claim identifiers": (people._CLAIM_IDENTIFIERS, {}),
    "store identifiers": (people._STORE_IDENTIFIERS, {"at": AT}),
    "create": (people._CREATE, {"at": AT}),
    "properties": (people._SET_PROPERTIES, {"at": AT}),
    "events": (sql._STORE_EVENTS, {}),
    "counters": (sql._COUNT, {}),
    "customers": (sql._NOTE_CUSTOMERS, {"at": AT, "changed": "{}", "identified": "{}"}),
}


def test_the_planner_knows_how_much_is_staged(connection: Connection) -> None:
    seen = set()
    for name, statement in STATEMENTS.items():
        found = scans(explain(connection, *statement))
        assert found, name
        assert all(ROWS / 2 <= rows <= ROWS * 2 for _, rows in found), (name, found)
        seen |= {table for table, _ in found}
    assert seen == STAGES.keys()


def test_preparing_again_leaves_a_stage_as_it_is(connection: Connection) -> None:
    people.prepare_stages(connection)
    assert connection.execute("SELECT count(*) FROM stage_customer").fetchone() == (ROWS,)


def test_without_preparation_it_would_guess(connection: Connection) -> None:
    """Why stages are prepared: of the same table, never analysed, it knows no more than the size."""
    columns, sample = STAGES["stage_property"]
    connection.execute(f"CREATE TEMPORARY TABLE unprepared ({columns}) ON COMMIT DELETE ROWS")
    fill(connection, "unprepared", sample)
    statement = people._SET_PROPERTIES.replace("stage_property", "unprepared")
    guessed = [one["Plan Rows"] for one in explain(connection, statement, {"at": AT}) if one["Node Type"] == "Unique"]
    known = [
        one["Plan Rows"]
        for one in explain(connection, people._SET_PROPERTIES, {"at": AT})
        if one["Node Type"] == "Unique"
    ]
    assert guessed and known
    assert known[0] > 2 * guessed[0]


PEOPLE = """
WITH made AS (
  INSERT INTO customer (id, workspace_id, state, is_restricted, created_at, updated_at, first_seen, last_seen)
  SELECT gen_random_uuid(), 1, 'active', false, now() - interval '1 day', now() - interval '1 day', now(), now()
  FROM generate_series(1, %s) RETURNING id, last_seen
)
INSERT INTO customer_profile (customer_id, raw_props, base_ts, props_ts)
SELECT id, '{"p1": 1}', last_seen, '{}' FROM made
"""
STAGED = """
DELETE FROM stage_property;
INSERT INTO stage_property SELECT id, 'p' || n, '2', 1800000000000000, n, 'test'
FROM (SELECT id, row_number() OVER () AS n FROM customer LIMIT %s) c;
DELETE FROM stage_tally;
INSERT INTO stage_tally SELECT customer_id, 1, 1, now(), now() + interval '1 day', NULL FROM stage_property;
"""


@pytest.mark.parametrize("known", [None, 10, 5 * ROWS], ids=["never analysed", "analysed while small", "analysed"])
def test_nothing_that_is_staged_is_read_once_for_each_row_of_something(
    connection: Connection, known: int | None
) -> None:
    # A file of its own, about which nothing is known: other tests leave statistics and dead rows behind.
    connection.execute("TRUNCATE customer, customer_profile")
    if known is not None:
        connection.execute(PEOPLE, [known])
        connection.execute("ANALYZE customer, customer_profile")
    connection.execute(PEOPLE, [5 * ROWS - (known or 0)])
    connection.execute(STAGED, [ROWS])
    for name in ("properties", "customers"):
        statement, parameters = STATEMENTS[name]
        found = explain(connection, statement, parameters, "ANALYZE, TIMING OFF")
        assert max(one["Actual Rows"] for one in found) >= ROWS
        looped = [(one["Node Type"], one["Actual Loops"]) for one in found if one["Actual Loops"] > 1]
        # Looking a row up by its key is what a loop is for.
        assert [one for one in looped if not one[0].startswith("Index")] == [], name
