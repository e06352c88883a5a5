"""Events in batches of 100, from the first byte to the last visible row, against one COPY of resolved rows."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from bench import bodies, processor
from bench.account import SENT
from bench.harness import Bar, Bench, Figure, Row
from bench.pipeline import CONNECTIONS, ingest_batches, warm_up
from bench.servers import product

COPY = "COPY event (customer_id, ts, id, type_id, received_at, revenue, raw_props) FROM STDIN"
# Nobody counted these rows, so they must not stay.
_TAKE_AWAY = "DELETE FROM event WHERE type_id = ANY(%s) AND received_at = %s AND ts >= %s"


def measure(bench: Bench) -> Iterable[Row]:
    """COPY and the product by turns."""
    bench.people.grow(bench.sizes.events)
    count = bench.sizes.batches
    copies, runs = [], []
    for _ in range(bench.sizes.rounds):
        copies.append(copy(bench, count * bodies.BATCH))
        with product() as server:
            warm_up(bench, server)
            runs.append(ingest_batches(bench, server, count))
    copied, copy_cost = max(rate for rate, _ in copies), min(cost for _, cost in copies)
    rate, cost = max(run.rate for run in runs), min(run.cost for run in runs)
    refused = sum(run.outcome.refused for run in runs)
    yield Row(
        f"batches of 100 on {CONNECTIONS} connections, visible, of one COPY",
        rate / copied,
        f"{rate:,.0f} against {copied:,.0f} events/s" + (f"; {refused} times refused" if refused else ""),
        Bar(0.30, 0.20),
    )
    if copy_cost:
        yield Row(
            "the same by processor time of all processes",
            copy_cost / cost,
            f"{cost * 1e6:.0f} µs against {copy_cost * 1e6:.0f} µs an event",
            Bar(0.167, 0.125),
        )


def copy(bench: Bench, count: int) -> tuple[float, float]:
    """Rows a second, and the processor time of a row (0: the server is elsewhere)."""
    now = datetime.now(UTC)
    rows = bodies.resolved(bench.account, bench.people, count, now)
    backend, is_here = bench.connection.info.backend_pid, processor.postmaster(bench.connection)
    before = processor.own(backend) + time.process_time()
    began_at = time.perf_counter()
    with bench.connection.cursor() as cursor, cursor.copy(COPY) as stream:
        stream.write(rows)
    seconds = time.perf_counter() - began_at
    cost = processor.own(backend) + time.process_time() - before if is_here else 0.0
    bench.connection.execute(_TAKE_AWAY, [bench.account.type_ids(SENT), now, now])
    bench.connection.execute("VACUUM event")
    return count / seconds, cost / count


FIGURE = Figure("batches", "Events in batches", measure)
