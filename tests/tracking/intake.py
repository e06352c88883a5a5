"""Operations straight into the inbox and through a worker, as tests of the write gate need them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Identifier

from customers.services.workspaces import create_workspace
from rolodesk.database import Connection, connect
from tracking.intake import inbox
from tracking.intake.operations import Identify, Operation, Ref, Track
from tracking.intake.worker import Worker


def by_id(value: str) -> Ref:
    """A customer by the id of the client."""
    return Ref("external_id", value)


def by_email(value: str) -> Ref:
    """A customer by his e-mail."""
    return Ref("email", value)


@dataclass
class Gate:
    """A workspace, its inbox and one worker."""

    workspace_id: int
    connection: Connection
    worker: Worker = field(default_factory=lambda: Worker(7))

    def send(self, *operations: Operation, at: datetime | None = None) -> None:
        """Accept one request."""
        item = inbox.submission(self.workspace_id, "track", list(operations))
        inbox.write(self.connection, [item if at is None else _received(item, at)])

    def apply(self, *operations: Operation) -> None:
        """Accept one request and apply all that waits."""
        if operations:
            self.send(*operations)
        while self.worker.turn():
            pass

    def identify(self, who: Ref, **properties: Any) -> UUID:
        """Identify a customer; his own id."""
        self.apply(Identify(who, properties=properties))
        return self.owner(who)

    def track(self, who: Ref, name: str, **fields: Any) -> None:
        """An event."""
        self.apply(Track(who, name, **fields))

    def owner(self, who: Ref) -> UUID:
        """The customer of this name; fails if there is none."""
        found = self.worker._ready().find(self.workspace_id, who)
        assert isinstance(found, UUID), found
        return found

    def rows(self, statement: str, *parameters: Any) -> list[Any]:
        """What the tables hold; single columns as they are."""
        found = self.connection.execute(statement, list(parameters)).fetchall()
        return [row[0] if len(row) == 1 else row for row in found]

    def props(self, customer: UUID) -> dict[str, Any]:
        """The properties of a customer."""
        (document,) = self.rows("SELECT raw_props FROM customer_profile WHERE customer_id = %s", customer)
        return dict(document)

    def events(self, customer: UUID) -> list[str]:
        """Names of a customer's events, oldest first."""
        return self.rows(
            "SELECT d.name FROM event e JOIN event_definition d ON d.id = e.type_id WHERE e.customer_id = %s"
            " ORDER BY e.ts, e.id",
            customer,
        )

    def identifiers(self, customer: UUID) -> set[str]:
        """Values of a customer's identifiers."""
        return set(self.rows("SELECT raw_value FROM customer_identifier WHERE customer_id = %s", customer))

    def state(self, customer: UUID) -> str:
        """What has become of a customer."""
        (state,) = self.rows("SELECT state FROM customer WHERE id = %s", customer)
        return str(state)

    def totals(self) -> dict[str, int]:
        """What became of all operations of the workspace."""
        names = ("accepted", "applied", "duplicate", "suppressed", "ignored", "quarantined")
        sums = SQL(", ").join(SQL("coalesce(sum({}), 0)::int").format(Identifier(name)) for name in names)
        statement = SQL("SELECT {} FROM intake_total WHERE workspace_id = %s").format(sums)
        (row,) = self.connection.execute(statement, [self.workspace_id]).fetchall()
        return dict(zip(names, row, strict=True))


def _received(item: inbox.Submission, at: datetime) -> inbox.Submission:
    return inbox.Submission(item.workspace_id, item.route, item.n, at, item.body, item.is_serial, item.token_id)


@contextmanager
def open_gate() -> Iterator[Gate]:
    """A fresh workspace with a worker of its own; both connections are closed at the end."""
    with connect(application="test") as connection:
        gate = Gate(create_workspace(name="Shop"), connection)
        try:
            yield gate
        finally:
            gate.worker.close()


def count(gate: Gate, table: str, customer: UUID) -> int:
    """How many rows a table has about a customer."""
    statement = SQL("SELECT count(*) FROM {} WHERE customer_id = %s").format(Identifier(table))
    row = gate.connection.execute(statement, [customer]).fetchone()
    return int(row[0]) if row else 0
