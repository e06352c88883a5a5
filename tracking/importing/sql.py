"""Statements of importing: what waits, what is stored already, what went wrong."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rolodesk.database import Connection
from rolodesk.staging import array

_WAITING = """
SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE workspace_id = %s AND route = %s), 0), min(id) FROM inbox
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Operations in the inbox: all, our own; and the number of the oldest request."""

    total: int
    own: int
    oldest: int | None


def waiting(connection: Connection, workspace_id: int, route: str) -> Waiting:
    """How much waits for the workers."""
    row = connection.execute(_WAITING, [workspace_id, route]).fetchone()
    return Waiting(int(row[0]), int(row[1]), row[2]) if row else Waiting(0, 0, None)


@dataclass(frozen=True, slots=True)
class EventKey:
    """What makes an event the same: whom it is about, when, and its own id.

    With kind 0 the digest is no digest but the customer's own number.
    """

    kind_id: int
    digest: UUID
    ts: datetime
    id: UUID


# One look-up and one probe of the event's own key for each row; the partitions are pruned by the time.
_STORED = """
SELECT k.ordinal
FROM unnest(%(kinds)s::int[], %(digests)s::uuid[], %(times)s::timestamptz[], %(ids)s::uuid[])
       WITH ORDINALITY AS k (kind_id, digest, ts, id, ordinal)
LEFT JOIN identifier_lookup l ON l.workspace_id = %(workspace)s AND l.kind_id = k.kind_id AND l.digest = k.digest
JOIN event e ON e.customer_id = CASE WHEN k.kind_id = 0 THEN k.digest ELSE l.customer_id END
            AND e.ts = k.ts AND e.id = k.id
"""


def stored(connection: Connection, workspace_id: int, keys: Collection[EventKey]) -> set[int]:
    """Positions, from 0, of the keys whose event is stored already."""
    rows = connection.execute(
        _STORED,
        {
            "workspace": workspace_id,
            "kinds": array(key.kind_id for key in keys),
            "digests": array(key.digest for key in keys),
            "times": "{" + ",".join(f'"{key.ts.isoformat()}"' for key in keys) + "}",
            "ids": array(key.id for key in keys),
        },
    )
    return {ordinal - 1 for (ordinal,) in rows}


def last_quarantined(connection: Connection) -> int:
    """The number of the newest row of the quarantine."""
    row = connection.execute("SELECT coalesce(max(id), 0) FROM quarantine").fetchone()
    return int(row[0]) if row else 0


def quarantined_since(connection: Connection, workspace_id: int, route: str, after: int) -> int:
    """How many operations of ours the workers have set aside since."""
    row = connection.execute(
        "SELECT count(*) FROM quarantine WHERE workspace_id = %s AND route = %s AND id > %s",
        [workspace_id, route, after],
    ).fetchone()
    return int(row[0]) if row else 0
