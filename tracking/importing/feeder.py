"""Handing many operations to the write gate, no faster than the ingest workers take them.

A command that filled the inbox at its own speed would hold up the events that arrive meanwhile, and
the web faces would answer 503 (the collector's cap). So it stays a little below that cap.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings

from rolodesk.database import Connection
from tracking.importing import sql
from tracking.intake import inbox
from tracking.intake.operations import Operation

SUBMISSION_OPERATIONS = 500
POLL_SECONDS = 0.02
STALLED_SECONDS = 60.0


class Stalled(Exception):
    """No worker has taken anything for a minute; what was submitted is safe and waits."""


@dataclass(slots=True)
class Feeder:
    """Submits operations of one workspace; ``on_applied`` hears how many more were applied."""

    connection: Connection
    workspace_id: int
    route: str
    on_applied: Callable[[int], object] = lambda _more: None
    patience: float = STALLED_SECONDS
    submitted: int = 0
    applied: int = 0
    _pending: list[Operation] = field(default_factory=list)

    def add(self, operation: Operation) -> None:
        """Submit with others of its kind, as soon as a submission is full."""
        self._pending.append(operation)
        if len(self._pending) >= SUBMISSION_OPERATIONS:
            self.flush()

    def flush(self) -> None:
        """Submit what has gathered. Raises Stalled when there is no room for too long."""
        if not self._pending:
            return
        self._wait(lambda waiting: waiting.total + len(self._pending) <= capacity())
        inbox.write(self.connection, [inbox.submission(self.workspace_id, self.route, self._pending)])
        self.submitted += len(self._pending)
        self._pending = []

    def drain(self) -> None:
        """Submit the rest and wait until all of it is applied. Raises Stalled."""
        self.flush()
        self._wait(lambda waiting: waiting.own == 0)

    def _wait(self, is_enough: Callable[[sql.Waiting], bool]) -> None:
        oldest, since = None, time.monotonic()
        while True:
            waiting = sql.waiting(self.connection, self.workspace_id, self.route)
            self._report(waiting)
            if is_enough(waiting):
                return
            # Workers take the oldest first, so as long as they work the oldest changes.
            if waiting.oldest != oldest:
                oldest, since = waiting.oldest, time.monotonic()
            elif time.monotonic() - since > self.patience:
                raise Stalled
            pause()

    def _report(self, waiting: sql.Waiting) -> None:
        # A run that was killed may have left operations under the same route: never count backwards.
        applied = max(self.applied, self.submitted - waiting.own)
        if applied > self.applied:
            self.on_applied(applied - self.applied)
            self.applied = applied


def pause() -> None:
    """Give the workers a moment."""
    time.sleep(POLL_SECONDS)


def capacity() -> int:
    """How many operations may wait: two submissions below the cap at which web faces start to refuse."""
    return max(SUBMISSION_OPERATIONS, settings.INTAKE_BACKLOG_CAP - 2 * SUBMISSION_OPERATIONS)
