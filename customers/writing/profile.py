"""Identifiers, properties and their history when a customer is merged or erased."""

from uuid import UUID

from customers import sql
from customers.directory import searchable_properties
from rolodesk.database import Connection

_MOVE_IDENTIFIERS = """
WITH moved AS (
  DELETE FROM customer_identifier WHERE customer_id = %(source)s
  RETURNING kind_id, raw_normal, raw_value, raw_folded, digest, last_used
), kept AS (
  INSERT INTO customer_identifier (customer_id, kind_id, raw_normal, raw_value, raw_folded, digest, last_used)
  SELECT %(into)s::uuid, kind_id, raw_normal, raw_value, raw_folded, digest, last_used FROM moved
)
UPDATE identifier_lookup l SET customer_id = %(into)s FROM moved m
WHERE l.workspace_id = %(workspace)s AND l.kind_id = m.kind_id AND l.digest = m.digest
"""
_ERASE_IDENTIFIERS = """
WITH gone AS (
  DELETE FROM customer_identifier WHERE customer_id = %(customer)s RETURNING kind_id, digest
)
DELETE FROM identifier_lookup l USING gone g
WHERE l.workspace_id = %(workspace)s AND l.kind_id = g.kind_id AND l.digest = g.digest
"""


def merge_identifiers(connection: Connection, workspace_id: int, into: UUID, source: UUID) -> int:
    """All identifiers end on the survivor, so that whoever names an old one finds him (security.md M2)."""
    parameters = {"workspace": workspace_id, "into": into, "source": source}
    return connection.execute(_MOVE_IDENTIFIERS, parameters).rowcount


def erase_identifiers(connection: Connection, workspace_id: int, customer_id: UUID) -> int:
    """Free the identifiers."""
    return connection.execute(_ERASE_IDENTIFIERS, {"workspace": workspace_id, "customer": customer_id}).rowcount


# The survivor keeps what he has; an empty text counts as nothing. Times travel with the values, so a late
# write is still judged by them; a time without value (something removed) travels only where he has neither.
_MOVE_PROFILE = """
WITH gone AS MATERIALIZED (
  DELETE FROM customer_profile WHERE customer_id = %(source)s
  RETURNING raw_props, props_ts, (extract(epoch FROM base_ts) * 1000000)::bigint AS base_us
), kept AS MATERIALIZED (
  SELECT raw_props, props_ts FROM customer_profile WHERE customer_id = %(into)s FOR UPDATE
), adopted AS MATERIALIZED (
  SELECT p.key, p.value, k.raw_props -> p.key AS old, coalesce((g.props_ts ->> p.key)::bigint, g.base_us) AS us
  FROM gone g, kept k, jsonb_each(g.raw_props) p
  WHERE coalesce(k.raw_props -> p.key, '""') = '""' AND p.value <> '""'
), updated AS (
  UPDATE customer_profile SET
    raw_props = raw_props || (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM adopted),
    props_ts = (SELECT coalesce(jsonb_object_agg(t.key, t.value), '{}') FROM gone g, jsonb_each(g.props_ts) t
                WHERE NOT g.raw_props ? t.key) || props_ts
               || (SELECT coalesce(jsonb_object_agg(key, us), '{}') FROM adopted)
  WHERE customer_id = %(into)s
)
INSERT INTO property_change (customer_id, at, id, name, raw_old, raw_new, ts, source, part, failure)
SELECT %(into)s::uuid, %(at)s, gen_random_uuid(), key, old, value, to_timestamp(us / 1000000.0), 'merge', 'property', ''
FROM adopted
"""
_MOVE_HISTORY = """
WITH moved AS (
  DELETE FROM property_change WHERE customer_id = %(source)s
  RETURNING at, id, name, raw_old, raw_new, ts, source, part, failure
)
INSERT INTO property_change (customer_id, at, id, name, raw_old, raw_new, ts, source, part, failure)
SELECT %(into)s::uuid, at, id, name, raw_old, raw_new, ts, source, part, failure FROM moved
"""


def merge_properties(connection: Connection, _workspace_id: int, into: UUID, source: UUID) -> int:
    """The survivor gets what he lacks, and the history of both."""
    parameters = {"into": into, "source": source}
    connection.execute(_MOVE_HISTORY, parameters)
    at = connection.execute("SELECT statement_timestamp()").fetchone()
    return connection.execute(_MOVE_PROFILE, {**parameters, "at": at[0] if at else None}).rowcount


def erase_properties(connection: Connection, _workspace_id: int, customer_id: UUID) -> int:
    """Remove values and history."""
    connection.execute("DELETE FROM property_change WHERE customer_id = %s", [customer_id])
    return connection.execute("DELETE FROM customer_profile WHERE customer_id = %s", [customer_id]).rowcount


def merge_search(connection: Connection, workspace_id: int, into: UUID, source: UUID) -> int:
    """The survivor's line is made anew of what he has now."""
    sql.refresh_search_lines(connection, [into], {workspace_id: searchable_properties(connection, workspace_id)})
    return erase_search(connection, workspace_id, source)


def erase_search(connection: Connection, _workspace_id: int, customer_id: UUID) -> int:
    """Remove the line."""
    return connection.execute("DELETE FROM customer_search WHERE customer_id = %s", [customer_id]).rowcount
