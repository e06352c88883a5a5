"""A workspace with a Track key, and what stands in the inbox."""

from collections.abc import Callable, Iterator

import pytest

from customers.models import User, Workspace
from customers.services.tokens import issue_token
from dialects.customerio_track.dialect import tokens
from rolodesk.database import connect
from tests.contracts.client import TrackClient
from tests.factories import grant
from tracking.intake import operations
from tracking.intake.collector import collector
from tracking.intake.operations import Operation

SITE_ID = "site-1"
# All that a Track key can be allowed.
PERMISSIONS = ["edit", "erase", "manage_segments", "merge", "suppress"]
Inbox = Callable[[], list[Operation]]


@pytest.fixture
def service(transactional_db: None) -> User:
    """The user who owns the integration's tokens."""
    return User.objects.create(username="integration", is_service=True)


@pytest.fixture
def workspace(service: User) -> Workspace:
    """A workspace in which the service user may do all that a Track key can be allowed."""
    workspace = Workspace.objects.create(name="Shop")
    grant(service, workspace, *PERMISSIONS)
    return workspace


@pytest.fixture
def track(workspace: Workspace, service: User) -> Iterator[TrackClient]:
    """The client of a Track key of this workspace."""
    api_key = issue_token(
        user_id=service.pk, workspace_id=workspace.pk, face="track", name="test", scopes=PERMISSIONS, public_id=SITE_ID
    )
    tokens.forget()
    yield TrackClient(workspace.pk, SITE_ID, api_key)
    # Its own connection must not outlive the test database.
    collector.close()
    tokens.forget()


@pytest.fixture
def inbox(transactional_db: None) -> Inbox:
    """All operations that were accepted, in order."""

    def read() -> list[Operation]:
        with connect(application="test") as connection:
            rows = connection.execute("SELECT n, raw_body FROM inbox ORDER BY id").fetchall()
        decoded = [operations.decode(body) for _, body in rows]
        assert [n for n, _ in rows] == [len(found) for found in decoded]
        return [operation for found in decoded for operation in found]

    return read
