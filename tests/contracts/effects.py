"""A live server with its own worker, and what calls of clients left in the tables of the core."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.management import call_command
from django.db import connection

from customers.models import User, Workspace
from customers.services.tokens import issue_token
from customers.services.workspaces import create_workspace
from rolodesk.database import connect
from segments.services.segments import create_segment
from tests.contracts.conftest import PERMISSIONS
from tests.contracts.live import live_server
from tests.factories import grant
from tests.tracking.intake import Gate
from tracking.intake.operations import Ref
from tracking.intake.worker import Worker

SITE_ID = "site-1"


@dataclass(frozen=True, slots=True)
class Live:
    """A workspace behind a live server. ``gate`` reads its tables."""

    base_url: str
    api_key: str
    gate: Gate
    # Two empty manual ones. A test could not make one itself: what it writes by Django is rolled back, unseen.
    segments: tuple[int, int]

    def settle(self) -> None:
        """Apply all that was accepted."""
        while self.gate.worker.turn():
            pass

    def person(self, kind: str, value: str) -> UUID | None:
        """The live customer of this name."""
        self.settle()
        found = self.gate.worker._ready().find(self.gate.workspace_id, Ref(kind, value))
        return found if isinstance(found, UUID) else None

    def known(self, kind: str, value: str) -> UUID:
        """The same where there must be one."""
        found = self.person(kind, value)
        assert found is not None, f"nobody has this {kind}"
        return found

    def events(self, customer: UUID) -> list[tuple[str, str, dict[str, Any]]]:
        """Kind, name and properties of a customer's events, oldest first; without our own notes."""
        return self.gate.rows(
            "SELECT d.kind, d.name, e.raw_props FROM event e JOIN event_definition d ON d.id = e.type_id"
            " WHERE e.customer_id = %s AND d.kind <> 'system' ORDER BY e.ts, e.id",
            customer,
        )

    def consent(self, customer: UUID) -> dict[int, bool]:
        """Topic -> whether subscribed; 0 stands for messages altogether."""
        return dict(self.gate.rows("SELECT topic, is_subscribed FROM subscription WHERE customer_id = %s", customer))

    def devices(self, customer: UUID) -> list[tuple[str, str, dict[str, Any]]]:
        """Token, platform and attributes of a customer's devices."""
        return self.gate.rows(
            "SELECT raw_token, platform, raw_attributes FROM device WHERE customer_id = %s ORDER BY raw_token", customer
        )

    def relationships(self, customer: UUID) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Key and attributes of a customer's objects, and the attributes of the relationship."""
        return self.gate.rows(
            "SELECT o.raw_key, o.raw_props, r.raw_attributes FROM relationship r JOIN object o ON o.id = r.object_id"
            " WHERE r.customer_id = %s ORDER BY o.raw_key",
            customer,
        )

    def members(self, segment_id: int) -> set[UUID]:
        """Who is in a segment."""
        return set(self.gate.rows("SELECT customer_id FROM segment_member WHERE segment_id = %s", segment_id))

    def deliveries(self, customer: UUID) -> list[tuple[str, str]]:
        """Id and last metric of the messages of a customer."""
        return self.gate.rows("SELECT raw_delivery_id, last_metric FROM delivery WHERE customer_id = %s", customer)

    def suppressed(self) -> int:
        """How many identifiers are barred."""
        (count,) = self.gate.rows(
            "SELECT count(*) FROM suppressed_identifier WHERE workspace_id = %s", self.gate.workspace_id
        )
        return int(count)


@contextmanager
def live_workspace() -> Iterator[Live]:
    """A server, a workspace and a key, for a whole module, since starting takes a second; all is removed at the end."""
    assert str(connection.settings_dict["NAME"]).startswith("test_"), "all of this database will be removed"
    try:
        workspace_id = create_workspace(name="Shop")
        service = User.objects.create(username="integration", is_service=True)
        grant(service, Workspace.objects.get(pk=workspace_id), *PERMISSIONS)
        api_key = issue_token(
            user_id=service.pk, workspace_id=workspace_id, face="track", name="t", scopes=PERMISSIONS, public_id=SITE_ID
        )
        first, second = (create_segment(workspace_id=workspace_id, name=name) for name in ("First", "Second"))
        with live_server() as base_url, connect(application="test") as own:
            gate = Gate(workspace_id, own, Worker(0))
            try:
                yield Live(base_url, api_key, gate, (first, second))
            finally:
                gate.worker.close()
    finally:
        # As Django does it after a test that commits.
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
