"""Statements of the write gate about events. All set based; rows are locked in the order of their key."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from rolodesk import json
from rolodesk.database import Connection
from rolodesk.staging import NULL, array, copy_lines, escape, prepare
from tracking.intake.operations import Operation, decode

STAGES = {
    "stage_event": (
        "customer_id uuid, ts timestamptz, id uuid, type_id int, received_at timestamptz, revenue numeric, props jsonb",
        "gen_random_uuid(), now(), gen_random_uuid(), g % 5, now(), g, '{\"a\": 1}'",
    ),
    "stage_tally": (
        "customer_id uuid, type_id int, n bigint, first_at timestamptz, last_at timestamptz, revenue numeric",
        "gen_random_uuid(), g % 5, 1, now(), now(), g",
    ),
}


def prepare_stages(connection: Connection) -> None:
    """Make the stages of this connection."""
    for table, (columns, sample) in STAGES.items():
        prepare(connection, table, columns, sample)


# --- Claim -------------------------------------------------------------------------------------

SERIAL_ROWS = 50

# The limit is in operations: requests differ a thousandfold in size, so the largest among the first
# rows sets how many rows make a batch. A row that is being applied elsewhere is skipped.
#
# A serial row is taken only when nothing older is being applied elsewhere, and nothing newer than one that
# is being applied elsewhere is taken at all: so it has its place in the order of everything. Each costs as much
# as a batch of others, so only so many are taken at once: a transaction stays short, and a kill costs little.
# Rows that are locked here and not taken wait for the end of it. As a rule there is no serial row, and the
# middle parts do not run.
_CLAIM = """
WITH free AS MATERIALIZED (
  SELECT id, is_serial FROM inbox ORDER BY id
  LIMIT (SELECT greatest(1, %(operations)s / greatest(1, max(n))) FROM (SELECT n FROM inbox ORDER BY id LIMIT 100) h)
  FOR UPDATE SKIP LOCKED
), barrier AS MATERIALIZED (
  SELECT min(s.id) AS id FROM inbox s
  WHERE s.is_serial AND s.id <= (SELECT max(id) FROM free) AND EXISTS (
    SELECT FROM inbox older
    WHERE older.id <= s.id AND NOT EXISTS (SELECT FROM free WHERE free.id = older.id))
), enough AS MATERIALIZED (
  SELECT id FROM free WHERE is_serial ORDER BY id OFFSET %(serial)s LIMIT 1
)
DELETE FROM inbox
WHERE id = ANY(ARRAY(SELECT id FROM free))
  AND id < coalesce(least((SELECT id FROM barrier), (SELECT id FROM enough)), 9223372036854775807)
RETURNING id, workspace_id, route, n, received_at, raw_body, is_serial, token_id
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An inbox row that this transaction took."""

    id: int
    workspace_id: int
    route: str
    n: int
    received_at: datetime
    body: str
    is_serial: bool = False
    token_id: int | None = None


def claim(connection: Connection, operations: int) -> list[Claimed]:
    """Take waiting requests of about so many operations, oldest first."""
    limits = {"operations": operations, "serial": SERIAL_ROWS}
    rows = [Claimed(*row) for row in connection.execute(_CLAIM, limits)]
    return sorted(rows, key=lambda row: row.id)


# --- Events ------------------------------------------------------------------------------------

# What comes back are the rows that were new; so a repeat is counted nowhere.
_STORE_EVENTS = """
WITH source AS MATERIALIZED (
  SELECT customer_id, ts, id, type_id, received_at, revenue, props FROM stage_event ORDER BY customer_id, ts, id
), stored AS (
  INSERT INTO event (customer_id, ts, id, type_id, received_at, revenue, raw_props)
  SELECT customer_id, ts, id, type_id, received_at, revenue, props FROM source
  ON CONFLICT DO NOTHING RETURNING customer_id, type_id, ts, revenue
)
INSERT INTO stage_tally
SELECT customer_id, type_id, count(*), min(ts), max(ts), sum(revenue) FROM stored GROUP BY customer_id, type_id
"""
_COUNT = """
INSERT INTO event_counter AS c (customer_id, type_id, n, first_at, last_at, revenue)
SELECT customer_id, type_id, n, first_at, last_at, revenue FROM stage_tally ORDER BY customer_id, type_id
ON CONFLICT (customer_id, type_id) DO UPDATE SET
  n = c.n + excluded.n,
  first_at = least(c.first_at, excluded.first_at),
  last_at = greatest(c.last_at, excluded.last_at),
  revenue = coalesce(c.revenue + excluded.revenue, c.revenue, excluded.revenue)
"""
# In one statement: customers locked in two steps, each in order, could still be crossed by another worker.
_NOTE_CUSTOMERS = """
WITH told AS MATERIALIZED (
  SELECT customer_id, min(first_at) AS first_at, max(last_at) AS last_at, max(changed_at) AS changed_at FROM (
    SELECT customer_id, first_at, last_at, NULL::timestamptz AS changed_at FROM stage_tally
    UNION ALL SELECT customer_id, NULL, NULL, %(at)s FROM unnest(%(changed)s::uuid[]) AS c (customer_id)) one
  GROUP BY customer_id
), locked AS MATERIALIZED (
  SELECT c.id FROM customer c JOIN told t ON t.customer_id = c.id
  WHERE c.last_seen < t.last_at OR c.first_seen > t.first_at OR c.updated_at < t.changed_at
  ORDER BY c.id FOR UPDATE OF c
)
UPDATE customer c
SET first_seen = least(c.first_seen, t.first_at), last_seen = greatest(c.last_seen, t.last_at),
    updated_at = greatest(c.updated_at, t.changed_at),
    state = CASE WHEN c.state = 'anonymous' AND c.id = ANY(%(identified)s::uuid[]) THEN 'active' ELSE c.state END
FROM told t, locked l WHERE c.id = l.id AND t.customer_id = c.id
"""


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event ready for the table."""

    workspace_id: int
    customer_id: UUID
    ts: datetime
    id: UUID
    type_id: int
    received_at: datetime
    revenue: Decimal | None
    props: dict[str, json.Json]


def store_events(connection: Connection, events: Iterable[EventRow]) -> dict[int, int]:
    """Insert the events that are new; returns how many, by number of the definition."""
    copy_lines(
        connection,
        "stage_event",
        (
            f"{e.customer_id}\t{e.ts}\t{e.id}\t{e.type_id}\t{e.received_at}"
            f"\t{NULL if e.revenue is None else e.revenue}\t{escape(json.encode(e.props).decode())}"
            for e in events
        ),
    )
    connection.execute(_STORE_EVENTS)
    return {
        type_id: int(n) for type_id, n in connection.execute("SELECT type_id, sum(n) FROM stage_tally GROUP BY type_id")
    }


def count_events(connection: Connection) -> None:
    """Add the new events to the counters of their customers."""
    connection.execute(_COUNT)


def note_customers(
    connection: Connection, changed: Collection[UUID], identified: Collection[UUID], at: datetime
) -> None:
    """Widen first and last seen by the new events, and note who changed and who is no longer anonymous.

    Whoever is ``identified`` has changed, too.
    """
    parameters = {"changed": array(changed), "identified": array(identified), "at": at}
    connection.execute(_NOTE_CUSTOMERS, parameters)


_MARK_DIRTY = """
INSERT INTO dirty_customer (id, customer_id, at, reason)
SELECT * FROM unnest(%s::uuid[], %s::uuid[]) AS d (id, customer_id), (VALUES (%s::timestamptz, 'ingest')) AS v
"""


def mark_dirty(connection: Connection, ids: Collection[UUID], customers: Collection[UUID], at: datetime) -> None:
    """Note that memberships of these customers may have changed; ``ids`` are fresh UUIDv7, one each."""
    connection.execute(_MARK_DIRTY, [array(ids), array(customers), at])


# --- Client ids without a time -------------------------------------------------------------------

_SEEN_IDS = """
SELECT s.workspace_id, s.client_id FROM unnest(%s::int[], %s::uuid[]) AS k (workspace_id, client_id)
JOIN event_seen s USING (workspace_id, client_id)
"""
_REMEMBER = """
INSERT INTO event_seen (workspace_id, client_id, day, ts, customer_id)
SELECT k.workspace_id, k.client_id, d.day, k.ts, k.customer_id
FROM unnest(%(workspaces)s::int[], %(ids)s::uuid[], %(times)s::timestamptz[], %(customers)s::uuid[])
       AS k (workspace_id, client_id, ts, customer_id), unnest(%(days)s::date[]) AS d (day)
ORDER BY k.workspace_id, k.client_id, d.day ON CONFLICT DO NOTHING RETURNING workspace_id, client_id, day
"""
# Retries that two workers apply at once, one on each side of midnight, meet on a day they share.
MIDNIGHT_MARGIN = timedelta(minutes=10)


def days_of(now: datetime) -> list[date]:
    """The days under which a client id is remembered now: two of them near midnight."""
    now = now.astimezone(UTC)
    return sorted({(now - MIDNIGHT_MARGIN).date(), (now + MIDNIGHT_MARGIN).date()})


def remember_ids(connection: Connection, events: list[EventRow], now: datetime) -> list[EventRow]:
    """Those of the events whose client id was not seen before; they are remembered."""
    by_id = {(event.workspace_id, event.id): event for event in reversed(events)}
    keys = list(by_id)
    known = connection.execute(_SEEN_IDS, [array(k[0] for k in keys), array(k[1] for k in keys)]).fetchall()
    for key in known:
        by_id.pop((key[0], key[1]), None)
    if not by_id:
        return []
    fresh = list(by_id.values())
    days = days_of(now)
    stored = connection.execute(
        _REMEMBER,
        {
            "workspaces": array(event.workspace_id for event in fresh),
            "ids": array(event.id for event in fresh),
            "times": "{" + ",".join(f'"{event.ts}"' for event in fresh) + "}",
            "customers": array(event.customer_id for event in fresh),
            "days": days,
        },
    ).fetchall()
    counts: dict[tuple[int, UUID], int] = {}
    for workspace_id, client_id, _day in stored:
        counts[workspace_id, client_id] = counts.get((workspace_id, client_id), 0) + 1
    return [event for key, event in by_id.items() if counts.get(key) == len(days)]


# --- Totals and quarantine -----------------------------------------------------------------------

_ADD_TOTALS = """
INSERT INTO intake_total AS t
  (workspace_id, day, slot, accepted, applied, duplicate, suppressed, ignored, quarantined)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (workspace_id, day, slot) DO UPDATE SET
  accepted = t.accepted + excluded.accepted, applied = t.applied + excluded.applied,
  duplicate = t.duplicate + excluded.duplicate, suppressed = t.suppressed + excluded.suppressed,
  ignored = t.ignored + excluded.ignored, quarantined = t.quarantined + excluded.quarantined
"""


@dataclass(slots=True)
class Totals:
    """What became of the operations of one workspace."""

    accepted: int = 0
    applied: int = 0
    duplicate: int = 0
    suppressed: int = 0
    ignored: int = 0
    quarantined: int = 0

    def count(self, outcome: str) -> None:
        """One more of this outcome, a name of ours."""
        setattr(self, outcome, getattr(self, outcome) + 1)

    def add(self, other: "Totals") -> None:
        """Sum up."""
        self.accepted += other.accepted
        self.applied += other.applied
        self.duplicate += other.duplicate
        self.suppressed += other.suppressed
        self.ignored += other.ignored
        self.quarantined += other.quarantined


def add_totals(connection: Connection, slot: int, day: date, totals: dict[int, Totals]) -> None:
    """Add to the totals of this worker's own rows, so that workers do not wait for each other."""
    for workspace_id, t in sorted(totals.items()):
        connection.execute(
            _ADD_TOTALS,
            [workspace_id, day, slot, t.accepted, t.applied, t.duplicate, t.suppressed, t.ignored, t.quarantined],
        )


_QUARANTINE = """
INSERT INTO quarantine (workspace_id, route, received_at, at, reason, raw_body) VALUES (%s, %s, %s, %s, %s, %s)
"""


def quarantine(connection: Connection, item: Claimed, body: str, reason: str, at: datetime) -> None:
    """Keep an operation that cannot be applied, with a reason that holds no value."""
    connection.execute(_QUARANTINE, [item.workspace_id, item.route, item.received_at, at, reason, body])


_QUARANTINED = "SELECT id, raw_body FROM quarantine WHERE workspace_id = %s"


def forget_quarantined(connection: Connection, workspace_id: int, is_barred: Callable[[Operation], bool]) -> int:
    """Remove what waits in the quarantine and names somebody who is barred now; returns how much."""
    rows = connection.execute(_QUARANTINED, [workspace_id]).fetchall()
    gone = [id_ for id_, body in rows if any(map(is_barred, _readable(body)))]
    connection.execute("DELETE FROM quarantine WHERE id = ANY(%s::bigint[])", [array(gone)])
    return len(gone)


def _readable(body: str) -> list[Operation]:
    try:
        return decode(body)
    except msgspec.MsgspecError:
        return []
