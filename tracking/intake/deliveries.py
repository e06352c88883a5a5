"""Deliveries: whose message it was, and what was last reported of it."""

from datetime import datetime
from uuid import UUID

from customers.identifiers import delivery_digest
from rolodesk.database import Connection

_OWNER = "SELECT customer_id FROM delivery_lookup WHERE digest = %s AND workspace_id = %s"
_CLAIM = """
INSERT INTO delivery_lookup (digest, workspace_id, customer_id) VALUES (%(digest)s, %(workspace)s, %(customer)s)
ON CONFLICT (digest) DO NOTHING
"""
_NOTE = """
INSERT INTO delivery AS d (customer_id, digest, raw_delivery_id, channel, first_at, last_at, last_metric)
VALUES (%(customer)s, %(digest)s, %(id)s, %(channel)s, %(at)s, %(at)s, %(metric)s)
ON CONFLICT (customer_id, digest) DO UPDATE SET
  channel = coalesce(nullif(d.channel, ''), excluded.channel),
  first_at = least(d.first_at, excluded.first_at),
  last_metric = CASE WHEN excluded.last_at >= d.last_at THEN excluded.last_metric ELSE d.last_metric END,
  last_at = greatest(d.last_at, excluded.last_at)
"""


def owner(connection: Connection, workspace_id: int, delivery_id: str) -> UUID | None:
    """The customer who got this message; None: no such message in this workspace."""
    row = connection.execute(_OWNER, [delivery_digest(delivery_id), workspace_id]).fetchone()
    return row[0] if row else None


def note(
    connection: Connection,
    workspace_id: int,
    customer_id: UUID,
    *,
    delivery_id: str,
    channel: str,
    metric: str,
    at: datetime,
) -> None:
    """Keep a report; a message that nobody has named yet becomes known."""
    parameters = {
        "digest": delivery_digest(delivery_id),
        "workspace": workspace_id,
        "customer": customer_id,
        "id": delivery_id,
        "channel": channel,
        "metric": metric,
        "at": at,
    }
    connection.execute(_CLAIM, parameters)
    connection.execute(_NOTE, parameters)


_MOVE = """
WITH moved AS (
  DELETE FROM delivery WHERE customer_id = %(source)s
  RETURNING digest, raw_delivery_id, channel, first_at, last_at, last_metric
), kept AS (
  INSERT INTO delivery (customer_id, digest, raw_delivery_id, channel, first_at, last_at, last_metric)
  SELECT %(into)s::uuid, digest, raw_delivery_id, channel, first_at, last_at, last_metric FROM moved
  ON CONFLICT DO NOTHING
)
UPDATE delivery_lookup SET customer_id = %(into)s WHERE digest IN (SELECT digest FROM moved)
"""
_ERASE = """
WITH gone AS (DELETE FROM delivery WHERE customer_id = %s RETURNING digest)
DELETE FROM delivery_lookup WHERE digest IN (SELECT digest FROM gone)
"""


def merge(connection: Connection, _workspace_id: int, into: UUID, source: UUID) -> int:
    """The messages of the source become the survivor's."""
    return connection.execute(_MOVE, {"into": into, "source": source}).rowcount


def erase(connection: Connection, _workspace_id: int, customer_id: UUID) -> int:
    """Forget the messages of a customer."""
    return connection.execute(_ERASE, [customer_id]).rowcount
