"""Who is killed when, by a seed; and how long it takes until his work is done again."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psycopg
import redis
from django.conf import settings

from dialects.kit.limits import url_of
from rolodesk.celery import app
from rolodesk.database import Connection, connect
from tests.faults.load import Sender
from tests.faults.stack import Stack, children, is_alive

POLL_SECONDS = 0.05
RECOVERY_SECONDS = 240
SETTLED_SECONDS = 1.0
PAUSE_SECONDS = (2.0, 5.0)
# In proportions; the first ones come even in the smallest run. The two last kill nobody.
DECK = (
    "web", "ingest", "postgres", "valkey", "celery", "beat", "pause", "web child", "ingest", "celery child",
    "emptied broker", "ingest", "postgres", "web", "ingest", "pause", "postgres", "web child",
)  # fmt: skip
GENTLE = ("pause", "emptied broker")
PROGRAMS = {"web child": "web", "celery child": "celery", "emptied broker": "valkey"}
SLOTS = 2


@dataclass(slots=True, eq=False)
class Fault:
    """One fault, and what it takes to be over it."""

    kind: str
    program: str
    victim: int = 0
    at: float = 0.0
    seconds: float = 0.0
    is_over: bool = False
    # What the slot had done when its new process was first seen.
    base: int | None = None


@dataclass(slots=True)
class Killer:
    """Causes ``kills`` faults that kill, and some gentle ones between, spread over the whole load."""

    stack: Stack
    senders: list[Sender]
    random: Random
    kills: int
    operations: int
    at_once: int
    faults: list[Fault] = field(default_factory=list)
    _monitor: Connection | None = None

    def run(self) -> None:
        """All of them; each round waits until all is well again."""
        plan = self._plan()
        for number, group in enumerate(plan):
            self._wait_for(self.operations * number // len(plan))
            time.sleep(self.random.uniform(0, 0.5))
            for fault in group:
                self._cause(fault)
            self.faults += group
            self._wait_until_over(group)

    def _plan(self) -> list[list[Fault]]:
        """Rounds of one to three faults of different programs."""
        kinds: list[str] = []
        while sum(kind not in GENTLE for kind in kinds) < self.kills:
            kinds.append(DECK[len(kinds) % len(DECK)])
        self.random.shuffle(kinds)
        faults = [Fault(kind, self._program(kind)) for kind in kinds]
        rounds: list[list[Fault]] = []
        while faults:
            size = self.random.randint(1, self.at_once)
            group: dict[str, Fault] = {}
            for fault in faults:
                if len(group) < size:
                    group.setdefault(fault.program, fault)
            faults = [fault for fault in faults if fault not in group.values()]
            rounds.append(list(group.values()))
        return rounds

    def _program(self, kind: str) -> str:
        if kind in ("ingest", "pause"):
            return f"ingest{self.random.randrange(SLOTS)}"
        return PROGRAMS.get(kind, kind)

    def _wait_for(self, operations: int) -> None:
        while sum(sender.figures.operations for sender in self.senders) < operations:
            if not any(sender.thread.is_alive() for sender in self.senders):
                raise RuntimeError("all clients gave up")
            time.sleep(POLL_SECONDS)

    # --- Causing ------------------------------------------------------------------------------------

    def _cause(self, fault: Fault) -> None:
        fault.victim = self._victim(fault)
        fault.at = time.monotonic()
        if fault.kind == "emptied broker":
            self._broker().flushall()
        elif fault.kind == "pause":
            os.kill(fault.victim, signal.SIGSTOP)
            time.sleep(self.random.uniform(*PAUSE_SECONDS))
            os.kill(fault.victim, signal.SIGCONT)
            fault.at = time.monotonic()
        else:
            os.kill(fault.victim, signal.SIGKILL)

    def _victim(self, fault: Fault) -> int:
        """The process to be hit; the stack is well, so it is there or will be in a moment."""
        until = time.monotonic() + RECOVERY_SECONDS
        while time.monotonic() < until:
            number = self.stack.pid(fault.program)
            if number is not None and fault.kind.endswith("child"):
                number = next((one for one in reversed(children(number)) if not _is_tracker(one)), None)
            if number is not None:
                return number
            time.sleep(POLL_SECONDS)
        raise RuntimeError(f"{fault.program} does not run")

    # --- Recovering -----------------------------------------------------------------------------------

    def _wait_until_over(self, group: list[Fault]) -> None:
        until = time.monotonic() + RECOVERY_SECONDS
        while time.monotonic() < until:
            for fault in group:
                if not fault.is_over and self._is_over(fault):
                    fault.is_over, fault.seconds = True, time.monotonic() - fault.at
            if all(fault.is_over for fault in group):
                return
            time.sleep(POLL_SECONDS)

    def _is_over(self, fault: Fault) -> bool:
        checks: dict[str, Callable[[Fault], bool]] = {
            "web": lambda one: self.stack.is_healthy() and self._is_accepting(one),
            "postgres": lambda one: self._done_by(0) is not None and self._is_accepting(one),
            "valkey": lambda _: self._is_broker_there(),
            "celery": lambda _: self._is_celery_there(),
            "beat": lambda one: time.monotonic() - one.at > SETTLED_SECONDS,
        }
        number = self.stack.pid(fault.program)
        is_same = fault.kind in GENTLE or fault.kind.endswith("child")
        if number is None or (number == fault.victim and not is_same):
            return False
        if fault.kind == "emptied broker":
            return self._is_celery_there()
        if fault.program.startswith("ingest"):
            return self._is_applying(fault)
        return not (fault.kind.endswith("child") and is_alive(fault.victim)) and checks[fault.program](fault)

    def _is_accepting(self, fault: Fault) -> bool:
        return max(sender.accepted_at for sender in self.senders) > fault.at

    def _is_applying(self, fault: Fault) -> bool:
        done = self._done_by(int(fault.program.removeprefix("ingest")))
        if done is None:
            return False
        if fault.base is None:
            fault.base = done
        return done > fault.base

    def _is_broker_there(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self._broker().ping())
        return False

    def _is_celery_there(self) -> bool:
        # Whatever the client library raises while the broker is away.
        with contextlib.suppress(Exception):
            return bool(app.control.ping(timeout=0.5))
        return False

    def _broker(self) -> "redis.Redis":
        return redis.Redis.from_url(url_of(settings.CELERY_BROKER_URL), socket_timeout=1)

    def _done_by(self, slot: int) -> int | None:
        """How many operations this worker has applied; None: the database does not answer."""
        try:
            if self._monitor is None:
                self._monitor = connect(application="faults")
            statement = "SELECT coalesce(sum(accepted), 0)::bigint FROM intake_total WHERE slot = %s"
            row = self._monitor.execute(statement, [slot]).fetchone()
        except psycopg.Error:
            if self._monitor is not None:
                self._monitor.close()
            self._monitor = None
            return None
        return row[0] if row else 0


def _is_tracker(number: int) -> bool:
    """Whether it only cleans up after Python's multiprocessing."""
    try:
        return b"resource_tracker" in Path(f"/proc/{number}/cmdline").read_bytes()
    except OSError:
        return True
