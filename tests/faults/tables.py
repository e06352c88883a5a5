"""What the tables hold after a fault run, all of it read in one snapshot."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg import sql

from rolodesk.database import Connection, connect
from tests.faults.people import TOKEN

_EVENTS = "SELECT raw_props ->> 'marker', customer_id FROM event WHERE raw_props ? 'marker'"
_NAMES = """
SELECT k.workspace_id, k.name, i.raw_value, i.customer_id
FROM customer_identifier i JOIN identifier_kind k ON k.id = i.kind_id
"""
_PROFILES = "SELECT customer_id, raw_props FROM customer_profile"
# A merge writes rows of its own; each identify call wrote one, whoever has it now.
_CHANGES = "SELECT name FROM property_change WHERE part = 'property' AND source = 'track'"
_DEVICES = "SELECT customer_id, raw_token, raw_attributes ->> 'marker' FROM device"
_RELATIONS = """
SELECT r.customer_id, o.raw_key, r.raw_attributes ->> 'marker' FROM relationship r JOIN object o ON o.id = r.object_id
"""
_QUARANTINE = "SELECT (regexp_match(raw_body, 'm\\d+x\\d{6}'))[1] FROM quarantine"
_LIVE = "SELECT workspace_id, count(*) FROM customer WHERE state IN ('active', 'anonymous') GROUP BY workspace_id"
_AUDIT = "SELECT workspace_id, action, customer_ids FROM audit_entry WHERE cardinality(customer_ids) > 0"
_TOTALS = """
SELECT w.id, coalesce(t.accepted, 0)::bigint, coalesce(t.done, 0)::bigint, coalesce(i.waiting, 0)::bigint
FROM workspace w
LEFT JOIN (SELECT workspace_id, sum(accepted) AS accepted,
                  sum(applied + duplicate + suppressed + ignored + quarantined) AS done
           FROM intake_total GROUP BY workspace_id) t ON t.workspace_id = w.id
LEFT JOIN (SELECT workspace_id, sum(n) AS waiting FROM inbox GROUP BY workspace_id) i ON i.workspace_id = w.id
"""
_TABLES = """
SELECT relname FROM pg_class
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY 1
"""
_TOKENS = sql.SQL("SELECT DISTINCT m[1] FROM {table} t, regexp_matches(t::text, {pattern}, 'g') m")


@dataclass(frozen=True, slots=True)
class Total:
    """Operations of a workspace: taken out of the inbox, accounted for, and waiting."""

    accepted: int
    done: int
    waiting: int


@dataclass(slots=True)
class Facts:
    """What there is, in the words of ``people``."""

    events: dict[str, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    names: dict[tuple[int, str, str], UUID] = field(default_factory=dict)
    properties: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    changes: Counter[str] = field(default_factory=Counter)
    devices: dict[UUID, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    relations: dict[UUID, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    quarantined: Counter[str] = field(default_factory=Counter)
    live: dict[int, int] = field(default_factory=dict)
    audited: Counter[tuple[int, str]] = field(default_factory=Counter)
    # Audited twice, though it can happen to a customer only once.
    repeated: int = 0
    totals: dict[int, Total] = field(default_factory=dict)
    # Token -> tables in which it stands.
    tokens: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


ONCE = ("customer.merged", "customer.deleted", "customer.suppressed")


def read() -> Facts:
    """Read all of it."""
    with (
        connect(
            application="faults",
            statement_timeout="0",
            idle_in_transaction_session_timeout="0",
            default_transaction_isolation="repeatable\\ read",
            default_transaction_read_only="on",
        ) as connection,
        connection.transaction(),
    ):
        facts = Facts()
        _read_people(connection, facts)
        _read_belongings(connection, facts)
        _read_accounts(connection, facts)
        for (table,) in connection.execute(_TABLES).fetchall():
            statement = _TOKENS.format(table=sql.Identifier(table), pattern=sql.Literal(f"({TOKEN})"))
            for (token,) in connection.execute(statement):
                facts.tokens[token].add(table)
        return facts


def read_totals(connection: Connection) -> dict[int, Total]:
    """The account of each workspace, in one statement."""
    return {workspace_id: Total(*rest) for workspace_id, *rest in connection.execute(_TOTALS)}


def _read_people(connection: Connection, facts: Facts) -> None:
    for marker, customer in connection.execute(_EVENTS):
        facts.events[marker].append(customer)
    for workspace_id, kind, value, customer in connection.execute(_NAMES):
        facts.names[workspace_id, kind, value] = customer
    facts.properties = dict(connection.execute(_PROFILES).fetchall())
    facts.changes.update(name for (name,) in connection.execute(_CHANGES))


def _read_belongings(connection: Connection, facts: Facts) -> None:
    for customer, token, marker in connection.execute(_DEVICES):
        facts.devices[customer][token] = marker
    for customer, key, marker in connection.execute(_RELATIONS):
        facts.relations[customer][key] = marker


def _read_accounts(connection: Connection, facts: Facts) -> None:
    facts.quarantined.update(marker for (marker,) in connection.execute(_QUARANTINE))
    facts.live = dict(connection.execute(_LIVE).fetchall())
    once: Counter[tuple[str, tuple[UUID, ...]]] = Counter()
    for workspace_id, action, customers in connection.execute(_AUDIT):
        facts.audited[workspace_id, action] += 1
        if action in ONCE:
            once[action, tuple(customers)] += 1
    facts.repeated = sum(n - 1 for n in once.values())
    facts.totals = read_totals(connection)
