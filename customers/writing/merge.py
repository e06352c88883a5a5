"""Joining two customers: everything of the one goes to the other, and a tombstone leads there."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from customers import handlers
from customers.models.customer import CustomerState
from rolodesk.database import Connection

LIVE = (CustomerState.ACTIVE, CustomerState.ANONYMOUS)

_LOCK = "SELECT state FROM customer WHERE id = %s AND workspace_id = %s FOR UPDATE"
_WIDEN = """
UPDATE customer c SET
  state = least(c.state, a.state), is_restricted = c.is_restricted OR a.is_restricted,
  created_at = least(c.created_at, a.created_at), first_seen = least(c.first_seen, a.first_seen),
  last_seen = greatest(c.last_seen, a.last_seen), updated_at = %(at)s
FROM (SELECT state, is_restricted, created_at, first_seen, last_seen FROM customer WHERE id = %(source)s) a
WHERE c.id = %(into)s
"""
# Whoever was merged into the absorbed one before now leads straight to the survivor (security.md M3).
_FLATTEN = "UPDATE customer SET merged_into = %(into)s WHERE merged_into = %(source)s"
_BURY = "UPDATE customer SET state = 'merged', merged_into = %(into)s, updated_at = %(at)s WHERE id = %(source)s"


@dataclass(frozen=True, slots=True)
class Merged:
    """Two customers that became one."""

    survivor: UUID
    absorbed: UUID


def lock(connection: Connection, workspace_id: int, *customers: UUID) -> bool:
    """Lock customers one by one in the order of their ids; False: one of them is not live."""
    states = [connection.execute(_LOCK, [id_, workspace_id]).fetchone() for id_ in sorted(customers)]
    return all(row is not None and row[0] in LIVE for row in states)


def merge(connection: Connection, workspace_id: int, into: UUID, source: UUID, at: datetime) -> Merged | None:
    """Join two customers; the caller owns the workspace's lock. None: not two live ones, nothing was done."""
    if into == source or not lock(connection, workspace_id, into, source):
        return None
    for handler in handlers.registered():
        handler.merge(connection, workspace_id, into, source)
    parameters = {"into": into, "source": source, "at": at}
    # "active" sorts before "anonymous": who was known stays known.
    for statement in (_WIDEN, _FLATTEN, _BURY):
        connection.execute(statement, parameters)
    return Merged(into, source)


def older(connection: Connection, one: UUID, other: UUID) -> tuple[UUID, UUID]:
    """The two, older first: by the time of creation, then by id."""
    rows = connection.execute("SELECT id FROM customer WHERE id IN (%s, %s) ORDER BY created_at, id", [one, other])
    first, second = (id_ for (id_,) in rows)
    return first, second
