"""Events and what is counted of them when a customer is merged or erased."""

from uuid import UUID

from rolodesk.database import Connection

# Both ends of the time are named, so months in which nothing happened are not touched.
_SPAN = """
ts >= (SELECT first_seen FROM customer WHERE id = {0}) AND ts <= (SELECT last_seen FROM customer WHERE id = {0})
"""
_MOVE_EVENTS = f"""
WITH moved AS (
  DELETE FROM event WHERE customer_id = %(source)s AND {_SPAN.format("%(source)s")}
  RETURNING ts, id, type_id, received_at, revenue, raw_props
)
INSERT INTO event (customer_id, ts, id, type_id, received_at, revenue, raw_props)
SELECT %(into)s::uuid, ts, id, type_id, received_at, revenue, raw_props FROM moved
ON CONFLICT DO NOTHING
"""  # noqa: S608  # a constant of ours
# Counted anew, not added up: an event that both had counts once.
_COUNT = """
INSERT INTO event_counter (customer_id, type_id, n, first_at, last_at, revenue)
SELECT %(into)s::uuid, type_id, count(*), min(ts), max(ts), sum(revenue) FROM event
WHERE customer_id = %(into)s AND ts >= %(first)s AND ts <= %(last)s GROUP BY type_id
"""
_BOTH = "SELECT min(first_seen), max(last_seen) FROM customer WHERE id IN (%(into)s, %(source)s)"
_ERASE_EVENTS = f"DELETE FROM event WHERE customer_id = %(customer)s AND {_SPAN.format('%(customer)s')}"  # noqa: S608
_DIRTY = "DELETE FROM dirty_customer WHERE customer_id = %s"


def merge(connection: Connection, _workspace_id: int, into: UUID, source: UUID) -> int:
    """All events become the survivor's (security.md M1)."""
    parameters = {"into": into, "source": source}
    moved = connection.execute(_MOVE_EVENTS, parameters).rowcount
    row = connection.execute(_BOTH, parameters).fetchone()
    first, last = row or (None, None)
    connection.execute("DELETE FROM event_counter WHERE customer_id IN (%(into)s, %(source)s)", parameters)
    connection.execute(_COUNT, {**parameters, "first": first, "last": last})
    connection.execute(_DIRTY, [source])
    return moved


def erase(connection: Connection, _workspace_id: int, customer_id: UUID) -> int:
    """Remove events and counters."""
    connection.execute("DELETE FROM event_counter WHERE customer_id = %s", [customer_id])
    connection.execute(_DIRTY, [customer_id])
    return connection.execute(_ERASE_EVENTS, {"customer": customer_id}).rowcount


def erase_seen(connection: Connection, workspace_id: int, customer_id: UUID) -> int:
    """Forget whose the remembered client ids were; the ids stay, so that a retry is still recognised."""
    statement = "UPDATE event_seen SET customer_id = %s WHERE workspace_id = %s AND customer_id = %s"
    return connection.execute(statement, [UUID(int=0), workspace_id, customer_id]).rowcount
