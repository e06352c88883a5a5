"""Objects and who belongs to them."""

from datetime import datetime
from uuid import UUID

import uuid_utils.compat as uuids

from customers.identifiers import object_digest
from customers.writing.attributes import parted
from rolodesk.database import Connection
from rolodesk.json import Json

_TYPE = "SELECT id FROM object_type WHERE workspace_id = %s AND number = %s"
_MAKE_TYPE = """
INSERT INTO object_type (workspace_id, number, name) VALUES (%(w)s, %(n)s, %(name)s) ON CONFLICT DO NOTHING
"""
_FIND = "SELECT object_id FROM object_lookup WHERE workspace_id = %s AND type_id = %s AND digest = %s"
_FIND_BY_ID = "SELECT id FROM object WHERE workspace_id = %s AND id = %s"
_CLAIM = """
INSERT INTO object_lookup (workspace_id, type_id, digest, object_id) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING object_id
"""
_MAKE = """
INSERT INTO object (id, workspace_id, type_id, raw_key, raw_props, created_at, updated_at)
VALUES (%(id)s, %(workspace)s, %(type)s, %(key)s, '{}', %(at)s, %(at)s)
"""
_UPDATE = """
UPDATE object SET raw_props = (raw_props || %(filled)s::jsonb) - %(removed)s::text[], updated_at = %(at)s
WHERE id = %(id)s
"""
_RELATE = """
INSERT INTO relationship AS r (customer_id, object_id, raw_attributes, created_at, updated_at)
VALUES (%(customer)s, %(object)s, %(filled)s::jsonb, %(at)s, %(at)s)
ON CONFLICT (customer_id, object_id) DO UPDATE SET
  raw_attributes = (r.raw_attributes || %(filled)s::jsonb) - %(removed)s::text[], updated_at = excluded.updated_at
"""


def make_type(connection: Connection, workspace_id: int, number: int) -> int:
    """The id of a type; an unknown number gets a type with a name to be bettered by people."""
    row = connection.execute(_TYPE, [workspace_id, number]).fetchone()
    if row is None:
        connection.execute(_MAKE_TYPE, {"w": workspace_id, "n": number, "name": f"Object type {number}"})
        row = connection.execute(_TYPE, [workspace_id, number]).fetchone()
    assert row is not None  # noqa: S101  # just made; types are never deleted by the write gate
    return int(row[0])


def find(connection: Connection, workspace_id: int, number: int, key: str) -> UUID | None:
    """An object by type and key, or (type 0) by its own id in text."""
    if number == 0:
        row = connection.execute(_FIND_BY_ID, [workspace_id, UUID(key)]).fetchone()
        return row[0] if row else None
    type_ = connection.execute(_TYPE, [workspace_id, number]).fetchone()
    if type_ is None:
        return None
    row = connection.execute(_FIND, [workspace_id, type_[0], object_digest(workspace_id, type_[0], key)]).fetchone()
    return row[0] if row else None


def find_or_make(connection: Connection, workspace_id: int, number: int, key: str, at: datetime) -> UUID | None:
    """The same; a missing object is made, unless it is named by its own id."""
    found = find(connection, workspace_id, number, key)
    if found is not None or number == 0:
        return found
    type_id = make_type(connection, workspace_id, number)
    new = uuids.uuid7()
    claim = [workspace_id, type_id, object_digest(workspace_id, type_id, key), new]
    if connection.execute(_CLAIM, claim).fetchone() is None:  # another writer was first
        return find(connection, workspace_id, number, key)
    connection.execute(_MAKE, {"id": new, "workspace": workspace_id, "type": type_id, "key": key, "at": at})
    return new


def update(connection: Connection, object_id: UUID, attributes: dict[str, Json], at: datetime) -> None:
    """Set attributes; null and the empty text remove."""
    if attributes:
        connection.execute(_UPDATE, {"id": object_id, "at": at, **parted(attributes)})


def relate(
    connection: Connection, customer_id: UUID, object_id: UUID, attributes: dict[str, Json], at: datetime
) -> None:
    """Put a customer into an object, or change the attributes of that."""
    parameters = {"customer": customer_id, "object": object_id, "at": at, **parted(attributes)}
    connection.execute(_RELATE, parameters)


def unrelate(connection: Connection, customer_id: UUID, object_id: UUID) -> bool:
    """Take a customer out of an object; False: he was not in it."""
    statement = "DELETE FROM relationship WHERE customer_id = %s AND object_id = %s"
    return connection.execute(statement, [customer_id, object_id]).rowcount > 0


def drop(connection: Connection, workspace_id: int, object_id: UUID) -> None:
    """Remove an object with its relationships."""
    connection.execute("DELETE FROM relationship WHERE object_id = %s", [object_id])
    connection.execute(
        "DELETE FROM object_lookup WHERE workspace_id = %s AND object_id = %s", [workspace_id, object_id]
    )
    connection.execute("DELETE FROM object WHERE id = %s", [object_id])


_MOVE = """
WITH moved AS (
  DELETE FROM relationship WHERE customer_id = %(source)s RETURNING object_id, raw_attributes, created_at, updated_at
)
INSERT INTO relationship (customer_id, object_id, raw_attributes, created_at, updated_at)
SELECT %(into)s::uuid, object_id, raw_attributes, created_at, updated_at FROM moved
ON CONFLICT DO NOTHING
"""


def merge(connection: Connection, _workspace_id: int, into: UUID, source: UUID) -> int:
    """Relationships that the survivor lacks go to him; those he has keep their attributes."""
    return connection.execute(_MOVE, {"into": into, "source": source}).rowcount


def erase(connection: Connection, _workspace_id: int, customer_id: UUID) -> int:
    """Take a customer out of all objects."""
    return connection.execute("DELETE FROM relationship WHERE customer_id = %s", [customer_id]).rowcount
