"""I2 and I7: any arrival order and any batching of the same items gives the same state, and so does a replay.

Times of writes are distinct: among equal ones the order of arrival decides, by rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from ulid import ULID

from customers.models import Customer, CustomerIdentifier, CustomerProfile, CustomerSearch, PropertyChange, Workspace
from tests.factories import make_workspace
from tests.intake import HOUR, NOON, SECOND, Gate, damage, find, identify, micros, open_gate, put, totals, track
from tracking.intake.operations import Operation, Track
from tracking.models import Event, EventCounter, EventDefinition
from tracking.services.definitions import declare_event

# Some dozens of batches on a real database take seconds; each example has a workspace of its own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PEOPLE = ("a", "b", "c")
UNIQUE = timedelta(microseconds=1)


@dataclass(frozen=True)
class Item:
    """One operation and when it was received."""

    operation: Operation
    at: datetime


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    # Workspaces are made faster than the directory is read again.
    monkeypatch.setattr("customers.directory.FRESH_SECONDS", 0)
    with open_gate(make_workspace()) as gate:
        yield gate
    assert damage() == set()


# --- Items ---------------------------------------------------------------------------------------

values = st.sampled_from([None, "", "x", "y", 0, 5, False, ["z"]])
hours = st.integers(-3, 40).map(lambda n: n * HOUR)


@st.composite
def identifies(draw: st.DrawFn, place: int) -> Item:
    who = draw(st.sampled_from(PEOPLE))
    identifiers = {"email": f"{who}@b.example"} if draw(st.booleans()) else {}
    stated = NOON - draw(hours) - place * UNIQUE if draw(st.booleans()) else None
    written = draw(st.dictionaries(st.sampled_from(["name", "plan", "age"]), values, max_size=3))
    return Item(identify(who, identifiers, at=stated, **written), NOON + 100 * HOUR + place * SECOND)


@st.composite
def tracks(draw: st.DrawFn, place: int) -> Item:
    stated = NOON - draw(hours) if draw(st.booleans()) else None
    ulid = ULID.from_uuid(UUID(int=micros(NOON - HOUR) // 1000 << 80 | place))
    ids = [None, f"order-{place}", f"6f1cb4a2-3f3a-4c55-9d5f-{place:012}", str(ulid)]
    operation = track(
        draw(st.sampled_from(PEOPLE)),
        draw(st.sampled_from(["Visit", "Order"])),
        at=draw(st.sampled_from([stated, NOON + 9000 * HOUR])) if stated else None,
        client_id=draw(st.sampled_from(ids)),
        place=place,
        **draw(st.dictionaries(st.just("amount"), st.sampled_from([1, 2.5, "3", "none"]))),
    )
    return Item(operation, NOON + place * SECOND)


@st.composite
def histories(draw: st.DrawFn) -> list[Item]:
    """Items; what carries an id may come several times."""
    kinds = draw(st.lists(st.sampled_from([identifies, tracks]), min_size=1, max_size=12))
    items = [draw(kind(place)) for place, kind in enumerate(kinds)]
    repeatable = [one for one in items if not isinstance(one.operation, Track) or one.operation.id]
    return items + (draw(st.lists(st.sampled_from(repeatable), max_size=4)) if repeatable else [])


# --- State ---------------------------------------------------------------------------------------


def apply(gate: Gate, workspace: Workspace, items: list[Item], cuts: list[int]) -> None:
    """Each item is a request; batches are as large as the cuts say, over and over."""
    for one in items:
        put(gate.connection, workspace, one.operation, at=one.at)
    for cut in cycle(cuts):
        with override_settings(INTAKE_BATCH_OPERATIONS=cut):
            if not gate.worker.turn():
                break
    done = totals(workspace)
    assert done.accepted == done.applied + done.duplicate


def profile(workspace: Workspace, who: str) -> Any:
    """Identifiers, properties with the times at which they were set, and what is remembered as removed."""
    customer = find(workspace, who)
    if customer is None:
        return None
    row = CustomerProfile.objects.get(pk=customer)
    base = micros(row.base_ts)
    times = {name: row.props_ts.get(name, base) for name in row.raw_props} | row.props_ts
    identifiers = CustomerIdentifier.objects.filter(customer_id=customer).values_list("raw_normal", flat=True)
    lines = CustomerSearch.objects.filter(pk=customer).values_list("raw_line", flat=True)
    return sorted(identifiers), Customer.objects.get(pk=customer).state, row.raw_props, times, list(lines)


def state(workspace: Workspace) -> Any:
    """Everything that must not depend on order, told without ids that are made on arrival."""
    names = {find(workspace, who): who for who in PEOPLE}
    types = dict(EventDefinition.objects.filter(workspace=workspace).values_list("pk", "name"))
    events = [
        (names[one.customer_id], types[one.type_id], one.ts, one.revenue, sorted(one.raw_props.items()))
        for one in Event.objects.filter(type_id__in=types)
    ]
    counters = [
        (names[one.customer_id], types[one.type_id], one.n, one.first_at, one.last_at, one.revenue)
        for one in EventCounter.objects.filter(type_id__in=types)
    ]
    done = totals(workspace)
    return (
        {who: profile(workspace, who) for who in PEOPLE},
        sorted(events, key=repr),
        sorted(counters, key=repr),
        (done.applied, done.duplicate),
    )


def rows(workspace: Workspace) -> list[Any]:
    """Every row about the workspace's customers, as it stands."""
    customers = Customer.objects.filter(workspace_id=workspace.pk).order_by("pk")
    ids = list(customers.values_list("pk", flat=True))
    models = (CustomerIdentifier, CustomerProfile, CustomerSearch, PropertyChange, Event, EventCounter)
    return [
        list(customers.values()),
        *(sorted(model.objects.filter(customer_id__in=ids).values(), key=repr) for model in models),
    ]


# --- Laws ----------------------------------------------------------------------------------------

cuts = st.lists(st.integers(1, 6), min_size=1, max_size=3)


def test_any_order_and_any_batching_of_the_same_items_gives_the_same_state(gate: Gate) -> None:
    @examples(max_examples=25, deadline=None)
    @given(history=histories(), cuts=cuts, data=st.data())
    def check(history: list[Item], cuts: list[int], data: st.DataObject) -> None:
        straight, mixed = make_shop(), make_shop()
        apply(gate, straight, history, [2000])
        apply(gate, mixed, data.draw(st.permutations(history)), cuts)
        assert state(straight) == state(mixed)

    check()


def test_replaying_everything_changes_nothing(gate: Gate) -> None:
    @examples(max_examples=15, deadline=None)
    @given(history=histories(), cuts=cuts, data=st.data())
    def check(history: list[Item], cuts: list[int], data: st.DataObject) -> None:
        workspace = make_shop()
        apply(gate, workspace, history, cuts)
        before = rows(workspace)
        # Without an id two events are two.
        again = [one for one in history if not isinstance(one.operation, Track) or one.operation.id]
        apply(gate, workspace, data.draw(st.permutations(again)), cuts)
        assert rows(workspace) == before

    check()


def make_shop() -> Workspace:
    """A workspace whose orders have an amount."""
    workspace = make_workspace()
    declare_event(workspace_id=workspace.pk, name="Order", revenue_property="amount")
    return workspace
