"""The ingest worker: claim, apply, commit, again.

One transaction deletes the claimed rows and writes their effect, so a kill at any moment loses nothing
and counts nothing twice. A poison operation costs itself: a failed batch is halved until it stands alone.
"""

import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime

import msgspec
import psycopg
import structlog
from django.conf import settings

from customers.writing import locks
from rolodesk.database import Connection, connect
from tracking.intake import effects, sql
from tracking.intake.apply import Applier, Item, MustBeAlone, Rejected
from tracking.intake.operations import decode, encode
from tracking.intake.sql import Claimed, Totals

log = structlog.get_logger("rolodesk.intake")

# A short batch costs as much overhead as a long one; a pause lets the next one fill.
REST_SECONDS = 0.02
RECONNECT_SECONDS = 1.0
SHORT_FRACTION = 4
# Errors of the data itself; it will never be accepted, so the operation is set aside at once.
DATA_ERRORS = ("22", "23", "54")
# Lost connections, deadlocks, full disks: the same data may well succeed later.
PASSING_ERRORS = ("08", "40", "53", "55", "57P")
# A merge of somebody with very many events takes its time; what takes longer still is set aside in the end.
PATIENCE = "15min"
# Anything else is our fault, such as a missing migration: wait for it to be mended, but not for ever.
MAX_ATTEMPTS = 5


class Worker:
    """Drains the inbox on a connection of its own; ``slot`` tells workers of one installation apart."""

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self._applier: Applier | None = None
        self._attempts = 0
        self.is_stopping = False

    def run(self) -> None:
        """Work until ``is_stopping``; survives losing the database."""
        while not self.is_stopping:
            try:
                done = self.turn()
            except psycopg.Error as error:
                self._attempts += not _state(error).startswith(PASSING_ERRORS)
                log.error("intake interrupted", slot=self.slot, sqlstate=_state(error), error=type(error).__name__)
                self.close()
                time.sleep(RECONNECT_SECONDS)
                continue
            if done < settings.INTAKE_BATCH_OPERATIONS // SHORT_FRACTION:
                time.sleep(REST_SECONDS)
        self.close()

    def turn(self) -> int:
        """Claim and apply one batch; returns how many operations it had."""
        try:
            return self._turn(is_alone=False)
        except MustBeAlone:  # all was rolled back, so nobody waits for us while we wait for the others
            return self._turn(is_alone=True)

    def _turn(self, *, is_alone: bool) -> int:
        applier = self._ready()
        with applier.connection.transaction():
            rows = sql.claim(applier.connection, settings.INTAKE_BATCH_OPERATIONS)
            if not rows:
                return 0
            is_alone = is_alone or any(row.is_serial for row in rows)
            (locks.own if is_alone else locks.share)(applier.connection, {row.workspace_id for row in rows})
            totals: dict[int, Totals] = {}
            self._apply(_items(applier.connection, rows, totals), totals, is_alone=is_alone)
            sql.add_totals(applier.connection, self.slot, datetime.now(UTC).date(), totals)
        self._attempts = 0
        return sum(row.n for row in rows)

    def close(self) -> None:
        """Give the connections back."""
        if self._applier is not None:
            self._applier.connection.close()
            self._applier.side.close()
        self._applier = None

    def _ready(self) -> Applier:
        if self._applier is None:
            with ExitStack() as opened:  # whatever is open when the rest fails must not stay so
                connection = opened.enter_context(
                    closing(connect(application="rolodesk ingest", statement_timeout=PATIENCE))
                )
                side = opened.enter_context(closing(connect(application="rolodesk ingest side")))
                self._applier = Applier(connection, side)
                opened.pop_all()
        return self._applier

    def _apply(self, items: list[Item], totals: dict[int, Totals], *, is_alone: bool) -> None:
        if not items:
            return
        applier = self._ready()
        try:
            with applier.connection.transaction():
                result = applier.apply(items, is_alone=is_alone)
        except Rejected as error:
            self._divide(items, totals, error.reason, is_alone=is_alone)
        except psycopg.Error as error:
            if not self._is_poison(error):
                raise
            log.warning("operations refused", slot=self.slot, sqlstate=_state(error), count=len(items))
            self._divide(items, totals, f"sql_{_state(error)}", is_alone=is_alone)
        except (ValueError, TypeError, ArithmeticError, LookupError) as error:
            log.warning("operations refused", slot=self.slot, exception_type=type(error).__name__, count=len(items))
            self._divide(items, totals, "not_applicable", is_alone=is_alone)
        else:
            for workspace_id, tally in result.items():
                totals.setdefault(workspace_id, Totals()).add(tally)

    def _is_poison(self, error: psycopg.Error) -> bool:
        """Whether to set the operation aside rather than to try the batch again."""
        state = _state(error)
        return state.startswith(DATA_ERRORS) or (
            self._attempts >= MAX_ATTEMPTS and not state.startswith(PASSING_ERRORS)
        )

    def _divide(self, items: list[Item], totals: dict[int, Totals], reason: str, *, is_alone: bool) -> None:
        """Try each half by itself; an operation that fails alone goes to the quarantine."""
        if len(items) > 1:
            middle = len(items) // 2
            self._apply(items[:middle], totals, is_alone=is_alone)
            self._apply(items[middle:], totals, is_alone=is_alone)
            return
        (item,) = items
        tally = totals.setdefault(item.claimed.workspace_id, Totals())
        tally.accepted += 1
        applier = self._ready()
        if effects.names_barred(effects.Scene(applier, item), item.operation):
            tally.suppressed += 1  # nothing of him is kept, in the quarantine neither (security.md S1)
            return
        body = encode([item.operation]).decode()
        sql.quarantine(applier.connection, item.claimed, body, reason, datetime.now(UTC))
        tally.quarantined += 1


def _state(error: psycopg.Error) -> str:
    """The SQLSTATE of an error. Those of the driver itself have none, and stand for the nearest."""
    if error.sqlstate is not None:
        return error.sqlstate
    if isinstance(error, psycopg.DataError):
        return "22000"
    return "08000" if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) else "XX000"


def _items(connection: Connection, rows: list[Claimed], totals: dict[int, Totals]) -> list[Item]:
    """The operations of the claimed rows; a body that is none of ours is quarantined whole."""
    items: list[Item] = []
    for row in rows:
        try:
            items += [Item(row, operation) for operation in decode(row.body)]
        except (msgspec.MsgspecError, RecursionError):
            sql.quarantine(connection, row, row.body, "unreadable", datetime.now(UTC))
            tally = totals.setdefault(row.workspace_id, Totals())
            tally.accepted += row.n
            tally.quarantined += row.n
    return items
