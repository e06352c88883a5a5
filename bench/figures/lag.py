"""How long an event takes from the answer until it can be seen, at half of what the product can do and at all."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from bench import bodies
from bench.account import PROBE
from bench.harness import Bar, Bench, Figure, Row, percentile
from bench.load import LoadFailed, drive
from bench.pipeline import TIMEOUT_SECONDS, ingest, totals, wait_until_visible, warm_up
from bench.servers import Server, product
from rolodesk.database import connect

POLL_SECONDS = 0.002
PROBES = 500
HALF = 0.5
_VISIBLE = "SELECT customer_id FROM event WHERE type_id = %s AND ts >= to_timestamp(%s)"


@dataclass(frozen=True, slots=True)
class Shape:
    """A way to send: how the requests are made, how many events each holds, and how many connections there are."""

    label: str
    requests: Callable[..., list[bytes]]
    size: int
    connections: int
    half: Bar
    full: Bar


SHAPES = (
    Shape("batches of 100", bodies.batches, bodies.BATCH, 8, Bar(0.2, 0.5, is_most=True), Bar(0.5, 1, is_most=True)),
    Shape("single events", bodies.singles, 1, 64, Bar(0.05, 0.2, is_most=True), Bar(0.5, 1, is_most=True)),
)


class Watcher(threading.Thread):
    """Looks for probes until all are seen or it is told to stop; ``seen`` has the moment of each.

    A moment is that at which the answer of the database was here, so it is never too early.
    """

    def __init__(self, type_id: int, since: float, wanted: int) -> None:
        super().__init__(name="watcher", daemon=True)
        self.seen: dict[UUID, float] = {}
        self._question = [type_id, since]
        self._wanted = wanted
        self._until = time.monotonic() + TIMEOUT_SECONDS
        self.is_stopping = False

    def run(self) -> None:
        """Ask every two milliseconds."""
        with connect(application="bench watcher") as connection:
            while len(self.seen) < self._wanted and not self.is_stopping and time.monotonic() < self._until:
                found = connection.execute(_VISIBLE, self._question).fetchall()
                now = time.perf_counter()
                for (customer_id,) in found:
                    self.seen.setdefault(customer_id, now)
                time.sleep(POLL_SECONDS)


def measure(bench: Bench) -> Iterable[Row]:
    """First what the product can do, then half of that, then all."""
    bench.people.grow(bench.sizes.events)
    with product() as server:
        warm_up(bench, server)
        for shape in SHAPES:
            yield from _of(bench, server, shape)


def _of(bench: Bench, server: Server, shape: Shape) -> Iterable[Row]:
    whole = bench.sizes.batches if shape.size > 1 else bench.sizes.singles
    requests = shape.requests(bench.account, bench.people, whole)
    run = ingest(bench, server, requests, whole * shape.size, connections=shape.connections)
    capacity = run.rate / shape.size
    paced = max(10, int(capacity * HALF * bench.sizes.seconds))
    for label, count, rate, bar in (
        ("half load", paced, capacity * HALF, shape.half),
        ("full load", whole, None, shape.full),
    ):
        lags = min(
            (_lags(bench, server, shape, count, rate) for _ in range(bench.sizes.rounds)),
            key=lambda found: percentile(found, 99),
        )
        detail = f"p50 {percentile(lags, 50) * 1000:.0f} ms; {len(lags)} events watched"
        if rate:
            detail += f", {rate * shape.size:,.0f} events/s"
        yield Row(f"{shape.label}, {label}: p99 from the answer to visible", percentile(lags, 99), detail, bar, " s")


def _lags(bench: Bench, server: Server, shape: Shape, count: int, rate: float | None) -> list[float]:
    people = bench.people.some(min(PROBES, count))
    step = count // len(people)
    probes = {index * step: number for index, number in enumerate(people)}
    since = int(time.time() * 1000) / 1000
    requests = shape.requests(bench.account, bench.people, count, probes=probes)
    accepted, _ = totals(bench.connection)
    watcher = Watcher(bench.account.types[PROBE], since, len(probes))
    watcher.start()
    try:
        outcome = drive(server.port, requests, connections=shape.connections, rate=rate)
        watcher.join(TIMEOUT_SECONDS)
    finally:
        watcher.is_stopping = True
        watcher.join()
    # The last probe is not the last event, and the next run counts from a quiet start.
    wait_until_visible(bench.connection, accepted + count * shape.size)
    if len(watcher.seen) < len(probes):
        raise LoadFailed(f"{len(probes) - len(watcher.seen)} of {len(probes)} probes did not become visible")
    # Visible before the answer was here counts as no lag.
    return [
        max(0.0, watcher.seen[bench.people.ids[number - 1]] - outcome.answered[index])
        for index, number in probes.items()
    ]


FIGURE = Figure("lag", "Lag", measure)
