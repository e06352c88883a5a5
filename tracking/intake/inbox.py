"""The durable inbox: writing rows in COPY's binary format, and asking how much waits."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from rolodesk.database import Connection
from tracking.intake.operations import Operation, encode, is_serial

COPY = "COPY inbox (workspace_id, route, n, received_at, raw_body, is_serial, token_id) FROM STDIN (FORMAT BINARY)"
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_TRAILER = struct.pack("!h", -1)
# PostgreSQL counts microseconds from the year 2000.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_FIXED = struct.Struct("!hiii")
_NULL = struct.pack("!i", -1)


@dataclass(frozen=True, slots=True)
class Submission:
    """One accepted request on its way into the inbox: ``n`` operations of one workspace."""

    workspace_id: int
    route: str
    n: int
    received_at: datetime
    body: bytes
    is_serial: bool = False
    token_id: int | None = None


def submission(
    workspace_id: int, route: str, operations: list[Operation], *, token_id: int | None = None
) -> Submission:
    """Pack operations for the inbox; received now. ``token_id`` is who sent them, for the audit."""
    serial = any(map(is_serial, operations))
    return Submission(workspace_id, route, len(operations), datetime.now(UTC), encode(operations), serial, token_id)


def write(connection: Connection, submissions: Iterable[Submission]) -> None:
    """Store all of them in one COPY, which outside a transaction block is one durable commit."""
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        copy.write(_HEADER + b"".join(map(_row, submissions)) + _TRAILER)


def waiting(connection: Connection) -> int:
    """How many operations wait for a worker."""
    row = connection.execute("SELECT coalesce(sum(n), 0) FROM inbox").fetchone()
    return int(row[0]) if row else 0


def _row(item: Submission) -> bytes:
    route = item.route.encode()
    elapsed = item.received_at - _EPOCH
    micros = (elapsed.days * 86400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
    return b"".join(
        (
            _FIXED.pack(7, 4, item.workspace_id, len(route)),
            route,
            struct.pack("!iiiqi", 4, item.n, 8, micros, len(item.body)),
            item.body,
            b"\0\0\0\1\1" if item.is_serial else b"\0\0\0\1\0",
            _NULL if item.token_id is None else struct.pack("!iq", 8, item.token_id),
        )
    )
