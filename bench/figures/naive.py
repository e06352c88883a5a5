"""The product against the application one would write first: a view, an ORM and a row for each event."""

from collections.abc import Iterable

from bench import bodies
from bench.harness import Bar, Bench, Figure, Row
from bench.load import drive
from bench.naive import database
from bench.pipeline import CONNECTIONS, ingest_batches, ingest_singles, warm_up
from bench.servers import product, threaded

# One process a core: what it would be given here.
WORKERS = 2


def measure(bench: Bench) -> Iterable[Row]:
    """Both by turns; what the naive application has answered is visible."""
    bench.people.grow(bench.sizes.events)
    token = database.make(bench.connection)
    ones, lists, batches, singles = [], [], [], []
    for _ in range(bench.sizes.rounds):
        with threaded("bench.naive.wsgi:application", workers=WORKERS) as server:
            drive(server.port, _ones(bench, token, 40), connections=CONNECTIONS)
            ones.append(drive(server.port, _ones(bench, token, bench.sizes.naive), connections=CONNECTIONS).rate)
            lot = _lists(bench, token, max(1, bench.sizes.naive // bodies.BATCH))
            lists.append(drive(server.port, lot, connections=CONNECTIONS).rate * bodies.BATCH)
        with product() as server:
            warm_up(bench, server)
            batches.append(ingest_batches(bench, server, bench.sizes.batches).rate)
            singles.append(ingest_singles(bench, server, bench.sizes.singles, CONNECTIONS).rate)
    for what, ours, theirs, bar in (
        ("batches of 100 against its one request an event", batches, ones, Bar(15, 15)),
        ("batches of 100 against its own batches of 100", batches, lists, None),
        ("single events against its single events", singles, ones, None),
    ):
        detail = f"{max(ours):,.0f} against {max(theirs):,.0f} events/s visible"
        yield Row(what, max(ours) / max(theirs), detail, bar, " ×")


def _ones(bench: Bench, token: str, count: int) -> list[bytes]:
    authorization = f"Token {token}".encode()
    return [bodies.post("/events/", authorization, _event(one)) for one in bodies.events(bench.people, count)]


def _lists(bench: Bench, token: str, count: int) -> list[bytes]:
    authorization = f"Token {token}".encode()
    items = [_event(one) for one in bodies.events(bench.people, count * bodies.BATCH)]
    parts = [items[n : n + bodies.BATCH] for n in range(0, len(items), bodies.BATCH)]
    return [bodies.post("/events/batch/", authorization, part) for part in parts]


def _event(one: bodies.Sent) -> dict[str, object]:
    return {"customer": one.who, "name": one.name, "properties": one.properties}


FIGURE = Figure("naive", "Against a naive application", measure)
