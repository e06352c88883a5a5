"""What schemathesis makes of the Track API against a live server (security.md Q12): never an answer of 5xx.

FUZZ_REQUESTS says how many requests, 20,000 for the full run. Everything that is accepted is applied meanwhile.
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from customers.models import User, Workspace
from customers.services.workspaces import create_workspace
from dialects.customerio_track.dialect import DIALECT
from rolodesk.database import connect
from tests.contracts.client import TrackClient, basic
from tests.contracts.conftest import PERMISSIONS
from tests.contracts.customerio_track.openapi import document
from tests.contracts.live import live_server
from tests.factories import grant, make_segment
from tracking.intake.worker import Worker
from tracking.integrity import checks

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "700"))
# Of what is accepted, only a time that nobody can mean may be set aside.
SET_ASIDE = {"absurd_time"}
SLOT = 9
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SCHEMA = schemathesis.openapi.from_dict(document())


@pytest.fixture
def workspace(service: User) -> Workspace:
    """One that knows the usual kinds of identifiers, and has a segment of the smallest number."""
    workspace = Workspace.objects.get(pk=create_workspace(name="Shop"))
    grant(service, workspace, *PERMISSIONS)
    make_segment(workspace, pk=1)
    return workspace


@contextmanager
def applying() -> Iterator[None]:
    """Apply what comes, and at the end all the rest."""
    worker = Worker(SLOT)
    thread = threading.Thread(target=worker.run, name="worker")
    thread.start()
    try:
        yield
    finally:
        worker.is_stopping = True
        thread.join()
    rest = Worker(SLOT)
    while rest.turn():
        pass
    rest.close()


def test_the_document_describes_every_route() -> None:
    described = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}
    assert described == set(DIALECT.routes)


# Slow: it starts a server and sends hundreds of requests.
@pytest.mark.slow
def test_no_request_that_can_be_thought_of_is_answered_with_5xx(
    track: TrackClient, request: pytest.FixtureRequest
) -> None:
    number = getattr(request.config.option, "randomly_seed", 0)
    operations = [SCHEMA[path][method] for path, methods in document()["paths"].items() for method in methods]
    # What takes no body can be given none that breaks the document.
    runs = [(one, mode) for one in operations for mode in MODES if one.body or mode is GenerationMode.POSITIVE]
    statuses: Counter[int] = Counter()
    with applying(), live_server(ROLODESK_INTAKE_BACKLOG_CAP=str(10**9)) as base_url:
        for operation, mode in runs:
            examples = max(1, REQUESTS // len(runs))
            fuzz(operation.as_strategy(generation_mode=mode), base_url, track, statuses, examples, number)
    with connect(application="test") as connection:
        set_aside: dict[str, int] = dict(
            connection.execute("SELECT reason, count(*) FROM quarantine GROUP BY reason").fetchall()
        )
    figures = {"seed": number, "requests": statuses.total(), "statuses": statuses, "set_aside": set_aside}
    print(json.dumps(figures))  # noqa: T201  # security.md 11: every run says what it did
    assert statuses.total() >= REQUESTS // 2
    assert set_aside.keys() <= SET_ASIDE
    assert {one.name for one in checks.run().findings if one.violations} == set()


def fuzz(
    cases: SearchStrategy[Case], base_url: str, track: TrackClient, statuses: Counter[int], examples: int, number: int
) -> None:
    """Send cases of one route; those that are answered as they must not be are shrunk and shown."""
    headers = {"authorization": basic(track.site_id, track.api_key)}

    @seed(number)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def send(case: Case) -> None:
        response = case.call(base_url=base_url, headers=headers)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    send()
