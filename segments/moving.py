"""Memberships when a customer is merged or erased, and which of them programs may change."""

from uuid import UUID

from rolodesk.database import Connection

# Manual memberships come along, but for those that open personal data: nobody may see more than before
# (security.md M8). Rules are evaluated anew.
_MOVE_MEMBERS = """
WITH moved AS (
  DELETE FROM segment_member WHERE customer_id = %(source)s RETURNING segment_id, entered_at, generation
)
INSERT INTO segment_member (segment_id, customer_id, entered_at, generation)
SELECT m.segment_id, %(into)s::uuid, m.entered_at, m.generation
FROM moved m JOIN segment s ON s.id = m.segment_id WHERE s.kind = 'manual' AND NOT s.is_access_scope
ON CONFLICT DO NOTHING
"""
_MOVE_CHANGES = """
WITH moved AS (
  DELETE FROM segment_change WHERE customer_id = %(source)s RETURNING at, segment_id, entered
)
INSERT INTO segment_change (customer_id, at, segment_id, entered)
SELECT %(into)s::uuid, at, segment_id, entered FROM moved
ON CONFLICT DO NOTHING
"""
_CHANGEABLE = """
SELECT FROM segment WHERE id = %s AND workspace_id = %s AND kind = 'manual' AND NOT is_access_scope
"""


def merge(connection: Connection, _workspace_id: int, into: UUID, source: UUID) -> int:
    """Move manual memberships and the history."""
    parameters = {"into": into, "source": source}
    connection.execute(_MOVE_CHANGES, parameters)
    return connection.execute(_MOVE_MEMBERS, parameters).rowcount


def erase(connection: Connection, _workspace_id: int, customer_id: UUID) -> int:
    """Remove memberships and history."""
    connection.execute("DELETE FROM segment_change WHERE customer_id = %s", [customer_id])
    return connection.execute("DELETE FROM segment_member WHERE customer_id = %s", [customer_id]).rowcount


def is_changeable(connection: Connection, workspace_id: int, segment_id: int) -> bool:
    """Whether programs may change who is in a segment: it is manual and opens nothing."""
    return connection.execute(_CHANGEABLE, [segment_id, workspace_id]).fetchone() is not None
