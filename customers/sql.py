"""Statements of the write gate about people. All set based; rows are locked in the order of their key."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from customers.folding import fold
from customers.identifiers import suppression_digest
from customers.identity import Attachment, Identifier, Key, Known, NewCustomer
from rolodesk import json
from rolodesk.database import Connection
from rolodesk.staging import NULL, array, copy_lines, escape, prepare

STAGES = {
    "stage_customer": (
        "id uuid, workspace_id int, state text, since timestamptz",
        "gen_random_uuid(), 1, 'active', now()",
    ),
    "stage_identifier": (
        "customer_id uuid, workspace_id int, kind_id int, digest uuid, value text, normal text, folded text",
        "gen_random_uuid(), 1, g % 4, gen_random_uuid(), g::text, g::text, g::text",
    ),
    "stage_property": (
        "customer_id uuid, name text, value jsonb, ts bigint, seq int, source text",
        "gen_random_uuid(), 'p' || g % 10, to_jsonb(g), g, g, 'track'",
    ),
}


def prepare_stages(connection: Connection) -> None:
    """Make the stages of this connection."""
    for table, (columns, sample) in STAGES.items():
        prepare(connection, table, columns, sample)


# --- Resolve -----------------------------------------------------------------------------------

_OWNERS = """
SELECT l.workspace_id, l.kind_id, l.digest, l.customer_id
FROM unnest(%s::int[], %s::int[], %s::uuid[]) AS k (workspace_id, kind_id, digest)
JOIN identifier_lookup l USING (workspace_id, kind_id, digest)
"""


def read_owners(connection: Connection, keys: Collection[Key]) -> dict[Key, UUID]:
    """Owners of the known ones among these identifiers."""
    rows = connection.execute(
        _OWNERS, [array(k.workspace_id for k in keys), array(k.kind_id for k in keys), array(k.digest for k in keys)]
    )
    return {Key(workspace_id, kind_id, digest): owner for workspace_id, kind_id, digest, owner in rows}


def suppression_key(identifier: Identifier) -> bytes:
    """Digest of an identifier for the suppression list."""
    return suppression_digest(identifier.key.workspace_id, identifier.key.kind_id, identifier.normal)


def read_suppressed(connection: Connection, digests: dict[bytes, Key]) -> set[Key]:
    """Those of the identifiers that are on the suppression list."""
    rows = connection.execute("SELECT digest FROM suppressed_identifier WHERE digest = ANY(%s)", [list(digests)])
    return {digests[bytes(digest)] for (digest,) in rows}


def has_suppressions(connection: Connection) -> bool:
    """Whether any identifier is suppressed at all; spares most batches a digest per identifier."""
    row = connection.execute("SELECT EXISTS (SELECT FROM suppressed_identifier)").fetchone()
    return bool(row and row[0])


_LIVE = """
SELECT c.workspace_id, c.id, coalesce(c.merged_into, c.id)
FROM customer c WHERE c.id = ANY(%s::uuid[]) AND c.state IN ('active', 'anonymous', 'merged')
"""


def read_live(connection: Connection, ids: Collection[UUID]) -> dict[tuple[int, UUID], UUID]:
    """(workspace, id) -> the customer that answers to it now; merged ones lead to their survivor."""
    return {(workspace_id, id_): root for workspace_id, id_, root in connection.execute(_LIVE, [array(ids)])}


def read_held(connection: Connection, known: Known, customers: Collection[UUID]) -> None:
    """Fill ``known.held`` with the identifiers that these customers have."""
    rows = connection.execute(
        "SELECT i.customer_id, k.workspace_id, i.kind_id, i.digest FROM customer_identifier i"
        " JOIN identifier_kind k ON k.id = i.kind_id WHERE i.customer_id = ANY(%s::uuid[])",
        [array(customers)],
    )
    for customer_id, workspace_id, kind_id, digest in rows:
        known.held.setdefault(customer_id, {}).setdefault(kind_id, set()).add(Key(workspace_id, kind_id, digest))


def lock_receivers(connection: Connection, customers: Collection[UUID]) -> None:
    """Let nobody else give these customers identifiers until the transaction ends.

    No lock of rows: those come last, and a customer may have no row yet that two writers would meet at.
    """
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(id::text, 0)) FROM unnest(%s::uuid[]) AS c (id)",
        [array(sorted(customers))],
    )


_ANONYMOUS = "SELECT id FROM customer WHERE id = ANY(%s::uuid[]) AND state = 'anonymous'"


def read_anonymous(connection: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Those of the customers whom nobody has identified yet."""
    return {id_ for (id_,) in connection.execute(_ANONYMOUS, [array(ids)])}


# --- Create ------------------------------------------------------------------------------------

_CLAIM_IDENTIFIERS = """
INSERT INTO identifier_lookup (workspace_id, kind_id, digest, customer_id)
SELECT workspace_id, kind_id, digest, customer_id FROM stage_identifier ORDER BY workspace_id, kind_id, digest
ON CONFLICT DO NOTHING
"""
_STORE_IDENTIFIERS = """
INSERT INTO customer_identifier (customer_id, kind_id, raw_normal, raw_value, raw_folded, digest, last_used)
SELECT customer_id, kind_id, normal, value, folded, digest, %(at)s FROM stage_identifier ORDER BY customer_id, kind_id
ON CONFLICT DO NOTHING
"""
_CREATE = """
WITH made AS (
  INSERT INTO customer (id, workspace_id, state, is_restricted, created_at, updated_at, first_seen, last_seen)
  SELECT id, workspace_id, state, false, %(at)s, %(at)s, since, since FROM stage_customer
)
INSERT INTO customer_profile (customer_id, raw_props, base_ts, props_ts)
SELECT id, '{}', since, '{}' FROM stage_customer
"""


def claim_identifiers(connection: Connection, attached: Collection[Attachment]) -> bool:
    """Take free identifiers in the look-up table. False: another writer was first, resolve again."""
    copy_lines(
        connection,
        "stage_identifier",
        (
            f"{a.customer_id}\t{a.identifier.key.workspace_id}\t{a.identifier.key.kind_id}\t{a.identifier.key.digest}"
            f"\t{escape(a.identifier.value)}\t{escape(a.identifier.normal)}\t{escape(fold(a.identifier.normal))}"
            for a in attached
        ),
    )
    return connection.execute(_CLAIM_IDENTIFIERS).rowcount == len(attached)


def release_identifiers(connection: Connection, detached: Collection[Attachment]) -> None:
    """Free identifiers that a newer value of the same kind replaces."""
    parameters = [
        array(item.customer_id for item in detached),
        array(item.identifier.key.workspace_id for item in detached),
        array(item.identifier.key.kind_id for item in detached),
        array(item.identifier.key.digest for item in detached),
    ]
    gone = "unnest(%s::uuid[], %s::int[], %s::int[], %s::uuid[]) AS g (customer_id, workspace_id, kind_id, digest)"
    connection.execute(
        f"DELETE FROM identifier_lookup l USING {gone} WHERE (l.workspace_id, l.kind_id, l.digest)"  # noqa: S608
        " = (g.workspace_id, g.kind_id, g.digest) AND l.customer_id = g.customer_id",
        parameters,
    )
    connection.execute(
        f"DELETE FROM customer_identifier i USING {gone} WHERE i.customer_id = g.customer_id"  # noqa: S608
        " AND i.kind_id = g.kind_id AND i.digest = g.digest",
        parameters,
    )


def create_customers(
    connection: Connection,
    created: Collection[NewCustomer],
    identified: Collection[UUID],
    since: dict[UUID, datetime],
    at: datetime,
) -> None:
    """Insert the new customers with empty profiles; ``since`` is the earliest time told of each."""
    copy_lines(
        connection,
        "stage_customer",
        (
            f"{new.id}\t{new.workspace_id}\t{'active' if new.id in identified else 'anonymous'}"
            f"\t{since.get(new.id, at)}"
            for new in created
        ),
    )
    connection.execute(_CREATE, {"at": at})


def store_identifiers(connection: Connection, at: datetime) -> None:
    """Write the claimed identifiers beside their customers."""
    connection.execute(_STORE_IDENTIFIERS, {"at": at})


# --- Properties --------------------------------------------------------------------------------

# The newest write of each property in the batch meets the stored one under a row lock; the later time
# wins, on equal times the later arrival. A removed property keeps its time in props_ts, that of base_ts too:
# without a value there is nothing else that an older write could be compared with.
_SET_PROPERTIES = """
WITH newest AS MATERIALIZED (
  SELECT DISTINCT ON (customer_id, name) customer_id, name, value, ts, source
  FROM stage_property ORDER BY customer_id, name, ts DESC, seq DESC
), locked AS MATERIALIZED (
  SELECT customer_id, raw_props, props_ts, (extract(epoch FROM base_ts) * 1000000)::bigint AS base_us
  FROM customer_profile WHERE customer_id = ANY(ARRAY(SELECT DISTINCT customer_id FROM newest))
  ORDER BY customer_id FOR UPDATE
), winner AS MATERIALIZED (
  SELECT n.*, l.raw_props -> n.name AS old, l.base_us, l.props_ts ? n.name AS is_timed
  FROM newest n JOIN locked l USING (customer_id)
  WHERE n.ts >= coalesce((l.props_ts ->> n.name)::bigint, CASE WHEN l.raw_props ? n.name THEN l.base_us END, n.ts)
), document AS MATERIALIZED (
  SELECT customer_id,
         coalesce(jsonb_object_agg(name, value) FILTER (WHERE value IS NOT NULL), '{}') AS filled,
         coalesce(array_agg(name) FILTER (WHERE value IS NULL), '{}') AS removed,
         coalesce(jsonb_object_agg(name, ts) FILTER (WHERE ts <> base_us OR is_timed OR value IS NULL), '{}') AS times
  FROM winner GROUP BY customer_id
), updated AS (
  UPDATE customer_profile p
  SET raw_props = (p.raw_props || d.filled) - d.removed, props_ts = p.props_ts || d.times
  FROM document d WHERE p.customer_id = d.customer_id
), history AS (
  INSERT INTO property_change (customer_id, at, id, name, raw_old, raw_new, ts, source, part, failure)
  SELECT customer_id, %(at)s, gen_random_uuid(), name, old, value, to_timestamp(ts / 1000000.0), source, 'property', ''
  FROM winner WHERE old IS DISTINCT FROM value
  RETURNING customer_id, name
)
SELECT customer_id, array_agg(name) FROM history GROUP BY customer_id
"""


@dataclass(frozen=True, slots=True)
class PropertyWrite:
    """One property of one customer; ``value`` None removes it. ``ts`` is microseconds since 1970."""

    customer_id: UUID
    name: str
    value: json.Json
    ts: int
    seq: int
    source: str


def set_properties(connection: Connection, writes: Iterable[PropertyWrite], at: datetime) -> dict[UUID, list[str]]:
    """Write properties, the newest wins; returns the names that changed, by customer."""
    copy_lines(
        connection,
        "stage_property",
        (
            f"{w.customer_id}\t{escape(w.name)}\t{NULL if w.value is None else escape(json.encode(w.value).decode())}"
            f"\t{w.ts}\t{w.seq}\t{w.source}"
            for w in writes
        ),
    )
    return dict(connection.execute(_SET_PROPERTIES, {"at": at}).fetchall())


# --- History of identifiers -----------------------------------------------------------------------

TAKEN = "taken"

_NOTE_IDENTIFIERS = """
INSERT INTO property_change (customer_id, at, id, name, raw_old, raw_new, ts, source, part, failure)
SELECT customer_id, %(at)s, gen_random_uuid(), name, NULL, to_jsonb(value), %(at)s, %(source)s, 'identifier', failure
FROM json_to_recordset(%(rows)s) AS t (customer_id uuid, name text, value text, failure text)
"""


def note_identifiers(
    connection: Connection,
    given: Collection[Attachment],
    refused: Collection[Attachment],
    at: datetime,
    source: str,
) -> None:
    """Write the history of identifiers: those that known customers got, and those they could not get.

    What was refused stands without its value: it may be somebody else's, and must go when he goes.
    """
    rows = [
        {"customer_id": a.customer_id, "name": a.identifier.kind.name, "value": a.identifier.value, "failure": ""}
        for a in given
    ] + [
        {"customer_id": a.customer_id, "name": a.identifier.kind.name, "value": None, "failure": TAKEN} for a in refused
    ]
    if rows:
        connection.execute(_NOTE_IDENTIFIERS, {"rows": json.encode(rows).decode(), "at": at, "source": source})


# --- Search line -------------------------------------------------------------------------------

_SEARCHED = """
SELECT c.id, c.workspace_id, p.raw_props,
       ARRAY(SELECT i.raw_folded FROM customer_identifier i JOIN identifier_kind k ON k.id = i.kind_id
             WHERE i.customer_id = c.id AND k.data_class <= 1 AND k.name <> 'anonymous_id' ORDER BY k.position, 1)
FROM customer c JOIN customer_profile p ON p.customer_id = c.id WHERE c.id = ANY(%s::uuid[])
"""
_STORE_LINES = """
INSERT INTO customer_search (customer_id, raw_line)
SELECT customer_id, line FROM json_to_recordset(%s) AS t (customer_id uuid, line text) ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET raw_line = excluded.raw_line
"""


def refresh_search_lines(
    connection: Connection, customers: Collection[UUID], searchable: dict[int, frozenset[str]]
) -> None:
    """Rewrite the line that search by part reads, for customers whose identifiers or names changed."""
    lines = [
        {"customer_id": id_, "line": _line(props, identifiers, searchable.get(workspace_id, frozenset()))}
        for id_, workspace_id, props, identifiers in connection.execute(_SEARCHED, [array(customers)])
    ]
    connection.execute(_STORE_LINES, [json.encode(lines).decode()])


def _line(props: dict[str, json.Json], identifiers: list[str], searchable: frozenset[str]) -> str:
    # A newline parts the values, so that no match runs from one into the next.
    values = [fold(str(props[name])) for name in sorted(searchable & props.keys())]
    return "\n".join([*identifiers, *values])
