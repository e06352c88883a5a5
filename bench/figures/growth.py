"""What ten times as many stored events do to the cost of a new one."""

from collections.abc import Iterable

from bench.harness import Bar, Bench, Figure, Row
from bench.pipeline import Ingested, ingest_batches, warm_up
from bench.servers import product

TIMES = 10


def measure(bench: Bench) -> Iterable[Row]:
    """Runs first: nothing can be taken away again."""
    wanted = bench.sizes.events // TIMES
    if bench.people.events > wanted:
        return
    bench.people.grow(wanted)
    few = _runs(bench)
    bench.people.grow(bench.sizes.events)
    many = _runs(bench)
    cheap, dear = min(one.cost for one in few), min(one.cost for one in many)
    fast, slow = max(one.rate for one in few), max(one.rate for one in many)
    yield Row(
        "processor time of an event, 10 times as many stored",
        dear / cheap,
        f"{dear * 1e6:.0f} µs against {cheap * 1e6:.0f} µs, all processes",
        Bar(1.2, 1.5, is_most=True),
    )
    yield Row(
        "rate, 10 times as many stored",
        slow / fast,
        f"{slow:,.0f} against {fast:,.0f} events/s visible",
        Bar(0.85, 0.65),
    )


def _runs(bench: Bench) -> list[Ingested]:
    with product() as server:
        warm_up(bench, server)
        return [ingest_batches(bench, server, bench.sizes.batches) for _ in range(bench.sizes.rounds)]


FIGURE = Figure("growth", "Growth", measure)
