"""The checks, all in one snapshot of the database."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Model

from customers.identifiers import lookup_digest
from rolodesk.database import Connection, connect
from rolodesk.tables import TABLES
from tracking.integrity import sql

CUSTOMER_ID = "customer_id"
# A column of this name holds the number of a row in this table; both belong to one workspace.
NUMBERS = {"type_id": "event_definition", "kind_id": "identifier_kind", "segment_id": "segment"}
# Where the column has the same name and means something else.
OTHER_NUMBERS = {("object", "type_id"): "object_type", ("object_lookup", "type_id"): "object_type"}
# These remember customers that are gone by now: whose a client id was, and that a customer was changed.
KEPT = frozenset({"event_seen", "dirty_customer"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check looked at, and how many rows break it."""

    name: str
    checked: int
    violations: int


@dataclass(slots=True)
class Result:
    """Findings, and figures of what there is."""

    findings: list[Finding] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not any(one.violations for one in self.findings)

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "is_sound": self.is_sound,
            "figures": self.figures,
            "checks": [{"name": f.name, "checked": f.checked, "violations": f.violations} for f in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Table:
    """A table of ours, and which of its columns point at something."""

    name: str
    columns: frozenset[str]


def tables() -> list[Table]:
    """The tables without foreign keys that hold customers or what points at them, by the registry."""
    found = []
    for label, table in TABLES.items():
        if table.kind in ("big", "lookup"):
            model: type[Model] = apps.get_model(label)
            columns = frozenset(one.attname for one in model._meta.concrete_fields)
            found.append(Table(model._meta.db_table, columns))
    return found


def run() -> Result:
    """Check everything, on a connection of its own that can only read. Takes as long as it takes."""
    with (
        connect(
            application="rolodesk integrity",
            statement_timeout="0",
            idle_in_transaction_session_timeout="0",
            default_transaction_isolation="repeatable\\ read",
            default_transaction_read_only="on",
        ) as connection,
        connection.transaction(),
    ):
        return check(connection)


def check(connection: Connection) -> Result:
    """The same within a transaction of the caller."""
    figures = sql.figures(connection)
    figures |= {f"events “{name}”": n for name, n in sql.events_by_name(connection)}
    return Result(list(_findings(connection)), figures)


def _findings(connection: Connection) -> Iterator[Finding]:
    for table in tables():
        if CUSTOMER_ID in table.columns:
            if table.name in KEPT:
                yield Finding(f"{table.name}: customer exists", *sql.forgotten(connection, table.name))
            else:
                yield Finding(f"{table.name}: customer is live", *sql.orphaned(connection, table.name))
        yield from _numbers(connection, table)
        if "workspace_id" in table.columns:
            yield Finding(f"{table.name}: workspace exists", *sql.unknown_workspaces(connection, table.name))
    for name, statement in sql.STATEMENTS.items():
        yield Finding(name, *sql.pair(connection, statement))
    yield _digests(connection)


def _numbers(connection: Connection, table: Table) -> Iterator[Finding]:
    """Definitions, kinds and segments exist and are of the customer's workspace."""
    for column, target in NUMBERS.items():
        if column not in table.columns:
            continue
        other = OTHER_NUMBERS.get((table.name, column), target)
        yield Finding(f"{table.name}: {other} exists", *sql.dangling(connection, table.name, other, column))
        if CUSTOMER_ID in table.columns:
            name = f"{table.name}: {target} of the same workspace"
            yield Finding(name, *sql.foreign(connection, table.name, target, column))


def _digests(connection: Connection) -> Finding:
    """Each identifier's key in the look-up table, computed again from its normal form."""
    checked = wrong = 0
    for workspace_id, kind_id, normal, digest in sql.identifiers(connection):
        checked += 1
        wrong += lookup_digest(workspace_id, kind_id, normal) != digest
    return Finding("customer_identifier: digest is that of the value", checked, wrong)
