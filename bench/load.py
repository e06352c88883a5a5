"""The load generator: prebuilt HTTP/1.1 requests on connections that are kept, one at a time on each.

It shares the cores with what it measures, so it does as little as it can: no HTTP library, no header
looked at but the length of the body.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop

HOST = "127.0.0.1"
OK, REFUSED = 200, (429, 503)
TIMEOUT_SECONDS = 180.0
TICK_SECONDS = 0.001
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RETRY = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)


class LoadFailed(Exception):
    """The server did not do what was asked, so there is nothing to measure."""


@dataclass(slots=True)
class Outcome:
    """Times by ``time.perf_counter``; ``sent`` and ``answered`` go by the number of the request."""

    sent: list[float]
    answered: list[float]
    refused: int = 0

    @property
    def began_at(self) -> float:
        """When the first byte was sent."""
        return min(self.sent)

    @property
    def ended_at(self) -> float:
        """When the last answer was there."""
        return max(self.answered)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.sent) / (self.ended_at - self.began_at)

    @property
    def latencies(self) -> list[float]:
        """From sending to the answer."""
        return [answered - sent for sent, answered in zip(self.sent, self.answered, strict=True)]


def drive(
    port: int, requests: Sequence[bytes], *, connections: int, rate: float | None = None, ok: int = OK
) -> Outcome:
    """Send all requests and wait for the answers; with ``rate`` no more than so many a second.

    Refused ones are sent again when the server says so. Raises LoadFailed for any other answer.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_drive(port, requests, connections, rate, ok))


async def _drive(port: int, requests: Sequence[bytes], connections: int, rate: float | None, ok: int) -> Outcome:
    loop = asyncio.get_running_loop()
    run = _Run(requests, ok, loop)
    opened = [await loop.create_connection(lambda: _Connection(run), HOST, port) for _ in range(connections)]
    run.idle.extend(connection for _, connection in opened)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            if rate is None:
                run.hand_out(len(requests))
            else:
                await _pace(run, rate)
            await run.finished
    except TimeoutError as error:
        message = (
            f"{run.left} of {len(requests)} requests were not answered in time; refused {run.outcome.refused} times"
        )
        raise LoadFailed(message) from error
    finally:
        for transport, _ in opened:
            transport.close()
    return run.outcome


async def _pace(run: "_Run", rate: float) -> None:
    """Open up the requests as their time comes."""
    began_at = time.perf_counter()
    while run.due < len(run.requests) and not run.finished.done():
        run.hand_out(min(len(run.requests), 1 + int((time.perf_counter() - began_at) * rate)))
        await asyncio.sleep(TICK_SECONDS)


@dataclass(slots=True)
class _Run:
    """Which requests are due, and which connections are free for them."""

    requests: Sequence[bytes]
    ok: int
    loop: asyncio.AbstractEventLoop
    idle: deque["_Connection"] = field(default_factory=deque)
    begun: int = 0
    due: int = 0
    left: int = 0
    outcome: Outcome = field(init=False)
    finished: asyncio.Future[None] = field(init=False)

    def __post_init__(self) -> None:
        self.left = len(self.requests)
        self.outcome = Outcome([0.0] * self.left, [0.0] * self.left)
        self.finished = self.loop.create_future()

    def hand_out(self, due: int) -> None:
        """Let the first ``due`` requests go, as far as connections are free."""
        self.due = due
        while self.idle and self.begun < due:
            self.idle.popleft().send(self._next())

    def _next(self) -> int:
        self.begun += 1
        return self.begun - 1

    def answered(self, connection: "_Connection", index: int, data: bytes) -> None:
        """Take an answer, and give the connection its next request."""
        status = int(data[9:12])
        if status != self.ok:
            self._not_ok(connection, index, status, data)
            return
        self.outcome.answered[index] = time.perf_counter()
        self.left -= 1
        if self.begun < self.due:
            connection.send(self._next())
        else:
            self.idle.append(connection)
            if not self.left and not self.finished.done():
                self.finished.set_result(None)

    def _not_ok(self, connection: "_Connection", index: int, status: int, data: bytes) -> None:
        wait = _RETRY.search(data)
        if status in REFUSED and wait:
            self.outcome.refused += 1
            self.loop.call_later(int(wait[1]), connection.send_again, index)
        else:
            self.fail(f"the answer was {status}: {data[-200:].decode('utf-8', 'replace')}")

    def fail(self, reason: str) -> None:
        """End the run."""
        if not self.finished.done():
            self.finished.set_exception(LoadFailed(reason))


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    __slots__ = ("_data", "_index", "_run", "_transport")

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._index = -1
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._run.fail("the server closed a connection")

    def send(self, index: int) -> None:
        """Send the request of this number."""
        self._run.outcome.sent[index] = time.perf_counter()
        self.send_again(index)

    def send_again(self, index: int) -> None:
        """The same, with the time of the first try kept."""
        if not self._transport.is_closing():
            self._index = index
            self._transport.write(self._run.requests[index])

    def data_received(self, data: bytes) -> None:
        data = self._data + data
        head = data.find(b"\r\n\r\n")
        length = _LENGTH.search(data, 0, head) if head >= 0 else None
        if head >= 0 and length is None:
            self._run.fail("an answer without a length")
        elif length is not None and len(data) >= head + 4 + int(length[1]):
            self._data = b""
            self._run.answered(self, self._index, data)
            return
        self._data = data
