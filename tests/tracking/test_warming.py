"""Reading the keys into memory at a worker's start, as far as the database lets us."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog
from structlog.testing import LogCapture

from rolodesk.database import Connection, connect
from tests.tracking.intake import Gate, by_id, open_gate
from tracking.intake import warming
from tracking.intake.warming import warm_up

ROLE = "rolodesk_test_plain"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> LogCapture:
    capture = LogCapture()
    monkeypatch.setattr(warming, "log", structlog.wrap_logger(None, processors=[capture]))
    return capture


@pytest.fixture
def gate(transactional_db: None) -> Iterator[Gate]:
    """A customer with an event; whatever of the extension a test made is gone at its end."""
    with open_gate() as opened:
        opened.track(by_id("ada"), "Visit")
        yield opened
        opened.connection.execute("DROP EXTENSION IF EXISTS pg_prewarm")


def test_the_keys_of_a_batch_are_read(gate: Gate, lines: LogCapture) -> None:
    gate.connection.execute("CREATE EXTENSION pg_prewarm")
    # Each of the four keys has a first page and a leaf at least.
    assert (warm_up() or 0) >= 8
    assert lines.entries == []


def test_without_the_extension_it_is_left_out_with_one_line(gate: Gate, lines: LogCapture) -> None:
    assert warm_up() is None
    assert [(one["event"], one["reason"]) for one in lines.entries] == [("keys not warmed", "no_extension")]


def test_without_the_right_to_read_it_is_left_out_with_one_line(
    gate: Gate, lines: LogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def plain(**session: str) -> Iterator[Connection]:
        with connect(**session) as connection:
            connection.execute(f"SET ROLE {ROLE}")
            yield connection

    gate.connection.execute("CREATE EXTENSION pg_prewarm")
    gate.connection.execute(f"CREATE ROLE {ROLE}")
    try:
        monkeypatch.setattr(warming, "connect", plain)
        assert warm_up() is None
    finally:
        gate.connection.execute(f"DROP ROLE {ROLE}")
    assert [(one["reason"], one["sqlstate"]) for one in lines.entries] == [("refused", "42501")]
