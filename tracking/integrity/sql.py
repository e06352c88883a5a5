"""Statements of the integrity check. Each gives two numbers: rows looked at, and rows that are wrong."""

from collections.abc import Iterator
from uuid import UUID

from psycopg import sql

from rolodesk.database import Connection

BATCH = 5000

_DANGLING = sql.SQL("""
SELECT count(*), count(*) FILTER (WHERE t.id IS NULL) FROM {table} s LEFT JOIN {target} t ON t.id = s.{column}
""")

# The zero id: somebody it was, and he is erased (tracking.intake.moving.erase_seen).
_FORGOTTEN = sql.SQL("""
SELECT count(*), count(*) FILTER (WHERE c.id IS NULL AND s.customer_id <> '00000000-0000-0000-0000-000000000000')
FROM {table} s LEFT JOIN customer c ON c.id = s.customer_id
""")

# M1, S1: whatever belongs to a customer belongs to a live one.
_ORPHANED = sql.SQL("""
SELECT count(*), count(*) FILTER (WHERE c.id IS NULL OR c.state NOT IN ('active', 'anonymous'))
FROM {table} s LEFT JOIN customer c ON c.id = s.customer_id
""")

# M11: nothing of one workspace refers to anything of another.
_FOREIGN = sql.SQL("""
SELECT count(*), count(*) FILTER (WHERE c.workspace_id <> t.workspace_id)
FROM {table} s JOIN customer c ON c.id = s.customer_id JOIN {target} t ON t.id = s.{column}
""")

_WORKSPACES = sql.SQL("""
SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE w.id IS NULL), 0)
FROM (SELECT workspace_id, count(*) AS n FROM {table} GROUP BY workspace_id) s
LEFT JOIN workspace w ON w.id = s.workspace_id
""")

STATEMENTS = {
    "customer: has a profile": """
        SELECT count(*), count(*) FILTER (WHERE p.customer_id IS NULL)
        FROM customer c LEFT JOIN customer_profile p ON p.customer_id = c.id WHERE c.state IN ('active', 'anonymous')
    """,
    # M3: merges form a forest of depth 1, so that one step always leads to the live record.
    "customer: merged into a live one of its workspace": """
        SELECT count(*), count(*) FILTER (WHERE t.id IS NULL OR t.merged_into IS NOT NULL OR t.id = c.id
                                            OR t.workspace_id <> c.workspace_id)
        FROM customer c LEFT JOIN customer t ON t.id = c.merged_into WHERE c.merged_into IS NOT NULL
    """,
    "customer: merged exactly if it names a survivor": """
        SELECT count(*), count(*) FILTER (WHERE (state = 'merged') <> (merged_into IS NOT NULL)) FROM customer
    """,
    "customer_identifier: stands in the look-up": """
        SELECT count(*), count(*) FILTER (WHERE l.digest IS NULL OR l.customer_id <> i.customer_id)
        FROM customer_identifier i JOIN identifier_kind k ON k.id = i.kind_id
        LEFT JOIN identifier_lookup l
          ON l.workspace_id = k.workspace_id AND l.kind_id = i.kind_id AND l.digest = i.digest
    """,
    "identifier_lookup: stands with its customer": """
        SELECT count(*), count(*) FILTER (WHERE i.customer_id IS NULL)
        FROM identifier_lookup l LEFT JOIN customer_identifier i
          ON i.customer_id = l.customer_id AND i.kind_id = l.kind_id AND i.digest = l.digest
    """,
    "identifier_lookup: workspace is that of the customer": """
        SELECT count(*), count(*) FILTER (WHERE c.workspace_id <> l.workspace_id OR k.workspace_id <> l.workspace_id)
        FROM identifier_lookup l JOIN customer c ON c.id = l.customer_id JOIN identifier_kind k ON k.id = l.kind_id
    """,
    "device: stands in the look-up": """
        SELECT count(*), count(*) FILTER (WHERE l.customer_id IS DISTINCT FROM d.customer_id)
        FROM device d JOIN customer c ON c.id = d.customer_id
        LEFT JOIN device_lookup l ON l.workspace_id = c.workspace_id AND l.digest = d.digest
    """,
    "device_lookup: stands with its customer": """
        SELECT count(*), count(*) FILTER (WHERE d.customer_id IS NULL)
        FROM device_lookup l LEFT JOIN device d ON d.customer_id = l.customer_id AND d.digest = l.digest
    """,
    "delivery: stands in the look-up": """
        SELECT count(*), count(*) FILTER (WHERE l.customer_id IS DISTINCT FROM d.customer_id)
        FROM delivery d LEFT JOIN delivery_lookup l ON l.digest = d.digest
    """,
    "delivery_lookup: stands with its customer": """
        SELECT count(*), count(*) FILTER (WHERE d.customer_id IS NULL)
        FROM delivery_lookup l LEFT JOIN delivery d ON d.customer_id = l.customer_id AND d.digest = l.digest
    """,
    "object: stands in the look-up": """
        SELECT count(*), count(*) FILTER (WHERE l.object_id IS NULL)
        FROM object o LEFT JOIN object_lookup l
          ON l.workspace_id = o.workspace_id AND l.type_id = o.type_id AND l.object_id = o.id
    """,
    "object_lookup: object exists": """
        SELECT count(*), count(*) FILTER (WHERE o.id IS NULL)
        FROM object_lookup l LEFT JOIN object o ON o.id = l.object_id
    """,
    "relationship: object is of the customer's workspace": """
        SELECT count(*), count(*) FILTER (WHERE o.workspace_id IS DISTINCT FROM c.workspace_id)
        FROM relationship r JOIN customer c ON c.id = r.customer_id LEFT JOIN object o ON o.id = r.object_id
    """,
    "event_counter: equals the events": """
        WITH counted AS MATERIALIZED (
          SELECT customer_id, type_id, count(*) AS n, min(ts) AS first_at, max(ts) AS last_at, sum(revenue) AS revenue
          FROM event GROUP BY customer_id, type_id
        )
        SELECT count(*), count(*) FILTER (
          WHERE (c.n, c.first_at, c.last_at, c.revenue) IS DISTINCT FROM (e.n, e.first_at, e.last_at, e.revenue))
        FROM event_counter c FULL JOIN counted e USING (customer_id, type_id)
    """,
    "event: within the time that the customer was seen": """
        SELECT count(*), count(*) FILTER (WHERE e.first_at < c.first_seen OR e.last_at > c.last_seen)
        FROM event_counter e JOIN customer c ON c.id = e.customer_id WHERE c.state IN ('active', 'anonymous')
    """,
    # I5: whatever was accepted and no longer waits is accounted for.
    "intake_total: accepted is accounted for": """
        SELECT count(*), count(*) FILTER (
          WHERE accepted <> applied + duplicate + suppressed + ignored + quarantined) FROM intake_total
    """,
}

_FIGURES = """
SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM customer_identifier), (SELECT count(*) FROM event),
       (SELECT count(*) FROM event_counter), (SELECT count(*) FROM segment_member),
       (SELECT coalesce(sum(n), 0) FROM inbox), (SELECT count(*) FROM quarantine),
       coalesce(sum(accepted), 0), coalesce(sum(applied), 0), coalesce(sum(duplicate), 0),
       coalesce(sum(suppressed), 0), coalesce(sum(ignored), 0), coalesce(sum(quarantined), 0)
FROM intake_total
"""
FIGURES = (
    "customers", "identifiers", "events", "event counters", "segment members", "inbox waiting", "quarantine",
    "intake accepted", "intake applied", "intake duplicate", "intake suppressed", "intake ignored",
    "intake quarantined",
)  # fmt: skip

_EVENTS_BY_NAME = """
SELECT coalesce(d.name, '?'), sum(e.n)
FROM (SELECT type_id, count(*) AS n FROM event GROUP BY type_id) e LEFT JOIN event_definition d ON d.id = e.type_id
GROUP BY 1 ORDER BY 2 DESC, 1
"""

_IDENTIFIERS = """
SELECT k.workspace_id, i.kind_id, i.raw_normal, i.digest
FROM customer_identifier i JOIN identifier_kind k ON k.id = i.kind_id
"""


def pair(connection: Connection, statement: str | sql.Composed) -> tuple[int, int]:
    """The two numbers of a statement."""
    composed = sql.SQL(statement) if isinstance(statement, str) else statement
    row = connection.execute(composed).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def dangling(connection: Connection, table: str, target: str, column: str = "customer_id") -> tuple[int, int]:
    """Rows whose column names no row of the target."""
    return pair(connection, _fill(_DANGLING, table, target, column))


def forgotten(connection: Connection, table: str) -> tuple[int, int]:
    """Rows whose customer never was; those of an erased one are nobody's."""
    return pair(connection, _FORGOTTEN.format(table=sql.Identifier(table)))


def orphaned(connection: Connection, table: str) -> tuple[int, int]:
    """Rows of customers that are not there, or are merged away or deleted."""
    return pair(connection, _ORPHANED.format(table=sql.Identifier(table)))


def foreign(connection: Connection, table: str, target: str, column: str) -> tuple[int, int]:
    """Rows whose target belongs to another workspace than their customer."""
    return pair(connection, _fill(_FOREIGN, table, target, column))


def unknown_workspaces(connection: Connection, table: str) -> tuple[int, int]:
    """Rows whose workspace does not exist."""
    return pair(connection, _WORKSPACES.format(table=sql.Identifier(table)))


def figures(connection: Connection) -> dict[str, int]:
    """How much there is of everything."""
    row = connection.execute(_FIGURES).fetchone()
    return dict(zip(FIGURES, map(int, row), strict=True)) if row else {}


def events_by_name(connection: Connection) -> list[tuple[str, int]]:
    """Events by the name of their definition, most frequent first."""
    return [(name, int(n)) for name, n in connection.execute(_EVENTS_BY_NAME)]


def identifiers(connection: Connection) -> Iterator[tuple[int, int, str, UUID]]:
    """Workspace, kind, normal form and stored digest of every identifier, streamed."""
    with connection.cursor(name="identifiers") as cursor:
        cursor.itersize = BATCH
        cursor.execute(_IDENTIFIERS)
        yield from cursor


def _fill(statement: sql.SQL, table: str, target: str, column: str) -> sql.Composed:
    return statement.format(table=sql.Identifier(table), target=sql.Identifier(target), column=sql.Identifier(column))
