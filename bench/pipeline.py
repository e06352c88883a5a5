"""Sending events to the product, and waiting until the last of them can be seen."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench import bodies, processor
from bench.account import SENT
from bench.harness import Bench
from bench.load import LoadFailed, Outcome, drive
from bench.servers import Server
from rolodesk.database import Connection

POLL_SECONDS = 0.004
TIMEOUT_SECONDS = 120.0
CONNECTIONS = 8
# Workers add to the totals in the transaction that makes the events visible.
_TOTALS = "SELECT coalesce(sum(accepted), 0), coalesce(sum(applied), 0) FROM intake_total"
_WORKERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
_STORED = "SELECT count(*) FROM event WHERE type_id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Ingested:
    """A run from the first byte sent to the last row visible, and the processor time it took everybody but us."""

    outcome: Outcome
    events: int
    seconds: float
    processor_seconds: float

    @property
    def rate(self) -> float:
        """Events made visible a second."""
        return self.events / self.seconds

    @property
    def cost(self) -> float:
        """Processor time of one event."""
        return self.processor_seconds / self.events


def ingest(bench: Bench, server: Server, requests: Sequence[bytes], events: int, *, connections: int) -> Ingested:
    """Send, wait for the last row, and check that each event was new and is there."""
    connection = bench.connection
    accepted, applied = totals(connection)
    stored = _stored(bench)
    before = spent(connection, server)
    outcome = drive(server.port, requests, connections=connections)
    visible_at = wait_until_visible(connection, accepted + events)
    cost = spent(connection, server) - before
    new = totals(connection)[1] - applied
    if (new, _stored(bench) - stored) != (events, events):
        raise LoadFailed(f"of {events} events {new} were applied and {_stored(bench) - stored} stored")
    return Ingested(outcome, events, visible_at - outcome.began_at, cost)


def ingest_batches(bench: Bench, server: Server, count: int) -> Ingested:
    """The measure of throughput: batches of 100 on eight connections."""
    requests = bodies.batches(bench.account, bench.people, count)
    return ingest(bench, server, requests, count * bodies.BATCH, connections=CONNECTIONS)


def ingest_singles(bench: Bench, server: Server, count: int, connections: int) -> Ingested:
    """Single events."""
    requests = bodies.singles(bench.account, bench.people, count)
    return ingest(bench, server, requests, count, connections=connections)


def warm_up(bench: Bench, server: Server) -> None:
    """Until each worker has its stages and the web process its connection."""
    workers = len(server.pids) - 1
    until = time.monotonic() + TIMEOUT_SECONDS
    while (_one(bench.connection, _WORKERS, "rolodesk ingest") or 0) < workers:
        if time.monotonic() > until:
            raise LoadFailed("the workers did not start")
        time.sleep(0.05)
    for _ in range(2):
        ingest_batches(bench, server, max(2, bench.sizes.batches // 10))


def wait_until_visible(connection: Connection, accepted: int) -> float:
    """The moment when workers had dealt with so many events since the beginning."""
    until = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < until:
        if totals(connection)[0] >= accepted:
            return time.perf_counter()
        time.sleep(POLL_SECONDS)
    raise LoadFailed("events that were accepted did not become visible")


def spent(connection: Connection, server: Server) -> float:
    """Processor time so far of the product and of the whole database server, but for our own connection."""
    postmaster = processor.postmaster(connection)
    roots = [*server.pids, postmaster] if postmaster else server.pids
    return processor.of_trees(roots) - processor.own(connection.info.backend_pid) * bool(postmaster)


def totals(connection: Connection) -> tuple[int, int]:
    """How many events workers have dealt with so far, and how many of them had an effect."""
    row = connection.execute(_TOTALS).fetchone() or (0, 0)
    return int(row[0]), int(row[1])


def _stored(bench: Bench) -> int:
    return _one(bench.connection, _STORED, bench.account.type_ids(SENT))


def _one(connection: Connection, statement: str, value: object) -> int:
    row = connection.execute(statement, [value]).fetchone()
    return int(row[0]) if row else 0
