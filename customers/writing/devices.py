"""Devices: a token is on one customer, and comes along when he signs in elsewhere."""

from datetime import datetime
from uuid import UUID

from customers.identifiers import token_digest
from customers.writing.attributes import parted
from rolodesk import json
from rolodesk.database import Connection

# Who has the token now keeps his row until it is moved below.
_CLAIM = """
INSERT INTO device_lookup AS l (workspace_id, digest, customer_id) VALUES (%(workspace)s, %(digest)s, %(customer)s)
ON CONFLICT (workspace_id, digest) DO UPDATE SET customer_id = excluded.customer_id
"""
_TAKE_AWAY = """
DELETE FROM device WHERE digest = %(digest)s AND customer_id <> %(customer)s AND customer_id = (
  SELECT customer_id FROM device_lookup WHERE workspace_id = %(workspace)s AND digest = %(digest)s)
"""
# An older report of the same device does not undo a newer one; attributes that are not named stay.
_PUT = """
INSERT INTO device AS d (customer_id, digest, raw_token, platform, last_used, raw_attributes)
VALUES (%(customer)s, %(digest)s, %(token)s, %(platform)s, %(at)s, %(filled)s::jsonb)
ON CONFLICT (customer_id, digest) DO UPDATE SET
  platform = CASE WHEN excluded.last_used >= d.last_used THEN excluded.platform ELSE d.platform END,
  raw_attributes = CASE WHEN excluded.last_used >= d.last_used
                        THEN (d.raw_attributes || excluded.raw_attributes) - %(removed)s::text[]
                        ELSE excluded.raw_attributes || d.raw_attributes END,
  last_used = greatest(excluded.last_used, d.last_used)
"""
_DROP = """
WITH dropped AS (
  DELETE FROM device WHERE customer_id = %(customer)s AND digest = %(digest)s RETURNING digest
)
DELETE FROM device_lookup WHERE workspace_id = %(workspace)s AND digest IN (SELECT digest FROM dropped)
"""


def put(
    connection: Connection,
    workspace_id: int,
    customer_id: UUID,
    *,
    token: str,
    platform: str,
    last_used: datetime,
    attributes: dict[str, json.Json],
) -> None:
    """Add or update a device; whoever had the token before loses it. Null and the empty text remove attributes."""
    parameters = {
        "workspace": workspace_id,
        "customer": customer_id,
        "digest": token_digest(workspace_id, token),
        "token": token,
        "platform": platform,
        "at": last_used,
        **parted(attributes),
    }
    for statement in (_TAKE_AWAY, _CLAIM, _PUT):
        connection.execute(statement, parameters)


def drop(connection: Connection, workspace_id: int, customer_id: UUID, token: str) -> bool:
    """Remove a device of this customer; False: he has no such device."""
    digest = token_digest(workspace_id, token)
    parameters = {"workspace": workspace_id, "customer": customer_id, "digest": digest}
    return connection.execute(_DROP, parameters).rowcount > 0


_MOVE = """
WITH moved AS (
  DELETE FROM device WHERE customer_id = %(source)s
  RETURNING digest, raw_token, platform, last_used, raw_attributes
), kept AS (
  INSERT INTO device (customer_id, digest, raw_token, platform, last_used, raw_attributes)
  SELECT %(into)s::uuid, digest, raw_token, platform, last_used, raw_attributes FROM moved
  ON CONFLICT DO NOTHING
)
UPDATE device_lookup SET customer_id = %(into)s
WHERE workspace_id = %(workspace)s AND digest IN (SELECT digest FROM moved)
"""
_ERASE = """
WITH gone AS (DELETE FROM device WHERE customer_id = %(customer)s RETURNING digest)
DELETE FROM device_lookup WHERE workspace_id = %(workspace)s AND digest IN (SELECT digest FROM gone)
"""


def merge(connection: Connection, workspace_id: int, into: UUID, source: UUID) -> int:
    """All devices of the source go to the survivor."""
    return connection.execute(_MOVE, {"workspace": workspace_id, "into": into, "source": source}).rowcount


def erase(connection: Connection, workspace_id: int, customer_id: UUID) -> int:
    """Remove all devices of a customer."""
    return connection.execute(_ERASE, {"workspace": workspace_id, "customer": customer_id}).rowcount
