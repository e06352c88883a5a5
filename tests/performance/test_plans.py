"""Plans of the big lists on some thousand rows: each reads by the index that was made for it (physical design).

The statements are those that the gates really send; they are caught and explained with their own values.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers import access, search
from customers.access import Viewer
from customers.identifiers import lookup_digest
from customers.models import Customer, IdentifierKind, IdentifierLookup
from rolodesk import partitions
from rolodesk.database import Connection, connect
from segments import memberships
from tests.cast import make_cast
from tests.factories import grant_on_segment, make_segment
from tracking import timeline
from tracking.intake import inbox
from tracking.intake import sql as intake
from tracking.intake.operations import Ref, Track
from tracking.models import EventDefinition
from tracking.timeline import Filters

pytestmark = [pytest.mark.slow, pytest.mark.django_db]  # whichever is first fills the tables

CUSTOMERS, EVENTS, WAITING, MONTHS, SEGMENTS = 20_000, 30_000, 3000, 8, 4
YEAR, PAGE = 2025, 50
# The heavy user, and the two months he was here.
STAR = UUID(int=0xABCDEF)
HERE_FROM, HERE_TO = datetime(YEAR, 4, 2, tzinfo=UTC), datetime(YEAR, 5, 28, tzinfo=UTC)
FIRST_MONTHS = [date(YEAR, month, 1) for month in range(1, MONTHS + 1)]
VISIT = Track(Ref("external_id", "C-1"), "Visit")
Node = dict[str, Any]

FILL = """
INSERT INTO customer (id, workspace_id, state, is_restricted, created_at, updated_at, first_seen, last_seen)
SELECT gen_random_uuid(), %(workspace)s, 'active', false, %(start)s, %(start)s, %(start)s,
       %(start)s + make_interval(mins => n * 7) FROM generate_series(1, %(customers)s) n;
INSERT INTO customer (id, workspace_id, state, is_restricted, created_at, updated_at, first_seen, last_seen)
VALUES (%(star)s, %(workspace)s, 'active', false, %(start)s, %(start)s, %(from)s, %(to)s);
INSERT INTO customer_profile (customer_id, raw_props, base_ts, props_ts)
SELECT id, jsonb_build_object('name', 'anna ' || right(id::text, 6)), %(start)s, '{}' FROM customer;
INSERT INTO customer_identifier (customer_id, kind_id, raw_normal, raw_value, raw_folded, digest, last_used)
SELECT id, %(kind)s, 'C-' || right(id::text, 9), 'C-' || right(id::text, 9), 'c-' || right(id::text, 9),
       gen_random_uuid(), %(start)s FROM customer;
INSERT INTO identifier_lookup (workspace_id, kind_id, digest, customer_id)
SELECT %(workspace)s, kind_id, digest, customer_id FROM customer_identifier;
INSERT INTO customer_search (customer_id, raw_line)
SELECT id, 'c-' || right(id::text, 9) || E'\\nanna ' || md5(id::text) FROM customer;
INSERT INTO event (customer_id, ts, id, type_id, received_at, raw_props)
SELECT c.id, %(start)s + make_interval(hours => (n * 5) %% (24 * 230)), gen_random_uuid(), %(type)s, %(start)s, '{}'
FROM generate_series(1, %(events)s) n
JOIN (SELECT id, row_number() OVER () AS place FROM customer) c ON c.place = n %% %(customers)s + 1;
INSERT INTO event (customer_id, ts, id, type_id, received_at, raw_props)
SELECT %(star)s, ts, gen_random_uuid(), %(type)s, ts, '{}'
FROM generate_series(%(from)s::timestamptz, %(to)s::timestamptz, '1 hour') ts;
INSERT INTO event_counter (customer_id, type_id, n, first_at, last_at, revenue)
SELECT customer_id, type_id, count(*), min(ts), max(ts), 1 FROM event GROUP BY 1, 2;
INSERT INTO segment_member (segment_id, customer_id, entered_at, generation)
SELECT %(segment)s + place, id, %(start)s, 0 FROM customer, generate_series(0, %(segments)s - 1) place;
VACUUM (ANALYZE);
"""


@dataclass(frozen=True, slots=True)
class Plenty:
    """The filled database, and viewers of its workspace."""

    lead: Viewer
    queue: Viewer
    number: str


@pytest.fixture(scope="module")
def plenty(django_db_setup: None, django_db_blocker: Any) -> Iterator[Plenty]:
    """Some thousand customers and events over eight months, analysed; all of it goes afterwards."""
    with django_db_blocker.unblock():
        with connect(application="test") as side:
            known = partitions.existing(side, partitions.EVENT)
            partitions.make(side, partitions.EVENT, FIRST_MONTHS)
        try:
            yield _fill()
        finally:
            call_command("flush", interactive=False, verbosity=0)
            with connect(application="test") as side:
                for name in sorted(partitions.existing(side, partitions.EVENT) - known):
                    side.execute(f"DROP TABLE {name}")


def _fill() -> Plenty:
    cast = make_cast()
    segment, *_ = [make_segment(cast.workspace, f"Queue {n}", is_access_scope=True) for n in range(SEGMENTS)]
    grant_on_segment(cast.support, segment)
    kind = IdentifierKind.objects.get(workspace=cast.workspace, name="external_id")
    definition = EventDefinition.objects.create(
        workspace=cast.workspace, kind="event", name="Purchase", revenue_property="amount"
    )
    # With it, rows of which not everybody may know are left out by the statement.
    EventDefinition.objects.create(workspace=cast.workspace, kind="system", name="segment_entered")
    parameters: dict[str, Any] = {
        "workspace": cast.workspace.pk, "kind": kind.pk, "type": definition.pk, "segment": segment.pk, "star": STAR,
        "start": datetime(YEAR, 1, 1, tzinfo=UTC), "from": HERE_FROM, "to": HERE_TO, "customers": CUSTOMERS,
        "events": EVENTS, "segments": SEGMENTS,
    }  # fmt: skip
    with connect(application="test") as side:
        inbox.write(side, [inbox.submission(cast.workspace.pk, "track", [VISIT])] * WAITING)
    with connection.cursor() as cursor:
        for statement in FILL.split(";\n"):
            if statement.strip():
                cursor.execute(statement, parameters if "%" in statement else None)
    number = f"C-{str(STAR)[-9:]}"
    # The other digests are of nothing; his is the one that his number leads to.
    IdentifierLookup.objects.filter(customer_id=STAR).update(digest=lookup_digest(cast.workspace.pk, kind.pk, number))
    lead, queue = (access.resolve(user, cast.workspace.pk, face="ui") for user in (cast.lead, cast.support))
    return Plenty(lead, queue, number)


# --- Explaining ----------------------------------------------------------------------------------


def nodes(plan: Node) -> Iterator[Node]:
    """All nodes of a plan."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def sent(call: Callable[[], Any], *words: str) -> str:
    """The one statement with all of these words among those that a call sends."""
    with CaptureQueriesContext(connection) as queries:
        call()
    found = [query["sql"] for query in queries if all(word in query["sql"] for word in words)]
    assert len(found) == 1, found
    return found[0]


def plan_of(statement: str) -> list[Node]:
    """The nodes of its plan; the server chooses freely."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        document = cursor.fetchone()[0]
    return list(nodes((json.loads(document) if isinstance(document, str) else document)[0]["Plan"]))


def indexes(found: list[Node]) -> set[str]:
    """Names of the indexes that a plan reads."""
    return {node["Index Name"] for node in found if "Index Name" in node}


def scanned(found: list[Node]) -> set[str]:
    """Names of the tables that a plan reads from end to end."""
    return {node["Relation Name"] for node in found if node["Node Type"] in ("Seq Scan", "Parallel Seq Scan")}


def months(found: list[Node]) -> set[str]:
    """The partitions of events that a plan may touch."""
    return {name for node in found if (name := str(node.get("Relation Name", ""))).startswith("event_2")}


# --- Lists and search --------------------------------------------------------------------------------


def test_the_list_reads_its_own_index(plenty: Plenty) -> None:
    found = plan_of(sent(lambda: search.listing(plenty.lead), 'FROM "customer"', "ORDER BY"))
    assert indexes(found) == {"customer_list"}
    assert "Sort" not in {node["Node Type"] for node in found}


def test_a_page_further_down_reads_the_same_index_from_there_on(plenty: Plenty) -> None:
    cursor = search.listing(plenty.lead).next_cursor
    found = plan_of(sent(lambda: search.listing(plenty.lead, cursor), 'FROM "customer"', "ORDER BY"))
    assert indexes(found) == {"customer_list"}
    (scan,) = (node for node in found if node.get("Index Name") == "customer_list")
    assert "last_seen <= " in scan["Index Cond"]


def test_a_whole_identifier_is_found_by_the_primary_key_of_the_look_up_table(plenty: Plenty) -> None:
    for text in (plenty.number, "C-nobody"):  # a hit and a miss alike
        found = plan_of(sent(lambda text=text: search.find(plenty.lead, text), 'FROM "identifier_lookup"'))  # type: ignore[misc]
        assert indexes(found) == {"identifier_lookup_pkey"}, text
        assert scanned(found) == set(), text


def test_the_beginning_of_a_number_is_found_by_the_index_for_prefixes(plenty: Plenty) -> None:
    part = plenty.number[:8]
    found = plan_of(sent(lambda: search.find(plenty.lead, part), '"raw_folded" >='))
    assert "customer_identifier_prefix" in indexes(found)
    assert scanned(found) == set()


def test_a_part_of_a_name_is_found_by_the_trigram_index(plenty: Plenty) -> None:
    found = plan_of(sent(lambda: search.find(plenty.lead, "nna a1b2c"), '"raw_line"'))
    assert "customer_search_line" in indexes(found)
    assert scanned(found) == set()


def test_a_part_of_a_name_is_found_so_under_a_grant_on_a_segment_too(plenty: Plenty) -> None:
    found = plan_of(sent(lambda: search.find(plenty.queue, "nna a1b2c"), '"raw_line"'))
    assert "customer_search_line" in indexes(found)
    assert scanned(found) == set()


# --- Clearance -----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["lead", "queue"])
def test_the_clearance_of_a_page_is_one_statement_by_primary_keys(plenty: Plenty, who: str) -> None:
    viewer, ids = getattr(plenty, who), list(Customer.objects.values_list("pk", flat=True)[:PAGE])
    with CaptureQueriesContext(connection) as queries:
        assert len(access.clearances(viewer, ids)) == PAGE
    (query,) = queries.captured_queries
    found = plan_of(query["sql"])
    assert "customer_pkey" in indexes(found)
    assert indexes(found) <= {"customer_pkey", "segment_member_pkey", "segment_member_by_customer"}
    assert scanned(found) == set()


def test_memberships_of_a_page_are_read_by_customer(plenty: Plenty) -> None:
    ids = list(Customer.objects.values_list("pk", flat=True)[:PAGE])
    found = plan_of(sent(lambda: memberships.of_customers(plenty.lead, ids), 'FROM "segment_member"', "entered_at"))
    assert indexes(found) <= {"segment_member_by_customer", "segment_member_pkey"}
    assert indexes(found)
    assert scanned(found) == set()


# --- Events --------------------------------------------------------------------------------------


def timeline_plan(plenty: Plenty, filters: Filters, cursor: str = "") -> list[Node]:
    """The plan of a page of the heavy user's timeline."""
    return plan_of(sent(lambda: timeline.page(plenty.lead, STAR, filters, cursor), 'FROM "event"', "ORDER BY"))


def keys_of(found: list[Node]) -> set[str]:
    """The months whose primary key a plan reads."""
    return {name.removesuffix("_pkey") for name in indexes(found) if re.fullmatch(r"event_\d{6}_pkey", name)}


def test_the_timeline_reads_the_primary_key_of_the_months_that_somebody_was_here(plenty: Plenty) -> None:
    found = timeline_plan(plenty, Filters())
    assert months(found) == keys_of(found) == {f"event_{YEAR}04", f"event_{YEAR}05"}
    assert scanned(found) == set()


def test_the_next_page_leaves_out_the_months_that_are_past(plenty: Plenty) -> None:
    filters = Filters(order="oldest")
    cursor = timeline.page(plenty.lead, STAR, filters).next_cursor
    found = timeline_plan(plenty, filters, cursor)
    assert months(found) == keys_of(found) == {f"event_{YEAR}04", f"event_{YEAR}05"}
    late = Filters(since=date(YEAR, 5, 3))
    cursor = timeline.page(plenty.lead, STAR, late).next_cursor
    assert months(timeline_plan(plenty, late, cursor)) == {f"event_{YEAR}05"}


def test_days_of_one_month_touch_no_other(plenty: Plenty) -> None:
    found = timeline_plan(plenty, Filters(since=date(YEAR, 4, 5), until=date(YEAR, 4, 20)))
    assert months(found) == keys_of(found) == {f"event_{YEAR}04"}


def test_there_are_months_enough_to_leave_out(plenty: Plenty) -> None:
    with connect(application="test") as side:
        assert len(partitions.existing(side, partitions.EVENT)) >= MONTHS


def test_counters_are_read_by_their_key(plenty: Plenty) -> None:
    one = sent(lambda: timeline.page(plenty.lead, STAR, Filters()), 'FROM "event_counter"')
    ids = list(Customer.objects.values_list("pk", flat=True)[:PAGE])
    many = sent(lambda: timeline.values(plenty.lead, ids), 'FROM "event_counter"')
    for statement in (one, many):
        found = plan_of(statement)
        assert indexes(found) == {"event_counter_pkey"}, statement
        assert scanned(found) == set(), statement


# --- Intake --------------------------------------------------------------------------------------


class Explaining:
    """A connection that explains statements instead of sending them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.plans: list[list[Node]] = []

    def execute(self, statement: str, parameters: Any = None) -> list[Any]:
        """The plan is kept; no row comes back."""
        row = self.connection.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters).fetchone()
        assert row is not None
        document = json.loads(row[0]) if isinstance(row[0], str) else row[0]
        self.plans.append(list(nodes(document[0]["Plan"])))
        return []


def test_a_batch_is_claimed_by_the_key_of_the_inbox(plenty: Plenty) -> None:
    with connect(application="test") as side:
        explaining = Explaining(side)
        intake.claim(explaining, 500)  # type: ignore[arg-type]  # all that it asks of a connection
    (found,) = explaining.plans
    # The other one is asked only whether anything must keep its place in the order.
    assert "inbox_pkey" in indexes(found) <= {"inbox_pkey", "inbox_serial"}
    assert scanned(found) == set()
