"""Removing customers: deleting frees their identifiers, suppressing bars them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from customers import handlers
from customers.identifiers import suppression_digest
from customers.writing.merge import lock
from rolodesk.database import Connection

# Tombstones that led here end with it: their ids mean nothing any more.
_BURY = """
UPDATE customer SET state = 'deleted', merged_into = NULL, is_restricted = false, updated_at = %(at)s
WHERE id = %(customer)s OR merged_into = %(customer)s
"""
_IDENTIFIERS = "SELECT kind_id, raw_normal FROM customer_identifier WHERE customer_id = %s"
_BAR = """
INSERT INTO suppressed_identifier (workspace_id, kind_id, digest, key_version, at, reason, group_id)
VALUES (%s, %s, %s, 1, %s, %s, %s)
ON CONFLICT (workspace_id, kind_id, digest) DO NOTHING
"""
_FREE = """
DELETE FROM suppressed_identifier WHERE workspace_id = %(workspace)s AND (
  digest = %(digest)s OR group_id IN (
    SELECT group_id FROM suppressed_identifier WHERE workspace_id = %(workspace)s AND digest = %(digest)s))
"""
_FREE_GROUP = "DELETE FROM suppressed_identifier WHERE workspace_id = %s AND group_id = %s"


@dataclass(frozen=True, slots=True)
class Named:
    """An identifier as the suppression list knows it."""

    kind_id: int
    normal: str


def delete(connection: Connection, workspace_id: int, customer_id: UUID, at: datetime) -> bool:
    """Remove a customer and all that is known of him; the caller owns the workspace's lock.

    False: there is no such live customer, nothing was done.
    """
    if not lock(connection, workspace_id, customer_id):
        return False
    for handler in reversed(handlers.registered()):
        handler.erase(connection, workspace_id, customer_id)
    connection.execute(_BURY, {"customer": customer_id, "at": at})
    return True


def suppress(
    connection: Connection,
    workspace_id: int,
    *,
    customer_id: UUID | None,
    named: Collection[Named],
    at: datetime,
    reason: str = "",
) -> None:
    """Delete a customer, if there is one, and bar all his identifiers and those named."""
    barred = set(named)
    if customer_id is not None:
        barred |= {Named(kind, normal) for kind, normal in connection.execute(_IDENTIFIERS, [customer_id])}
        delete(connection, workspace_id, customer_id, at)
    for one in sorted(barred, key=lambda item: (item.kind_id, item.normal)):
        digest = suppression_digest(workspace_id, one.kind_id, one.normal)
        connection.execute(_BAR, [workspace_id, one.kind_id, digest, at, reason, customer_id])


def unsuppress(connection: Connection, workspace_id: int, named: Named) -> int:
    """Free an identifier with those barred together with it; returns how many were freed."""
    digest = suppression_digest(workspace_id, named.kind_id, named.normal)
    return connection.execute(_FREE, {"workspace": workspace_id, "digest": digest}).rowcount


def unsuppress_customer(connection: Connection, workspace_id: int, customer_id: UUID) -> int:
    """The same for all identifiers of the customer who had this id."""
    return connection.execute(_FREE_GROUP, [workspace_id, customer_id]).rowcount
