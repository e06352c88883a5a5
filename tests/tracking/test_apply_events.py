"""Events: each counts once whatever is sent again, and counters and times say what the events say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import pytest
from ulid import ULID

from customers.models import Customer, Workspace
from rolodesk.json import Json
from tests.factories import make_workspace
from tests.intake import DAY, HOUR, MINUTE, NOON, SECOND, Gate, damage, identify, micros, open_gate, ref, track
from tracking.intake.operations import Track
from tracking.intake.sql import MIDNIGHT_MARGIN, days_of
from tracking.models import Event, EventCounter, EventDefinition
from tracking.services.definitions import declare_event

pytestmark = pytest.mark.django_db(transaction=True)

MIDNIGHT = datetime(2026, 3, 5, tzinfo=UTC)
ULID_ID = str(ULID.from_timestamp(micros(NOON - HOUR) // 1000))
UUID7_ID = "019cb885-5c80-7000-8000-0000000000aa"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def gate(workspace: Workspace) -> Iterator[Gate]:
    with open_gate(workspace) as gate:
        yield gate


def counter(gate: Gate, who: str = "c1", **definition: str) -> EventCounter:
    type_id = EventDefinition.objects.get(workspace=gate.workspace, **(definition or {"name": "Visit"})).pk
    return EventCounter.objects.get(customer_id=gate.owner(who), type_id=type_id)


# --- Repeats -------------------------------------------------------------------------------------

REPEATED = [
    track("c1", client_id="order-5"),
    track("c1", client_id="order-6", at=NOON - HOUR),
    track("c1", client_id=ULID_ID),
    track("c1", client_id=UUID7_ID),
    track("c1", client_id="6f1cb4a2-3f3a-4c55-9d5f-0c6a6e0d3a11"),
    track("c1", client_id="12345678901234567890123456"),  # looks like a ULID
    track("c1", client_id="order-7", at=NOON + 9 * DAY),
]


def test_a_repeat_has_no_effect_in_the_same_batch_or_a_later_one(gate: Gate) -> None:
    times = len(REPEATED)
    assert gate.apply(*REPEATED, *REPEATED) == {"applied": times, "duplicate": times}
    stored = list(Event.objects.order_by("id").values())
    # A retry is received later; its time must not make it another event.
    assert gate.apply(*REPEATED, at=NOON + 5 * MINUTE) == {"duplicate": times}
    assert gate.apply(*REPEATED, identify("c1", plan="gold"), at=NOON + 9 * HOUR) == {"applied": 1, "duplicate": times}
    assert list(Event.objects.order_by("id").values()) == stored
    assert counter(gate).n == times == len(stored)
    assert damage() == set()


def test_without_an_id_two_items_are_two(gate: Gate) -> None:
    twice = (track("c1", at=NOON - HOUR), track("c1", at=NOON - HOUR))
    assert gate.apply(*twice) == {"applied": 2}
    assert gate.apply(*twice) == {"applied": 2}
    assert counter(gate).n == 4


def test_ids_are_told_apart_by_workspace(gate: Gate) -> None:
    with open_gate(make_workspace("Elsewhere"), slot=1) as other:
        for operation in (track("c1", client_id="order-5"), track("c1", client_id=ULID_ID)):
            assert gate.apply(operation) == {"applied": 1}
            assert other.apply(operation) == {"applied": 1}


def test_an_id_without_a_time_counts_once_among_all_customers_of_a_workspace(gate: Gate) -> None:
    assert gate.apply(track("c1", client_id="order-5"), track("c2", client_id="order-5")) == {
        "applied": 1,
        "duplicate": 1,
    }
    assert gate.apply(track("c3", client_id="order-5")) == {"duplicate": 1}
    assert Event.objects.get().customer_id == gate.owner("c1")


def test_the_first_of_repeats_is_the_one_that_is_kept(gate: Gate) -> None:
    gate.apply(track("c1", client_id="order-5", amount=1), track("c1", client_id="order-5", amount=2))
    assert Event.objects.get().raw_props == {"amount": 1}


def test_an_event_of_the_same_time_with_another_id_is_another(gate: Gate) -> None:
    assert gate.apply(*(track("c1", client_id=f"order-{n}", at=NOON) for n in range(5))) == {"applied": 5}
    assert counter(gate).n == 5


# --- Repeats around midnight ---------------------------------------------------------------------


@pytest.mark.parametrize("gap", [2 * SECOND, 2 * MIDNIGHT_MARGIN + MINUTE, 23 * HOUR, 6 * DAY, 7 * DAY - HOUR])
def test_a_repeat_on_the_other_side_of_midnight_is_one(gate: Gate, time_machine: Any, gap: timedelta) -> None:
    time_machine.move_to(MIDNIGHT - SECOND)
    assert gate.apply(track("c1", client_id="order-5"), at=MIDNIGHT - SECOND) == {"applied": 1}
    time_machine.move_to(MIDNIGHT - SECOND + gap)
    with open_gate(gate.workspace, slot=1) as later:
        assert later.apply(track("c1", client_id="order-5"), at=MIDNIGHT - SECOND + gap) == {"duplicate": 1}
    assert counter(gate).n == 1


def test_near_midnight_an_id_is_remembered_under_both_days() -> None:
    today, tomorrow = (MIDNIGHT - DAY).date(), MIDNIGHT.date()
    assert days_of(MIDNIGHT - MIDNIGHT_MARGIN - SECOND) == [today]
    assert days_of(MIDNIGHT - MIDNIGHT_MARGIN) == days_of(MIDNIGHT + MIDNIGHT_MARGIN - SECOND) == [today, tomorrow]
    assert days_of(MIDNIGHT + MIDNIGHT_MARGIN) == [tomorrow]
    # Whatever zone the clock of the caller has.
    assert days_of((MIDNIGHT + HOUR).astimezone(datetime.now().astimezone().tzinfo)) == [tomorrow]


# --- What is stored ------------------------------------------------------------------------------


def test_counters_equal_the_events_and_first_and_last_widen(gate: Gate) -> None:
    gate.apply(track("c1", at=NOON - HOUR), track("c1", "Order", at=NOON - 2 * HOUR), track("c2", at=NOON))
    gate.apply(
        track("c1", at=NOON - 400 * DAY), track("c1", at=NOON - 30 * MINUTE), track("c1", "Order", at=NOON - HOUR)
    )
    visits, orders = counter(gate), counter(gate, name="Order")
    assert (visits.n, visits.first_at, visits.last_at) == (3, NOON - 400 * DAY, NOON - 30 * MINUTE)
    assert (orders.n, orders.first_at, orders.last_at) == (2, NOON - 2 * HOUR, NOON - HOUR)
    one, two = (Customer.objects.get(pk=gate.owner(who)) for who in ("c1", "c2"))
    assert (one.first_seen, one.last_seen) == (NOON - 400 * DAY, NOON - 30 * MINUTE)
    assert two.first_seen == two.last_seen == NOON
    assert damage() == set()


def test_an_older_event_does_not_take_back_what_was_seen(gate: Gate) -> None:
    gate.apply(track("c1", at=NOON - 2 * HOUR), track("c1", at=NOON))
    gate.apply(track("c1", at=NOON - HOUR))
    customer = Customer.objects.get()
    assert (customer.first_seen, customer.last_seen) == (NOON - 2 * HOUR, NOON)


AMOUNTS: list[tuple[Json, Decimal | None]] = [
    (19, Decimal(19)),
    (19.25, Decimal("19.25")),
    ("19.25", Decimal("19.25")),
    (" 7 ", Decimal(7)),
    (Decimal("0.123456"), Decimal("0.123456")),
    (-5, Decimal(-5)),
    (0, Decimal(0)),
    ("1e3", Decimal(1000)),
    (10**13, None),
    (-(10**13), None),
    (9_999_999_999_999.5, Decimal("9999999999999.5")),
    ("NaN", None),
    ("sNaN", None),
    ("Infinity", None),
    ("1e999999999999999999999999", None),
    ("nineteen", None),
    ("", None),
    (True, None),
    (None, None),
    ([19], None),
    ({"value": 19}, None),
]


def test_revenue_is_the_amount_that_the_definition_names(gate: Gate) -> None:
    declare_event(workspace_id=gate.workspace.pk, name="Visit", revenue_property="amount")
    gate.apply(*(track(f"c{n}", amount=value) for n, (value, _) in enumerate(AMOUNTS)), track("other", price=5))
    for n, (value, revenue) in enumerate(AMOUNTS):
        assert Event.objects.get(customer_id=gate.owner(f"c{n}")).revenue == revenue, value
        assert counter(gate, f"c{n}").revenue == revenue, value
    assert counter(gate, "other").revenue is None


def test_revenue_adds_up_over_batches_with_and_without_amounts(gate: Gate) -> None:
    declare_event(workspace_id=gate.workspace.pk, name="Visit", revenue_property="amount")
    for amounts, total in [((None,), None), ((10, None), 10), ((None,), 10), ((2.5, -1), Decimal("11.5"))]:
        # Null counts as no amount.
        gate.apply(*(track("c1", amount=amount) for amount in amounts))
        assert counter(gate).revenue == total
    assert counter(gate).n == 6
    assert damage() == set()


def test_without_a_named_property_there_is_no_revenue(gate: Gate) -> None:
    gate.apply(track("c1", revenue=5, amount=5))
    assert Event.objects.get().revenue is None and counter(gate).revenue is None


def test_views_of_pages_share_a_definition_and_keep_their_address(gate: Gate) -> None:
    kinds: list[tuple[Literal["page", "screen"], str]] = [("page", "Page view"), ("screen", "Screen view")]
    for kind, name in kinds:
        gate.apply(Track(ref("c1"), "https://a.example/1", kind), Track(ref("c1"), "/2", kind, {kind: "mine"}))
        definition = EventDefinition.objects.get(kind=kind)
        assert (definition.name, counter(gate, kind=kind).n) == (name, 2)
        props = Event.objects.filter(type_id=definition.pk).values_list("raw_props", flat=True)
        assert sorted(one[kind] for one in props) == ["https://a.example/1", "mine"]


def test_an_event_of_the_same_name_as_a_shared_definition_is_another(gate: Gate) -> None:
    gate.apply(Track(ref("c1"), "/home", "page"), track("c1", "Page view"))
    assert EventDefinition.objects.count() == 2


def test_a_time_beyond_tomorrow_counts_as_of_now_and_is_kept_beside(gate: Gate) -> None:
    gate.apply(track("c1", at=NOON + 3 * DAY, plan="gold"))
    event = Event.objects.get()
    assert (event.ts, event.received_at) == (NOON, NOON)
    assert event.raw_props == {"plan": "gold", "$sent_at": "2026-03-07T12:00:00+00:00"}
    assert Customer.objects.get().last_seen == NOON


def test_a_time_within_a_day_ahead_is_taken_as_it_is(gate: Gate) -> None:
    gate.apply(track("c1", at=NOON + DAY))
    assert (Event.objects.get().ts, Event.objects.get().raw_props) == (NOON + DAY, {})


def test_an_event_of_any_year_finds_its_month(gate: Gate) -> None:
    moments = [datetime(year, month, 1, tzinfo=UTC) for year in (1980, 1999, 2026) for month in (1, 2)]
    # The last moment of a month, too.
    moments += [moment - timedelta(microseconds=1) for moment in moments[1:]]
    assert gate.apply(*(track("c1", at=at) for at in moments)) == {"applied": len(moments)}
    assert set(Event.objects.values_list("ts", flat=True)) == set(moments)


VALUES: list[Json] = [
    "tab\tline\nreturn\rback\\slash \\N \\. \\t 'quote' \"double\" ☕ \x01",
    "\\",
    "\\.",
    "",
    {"deep": [{"list": [1, None, True, "\\n"]}], "": 0, "key\twith\ttabs": "\\N"},
    0.1,
    -0.0,
    2**63 - 1,
    None,
    [],
]


def test_whatever_a_property_holds_comes_back(gate: Gate) -> None:
    gate.apply(*(track(f"c{n}", **{"key \\ \t\n": value, "plain": 1}) for n, value in enumerate(VALUES)))
    for n, value in enumerate(VALUES):
        expected = {"key \\ \t\n": value, "plain": 1}
        assert Event.objects.get(customer_id=gate.owner(f"c{n}")).raw_props == expected


def test_digits_of_a_number_survive_all_the_way(gate: Gate) -> None:
    digits = "0.1234567890123456789012345678901"
    gate.apply(track("c1", n=Decimal(digits)))
    row = gate.connection.execute("SELECT raw_props ->> 'n' FROM event").fetchone()
    assert row == (digits,)
