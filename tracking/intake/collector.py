"""Group commit: one thread and one connection make everything that waits durable in one commit.

No timer: whatever gathers while a commit runs goes into the next one. A pause to gather more lost at
every load when measured. Backpressure is part of it: above a cap of waiting operations answers are
held, and after a second refused, so that "accepted" never runs away from "visible".
"""

import asyncio
import threading
import time
from collections import deque
from dataclasses import dataclass

import psycopg
import structlog
from django.conf import settings

from rolodesk.database import Connection, connect
from rolodesk.errors import DomainError, IntakeUnavailable, Overloaded
from tracking.intake import inbox
from tracking.intake.inbox import Submission

log = structlog.get_logger("rolodesk.intake")

HOLD_SECONDS = 1.0
BACKLOG_CHECK_SECONDS = 0.02
RETRY_AFTER_SECONDS = 1
MAX_WAITING = 20_000


@dataclass(slots=True)
class _Waiting:
    submission: Submission
    future: asyncio.Future[None]
    loop: asyncio.AbstractEventLoop
    since: float


class Collector:
    """Accepts submissions from coroutines; ``submit`` returns once the row is committed."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Event()
        self._start_lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._backlog = 0
        self._backlog_at = 0.0
        self._is_closing = False

    async def submit(self, submission: Submission) -> None:
        """Store one request durably. Raises Overloaded; then nothing was stored.

        Raises IntakeUnavailable; then nothing was stored, unless the database went away just as it committed.
        """
        if self._thread is None or not self._thread.is_alive():
            self._start()
        if len(self._waiting) >= MAX_WAITING:
            raise Overloaded(retry_after=RETRY_AFTER_SECONDS)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(submission, loop.create_future(), loop, time.monotonic())
        self._waiting.append(waiting)
        self._wake.set()
        await waiting.future

    def close(self) -> None:
        """Commit what waits, then end the thread and its connection."""
        self._is_closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self._thread, self._is_closing = None, False

    def _start(self) -> None:
        with self._start_lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="collector", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not (self._is_closing and not self._waiting):
            self._wake.wait(timeout=1.0)
            self._wake.clear()
            while self._waiting:
                self._take_turn()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _take_turn(self) -> None:
        """Commit all that waits, or hold it while the backlog is above the cap."""
        try:
            connection = self._connected()
            if self._is_full(connection):
                self._refuse_those_held_too_long()
                time.sleep(BACKLOG_CHECK_SECONDS)
                return
            taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
        except psycopg.Error as error:
            self._fail_all(error)
            return
        try:
            inbox.write(connection, [item.submission for item in taken])
        except psycopg.Error as error:
            self._disconnect(error)
            _settle(taken, IntakeUnavailable(retry_after=RETRY_AFTER_SECONDS))
        else:
            self._backlog += sum(item.submission.n for item in taken)
            _settle(taken, None)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(application="rolodesk collector")
        return self._connection

    def _is_full(self, connection: Connection) -> bool:
        now = time.monotonic()
        if now - self._backlog_at >= BACKLOG_CHECK_SECONDS:
            self._backlog, self._backlog_at = inbox.waiting(connection), now
        return self._backlog >= settings.INTAKE_BACKLOG_CAP

    def _refuse_those_held_too_long(self) -> None:
        now, refused = time.monotonic(), []
        while self._waiting and now - self._waiting[0].since > HOLD_SECONDS:
            refused.append(self._waiting.popleft())
        _settle(refused, Overloaded(retry_after=RETRY_AFTER_SECONDS))

    def _fail_all(self, error: psycopg.Error) -> None:
        self._disconnect(error)
        refused = [self._waiting.popleft() for _ in range(len(self._waiting))]
        _settle(refused, IntakeUnavailable(retry_after=RETRY_AFTER_SECONDS))

    def _disconnect(self, error: psycopg.Error) -> None:
        log.error("inbox not writable", sqlstate=error.sqlstate)
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _settle(items: list[_Waiting], error: DomainError | None) -> None:
    """Answer all of them, waking each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
    for item in items:
        by_loop.setdefault(item.loop, []).append(item)
    for loop, group in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle_here, group, error)


def _settle_here(items: list[_Waiting], error: DomainError | None) -> None:
    for item in items:
        if item.future.done():  # the client went away
            continue
        if error is None:
            item.future.set_result(None)
        else:
            item.future.set_exception(error)


collector = Collector()
