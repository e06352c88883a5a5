"""What is sent: events of this moment with fresh ids. Repeated ones would measure how repeats are found."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec
import uuid_utils.compat as uuids
from ulid import ULID

from bench.account import PROBE, SENT, Account
from bench.population import Population, external_id

BATCH = 100
# One in a hundred is somebody new, as in a shop that grows.
NEW_SHARE = 0.01
CHANNELS = ("web", "app", "shop")


@dataclass(frozen=True, slots=True)
class Sent:
    """An event as a client knows it; ``number`` is None for somebody new."""

    number: int | None
    who: str
    name: str
    properties: dict[str, Any]


def events(people: Population, count: int) -> Iterator[Sent]:
    """So many events of random people."""
    random = people.random
    for n in range(count):
        number = None if random.random() < NEW_SHARE else random.randint(1, len(people.ids))
        who = f"new-{uuids.uuid7()}" if number is None else external_id(number)
        yield Sent(number, who, random.choice(SENT), _properties(random, n))


def _properties(random: Random, n: int) -> dict[str, Any]:
    return {
        "value": random.randint(100, 9000) / 100,
        "items": random.randint(1, 6),
        "order_no": f"B-{n}",
        "channel": random.choice(CHANNELS),
    }


# --- For the product -----------------------------------------------------------------------------


def batches(account: Account, people: Population, count: int, *, probes: dict[int, int] | None = None) -> list[bytes]:
    """Requests of 100 events; ``probes`` says in which of them the last is a probe, and of whom."""
    items = list(events(people, count * BATCH))
    made = []
    for index in range(count):
        batch = [_item(one) for one in items[index * BATCH : (index + 1) * BATCH]]
        if probes and index in probes:
            batch[-1] = _item(_probe(probes[index]))
        made.append(post("/api/v2/batch", account.authorization, {"batch": batch}))
    return made


def singles(account: Account, people: Population, count: int, *, probes: dict[int, int] | None = None) -> list[bytes]:
    """Requests of one event."""
    made = []
    for index, one in enumerate(events(people, count)):
        sent = _probe(probes[index]) if probes and index in probes else one
        body = {"name": sent.name, "data": sent.properties, **_once()}
        made.append(post(f"/api/v1/customers/{sent.who}/events", account.authorization, body))
    return made


def _probe(number: int) -> Sent:
    return Sent(number, external_id(number), PROBE, {})


def _once() -> dict[str, Any]:
    """Id and time of an event that a client could send again."""
    return {"id": str(ULID()), "timestamp": int(time.time() * 1000)}


def _item(one: Sent) -> dict[str, Any]:
    return {
        "type": "person",
        "action": "event",
        "identifiers": {"id": one.who},
        "name": one.name,
        "attributes": one.properties,
        **_once(),
    }


def post(path: str, authorization: bytes, body: object) -> bytes:
    """The bytes of a request."""
    return with_body(b"POST %s HTTP/1.1\r\nAuthorization: %s" % (path.encode(), authorization), body)


def with_body(head: bytes, body: object) -> bytes:
    """Request line and headers with a JSON body behind them."""
    encoded = msgspec.json.encode(body)
    common = b"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d" % len(encoded)
    return b"%s\r\n%s\r\n\r\n%s" % (head, common, encoded)


# --- For COPY ------------------------------------------------------------------------------------


def resolved(account: Account, people: Population, count: int, at: datetime) -> str:
    """The same sort of events as rows of the table, as COPY reads them: with customers, types and amounts known."""
    lines = []
    for n, one in enumerate(events(people, count)):
        owner = uuids.uuid7() if one.number is None else people.ids[one.number - 1]
        props = msgspec.json.encode(one.properties).decode()
        ts = at + timedelta(microseconds=n)
        fields = [owner, ts, uuids.uuid7(), account.types[one.name], at, one.properties["value"], props]
        lines.append("\t".join(map(str, fields)))
    return "\n".join(lines)
