"""Anonymous customers go when they were silent for as long as their workspace keeps them.

Few at a time, each time alone in the workspace: ingestion waits for one small transaction, not for all of them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from customers.writing import audit, erase, locks
from rolodesk.database import Connection
from rolodesk.staging import array
from tracking.intake.times import EPOCH

BATCH = 50
ACTION, FACE = "anonymous.expired", "system"

_KEEPING = "SELECT id, anonymous_kept_days FROM workspace WHERE anonymous_kept_days IS NOT NULL ORDER BY id"
# Along the index of the list, the longest unseen first; nobody is looked at twice.
_UNSEEN = """
SELECT last_seen, id FROM customer
WHERE workspace_id = %(workspace)s AND last_seen < %(before)s AND (last_seen, id) > (%(last_seen)s, %(id)s)
  AND state = 'anonymous'
ORDER BY last_seen, id LIMIT %(limit)s
"""
# Judged again under the lock: one may have made himself known meanwhile. What was received lately counts as a
# sign of life, however long ago it happened.
_SILENT = """
SELECT c.id FROM customer c
WHERE c.id = ANY(%(ids)s::uuid[]) AND c.state = 'anonymous' AND c.last_seen < %(before)s AND NOT EXISTS (
  SELECT FROM event e
  WHERE e.customer_id = c.id AND e.ts >= c.first_seen AND e.ts <= c.last_seen AND e.received_at >= %(before)s)
ORDER BY c.id
"""


def forget_anonymous(connection: Connection, now: datetime) -> dict[int, int]:
    """How many went, by workspace. Safe to repeat, and to run twice at once."""
    gone: dict[int, int] = {}
    for workspace_id, days in connection.execute(_KEEPING).fetchall():
        before = now - timedelta(days=days)
        for ids in _unseen(connection, workspace_id, before):
            with connection.transaction():
                locks.own(connection, [workspace_id])
                silent = connection.execute(_SILENT, {"ids": array(ids), "before": before}).fetchall()
                for (customer_id,) in silent:
                    erase.delete(connection, workspace_id, customer_id, now)
                if silent:
                    facts = {"count": len(silent), "days": days}
                    audit.record(connection, ACTION, workspace_id, FACE, None, (), facts)
            gone[workspace_id] = gone.get(workspace_id, 0) + len(silent)
    return gone


def _unseen(connection: Connection, workspace_id: int, before: datetime) -> Iterator[list[UUID]]:
    """Anonymous customers who were last seen before this moment, some at a time."""
    last_seen, last_id = EPOCH, UUID(int=0)
    while True:
        rows = connection.execute(
            _UNSEEN,
            {"workspace": workspace_id, "before": before, "last_seen": last_seen, "id": last_id, "limit": BATCH},
        ).fetchall()
        if not rows:
            return
        yield [id_ for _, id_ in rows]
        last_seen, last_id = rows[-1]
