"""Single events: stored durably, and visible, against an empty view on the same server."""

from collections import defaultdict
from collections.abc import Iterable

from bench import bodies
from bench.harness import Bar, Bench, Figure, Row
from bench.load import drive
from bench.pipeline import ingest_singles, warm_up
from bench.servers import bare, product

CONNECTIONS = (8, 64)
ANSWERED = {8: Bar(0.35, 0.25), 64: Bar(0.55, 0.40)}
VISIBLE = {8: Bar(0.22, 0.15), 64: Bar(0.33, 0.25)}
# Without workers nothing drains the inbox, and full it would refuse.
NO_CAP = 10**9
Rates = dict[int, list[float]]


def measure(bench: Bench) -> Iterable[Row]:
    """The three of them by turns, each with the machine for itself."""
    bench.people.grow(bench.sizes.events)
    empty: Rates = defaultdict(list)
    answered: Rates = defaultdict(list)
    visible: Rates = defaultdict(list)
    for _ in range(bench.sizes.rounds):
        _empty(bench, empty)
        _answered(bench, answered)
        _visible(bench, visible)
    for n in CONNECTIONS:
        best, done = max(empty[n]), max(answered[n])
        detail = f"{done:,.0f} against {best:,.0f} requests/s"
        yield Row(f"answered on {n} connections, no worker running, of an empty view", done / best, detail, ANSWERED[n])
    for n in CONNECTIONS:
        best, done = max(empty[n]), max(visible[n])
        detail = f"{done:,.0f} against {best:,.0f} requests/s"
        yield Row(f"visible on {n} connections, of an empty view", done / best, detail, VISIBLE[n])


def _empty(bench: Bench, rates: Rates) -> None:
    with bare("bench.empty:application") as server:
        drive(server.port, _requests(bench, 0.2), connections=CONNECTIONS[0])
        for n in CONNECTIONS:
            rates[n].append(drive(server.port, _requests(bench), connections=n).rate)


def _answered(bench: Bench, rates: Rates) -> None:
    with product(workers=0, backlog_cap=NO_CAP) as server:
        drive(server.port, _requests(bench, 0.2), connections=CONNECTIONS[0])
        for n in CONNECTIONS:
            # What waits is counted every 20 ms, which workers would keep short.
            bench.connection.execute("TRUNCATE inbox")
            rates[n].append(drive(server.port, _requests(bench), connections=n).rate)
    bench.connection.execute("TRUNCATE inbox")


def _visible(bench: Bench, rates: Rates) -> None:
    with product() as server:
        warm_up(bench, server)
        for n in CONNECTIONS:
            rates[n].append(ingest_singles(bench, server, bench.sizes.singles, n).rate)


def _requests(bench: Bench, share: float = 1.0) -> list[bytes]:
    return bodies.singles(bench.account, bench.people, round(bench.sizes.singles * share))


FIGURE = Figure("singles", "Single events", measure)
