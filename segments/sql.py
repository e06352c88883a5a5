"""Statements about memberships. Set based; the changes come from the rows that were really written."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from psycopg import sql

from rolodesk.database import Connection
from rolodesk.staging import array

# Only live customers of the segment's own workspace come in (no foreign key says so); in the order of
# the key, so that two writers of one segment cannot deadlock.
_ADD = sql.SQL("""
WITH added AS (
  INSERT INTO {member} (segment_id, customer_id, entered_at, generation)
  SELECT %(segment)s, c.id, %(at)s, 0
  FROM unnest(%(customers)s::uuid[]) AS given (id) JOIN customer c ON c.id = given.id
  WHERE c.workspace_id = %(workspace)s AND c.state IN ('active', 'anonymous')
  ORDER BY c.id
  ON CONFLICT DO NOTHING RETURNING customer_id
), changed AS (
  INSERT INTO {change} (customer_id, at, segment_id, entered)
  SELECT customer_id, %(at)s, %(segment)s, true FROM added
  ON CONFLICT (customer_id, at, segment_id) DO UPDATE SET entered = excluded.entered
)
SELECT count(*) FROM added
""").format(member=sql.Identifier("segment_member"), change=sql.Identifier("segment_change"))

_REMOVE = sql.SQL("""
WITH locked AS MATERIALIZED (
  SELECT customer_id FROM {member}
  WHERE segment_id = %(segment)s AND customer_id = ANY(%(customers)s::uuid[]) ORDER BY customer_id FOR UPDATE
), removed AS (
  DELETE FROM {member} m USING locked l
  WHERE m.segment_id = %(segment)s AND m.customer_id = l.customer_id RETURNING m.customer_id
), changed AS (
  INSERT INTO {change} (customer_id, at, segment_id, entered)
  SELECT customer_id, %(at)s, %(segment)s, false FROM removed
  ON CONFLICT (customer_id, at, segment_id) DO UPDATE SET entered = excluded.entered
)
SELECT count(*) FROM removed
""").format(member=sql.Identifier("segment_member"), change=sql.Identifier("segment_change"))


def add_members(
    connection: Connection, segment_id: int, workspace_id: int, customers: Iterable[UUID], at: datetime
) -> int:
    """Put customers into a segment; returns how many were not in it."""
    parameters: dict[str, int | str | datetime] = {
        "segment": segment_id,
        "workspace": workspace_id,
        "customers": array(customers),
        "at": at,
    }
    return _count(connection, _ADD, parameters)


def remove_members(connection: Connection, segment_id: int, customers: Iterable[UUID], at: datetime) -> int:
    """Take customers out of a segment; returns how many were in it."""
    return _count(connection, _REMOVE, {"segment": segment_id, "customers": array(customers), "at": at})


def _count(connection: Connection, statement: sql.Composed, parameters: dict[str, int | str | datetime]) -> int:
    row = connection.execute(statement, parameters).fetchone()
    return int(row[0]) if row else 0
