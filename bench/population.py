"""Customers and events that are there before anything is measured, written by COPY and set-based SQL."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import uuid_utils.compat as uuids

from bench.account import STORED, Account
from bench.database import settle
from customers.folding import fold
from customers.identifiers import lookup_digest
from customers.models import IdentifierKind
from rolodesk import partitions
from rolodesk.database import Connection
from rolodesk.staging import copy_lines

SPAN = timedelta(days=365)
CHUNK = 250_000
KINDS = ("external_id", "email", "phone")
# Names are made of these, so that parts of them repeat as parts of real names do.
SYLLABLES = ["ba", "ker", "lin", "mo", "nas", "ost", "pe", "sal", "tor", "vel", "di", "gan", "hu", "ri", "zu"]

STAGE = """
CREATE TEMPORARY TABLE bench_person (
  number int PRIMARY KEY, id uuid, name text, line text,
  external_id text, email text, phone text, external_digest uuid, email_digest uuid, phone_digest uuid)
"""
PEOPLE = (
    """
INSERT INTO customer (id, workspace_id, state, is_restricted, created_at, updated_at, first_seen, last_seen)
SELECT id, %(workspace)s, 'active', false, %(since)s, %(since)s, %(since)s, %(since)s FROM bench_person ORDER BY id
""",
    """
INSERT INTO customer_profile (customer_id, raw_props, base_ts, props_ts)
SELECT id, jsonb_build_object('name', name, 'plan', (ARRAY['free', 'silver', 'gold'])[1 + number %% 3],
                              'city', 'Town ' || number %% 400, 'orders_count', number %% 50), %(since)s, '{}'
FROM bench_person ORDER BY id
""",
    """
INSERT INTO customer_search (customer_id, raw_line) SELECT id, line FROM bench_person ORDER BY id
""",
    """
INSERT INTO customer_identifier (customer_id, kind_id, raw_value, raw_normal, raw_folded, digest, last_used)
SELECT p.id, k.kind_id, k.value, k.value, k.value, k.digest, %(since)s FROM bench_person p, LATERAL (VALUES
  (%(external_id)s, p.external_id, p.external_digest), (%(email)s, p.email, p.email_digest),
  (%(phone)s, p.phone, p.phone_digest)) AS k (kind_id, value, digest)
ORDER BY p.id, k.kind_id
""",
    """
INSERT INTO identifier_lookup (workspace_id, kind_id, digest, customer_id)
SELECT %(workspace)s, k.kind_id, k.digest, p.id FROM bench_person p, LATERAL (VALUES
  (%(external_id)s, p.external_digest), (%(email)s, p.email_digest), (%(phone)s, p.phone_digest))
  AS k (kind_id, digest)
ORDER BY k.kind_id, k.digest
""",
)
# Few customers have many events and many have few: the square of a random number sees to that.
EVENTS = """
INSERT INTO event (customer_id, ts, id, type_id, received_at, revenue, raw_props)
SELECT p.id, e.ts, gen_random_uuid(), e.type_id, e.ts + interval '1 second', e.value,
       jsonb_build_object('value', e.value, 'items', e.n %% 7, 'order_no', 'A-' || e.n, 'channel', 'web')
FROM (SELECT 1 + floor(%(people)s * power(random(), 2))::int AS number, n,
             %(now)s - random() * %(span)s::interval AS ts, round((random() * 90)::numeric, 2) AS value,
             (%(types)s::int[])[1 + floor(random() * cardinality(%(types)s::int[]))::int] AS type_id
      FROM generate_series(1, %(count)s) n) e
JOIN bench_person p USING (number)
"""
SUMS = (
    "TRUNCATE event_counter",
    """
INSERT INTO event_counter (customer_id, type_id, n, first_at, last_at, revenue)
SELECT customer_id, type_id, count(*), min(ts), max(ts), sum(revenue) FROM event GROUP BY customer_id, type_id
ORDER BY customer_id, type_id
""",
    """
UPDATE customer c SET first_seen = s.first_at, last_seen = s.last_at
FROM (SELECT customer_id, min(first_at) AS first_at, max(last_at) AS last_at FROM event_counter GROUP BY 1) s
WHERE c.id = s.customer_id
""",
)


@dataclass(slots=True)
class Population:
    """The people, by number from 1, and how many events of theirs are stored. ``random`` repeats itself."""

    connection: Connection
    account: Account
    ids: list[UUID]
    events: int = 0
    random: Random = field(default_factory=lambda: Random(1))

    def grow(self, events: int) -> None:
        """Store events until there are so many; nothing to do where there are."""
        if events <= self.events:
            return
        now = datetime.now(UTC)
        partitions.make(self.connection, partitions.EVENT, (now.date() - timedelta(days=day) for day in range(366)))
        partitions.make_ahead(self.connection, now.date())
        while self.events < events:
            count = min(CHUNK, events - self.events)
            types = self.account.type_ids(STORED)
            self.connection.execute(
                EVENTS, {"people": len(self.ids), "now": now, "span": SPAN, "types": types, "count": count}
            )
            self.events += count
        for statement in SUMS:
            self.connection.execute(statement)
        settle(self.connection)

    def some(self, count: int) -> list[int]:
        """Numbers of so many different people, from the busy to the quiet."""
        return self.random.sample(range(1, len(self.ids) + 1), min(count, len(self.ids)))


def external_id(number: int) -> str:
    """The customer number of a person."""
    return f"c{number:07}"


def email(number: int) -> str:
    """His address."""
    return f"person{number}@mail.example"


def make_population(connection: Connection, account: Account, customers: int) -> Population:
    """Write the people; their events come with ``grow``."""
    kinds = dict(IdentifierKind.objects.filter(workspace_id=account.workspace_id).values_list("name", "pk"))
    ids = [uuids.uuid7() for _ in range(customers)]
    connection.execute(STAGE)
    copy_lines(connection, "bench_person", _lines(account.workspace_id, kinds, ids))
    values = {"workspace": account.workspace_id, "since": datetime.now(UTC) - SPAN, **{k: kinds[k] for k in KINDS}}
    for statement in PEOPLE:
        connection.execute(statement, values)
    return Population(connection, account, ids)


def _lines(workspace_id: int, kinds: dict[str, int], ids: list[UUID]) -> Iterator[str]:
    random = Random(2)
    for number, id_ in enumerate(ids, 1):
        name = " ".join("".join(random.choices(SYLLABLES, k=k)).title() for k in (2, 3))
        values = (external_id(number), email(number), f"+4930{number:08}")
        digests = [lookup_digest(workspace_id, kinds[k], value) for k, value in zip(KINDS, values, strict=True)]
        # COPY's own way to write the line feeds that part the values of a search line.
        line = "\\n".join([*values, fold(name)])
        yield "\t".join([str(number), str(id_), name, line, *values, *map(str, digests)])
