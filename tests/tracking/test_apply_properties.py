"""Properties: the newest write of each wins whenever it arrives, and what is removed stays removed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from customers.models import Customer, CustomerProfile, CustomerSearch, IdentifierKind, PropertyChange, Workspace
from rolodesk.json import Json
from tests.factories import declare, make_customer, make_workspace
from tests.intake import DAY, HOUR, MINUTE, NOON, SECOND, Gate, damage, identify, micros, open_gate, track
from tracking.intake.operations import Identify

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def gate(workspace: Workspace) -> Iterator[Gate]:
    with open_gate(workspace) as gate:
        yield gate


def history(customer: UUID | None = None) -> list[tuple[str, Json, Json, datetime]]:
    """Name, old, new and time of every change, in the order in which they were made."""
    rows = PropertyChange.objects.all() if customer is None else PropertyChange.objects.filter(customer_id=customer)
    return [(row.name, row.raw_old, row.raw_new, row.ts) for row in rows.order_by("at", "name")]


def line(customer: UUID) -> list[str]:
    return sorted(CustomerSearch.objects.get(pk=customer).raw_line.split("\n"))


# --- The newest wins -----------------------------------------------------------------------------


def test_the_newer_write_wins_whichever_arrives_first(gate: Gate) -> None:
    gate.apply(identify("c1", at=NOON - HOUR, plan="gold"), identify("c2", at=NOON - 2 * HOUR, plan="silver"))
    gate.apply(identify("c1", at=NOON - 2 * HOUR, plan="silver"), identify("c2", at=NOON - HOUR, plan="gold"))
    assert gate.properties("c1") == gate.properties("c2") == {"plan": "gold"}


def test_each_property_has_a_time_of_its_own(gate: Gate) -> None:
    gate.apply(identify("c1", at=NOON - 3 * HOUR, plan="a", age=1, city="x"))
    gate.apply(identify("c1", at=NOON - HOUR, plan="b"))
    gate.apply(identify("c1", at=NOON - 2 * HOUR, plan="c", age=2))
    gate.apply(identify("c1", at=NOON - 4 * HOUR, plan="d", age=3, city="y", street="s"))
    assert gate.properties("c1") == {"plan": "b", "age": 2, "city": "x", "street": "s"}


def test_within_a_batch_too(gate: Gate) -> None:
    gate.apply(
        identify("c1", at=NOON - 2 * HOUR, plan="second", age=1),
        identify("c1", at=NOON - HOUR, plan="third"),
        identify("c1", at=NOON - 3 * HOUR, plan="first", age=2),
    )
    assert gate.properties("c1") == {"plan": "third", "age": 1}


def test_of_equal_times_the_later_arrival_wins(gate: Gate) -> None:
    writes = [identify(who, at=NOON - HOUR, plan=plan) for plan in ("first", "second", "third") for who in ("a", "b")]
    gate.apply(*writes[::2])
    for write in writes[1::2]:
        gate.apply(write)
    assert gate.properties("a") == gate.properties("b") == {"plan": "third"}


def test_without_a_time_the_time_of_receipt_counts(gate: Gate) -> None:
    gate.apply(identify("c1", plan="later"), at=NOON)
    gate.apply(identify("c1", plan="earlier"), at=NOON - HOUR)
    gate.apply(identify("c1", at=NOON - MINUTE, plan="between"), at=NOON + HOUR)
    assert gate.properties("c1") == {"plan": "later"}


def test_no_write_counts_as_made_after_it_was_received(gate: Gate) -> None:
    gate.apply(identify("c1", at=NOON + 9 * DAY, plan="ahead"))
    assert [ts for _, _, _, ts in history()] == [NOON]
    gate.apply(identify("c1", plan="next"), at=NOON + SECOND)
    assert gate.properties("c1") == {"plan": "next"}


def test_a_customer_made_by_an_event_takes_writes_of_any_time(gate: Gate) -> None:
    gate.apply(track("c1", at=NOON))
    gate.apply(identify("c1", at=NOON - 400 * DAY, plan="gold"))
    assert gate.properties("c1") == {"plan": "gold"}


# --- Removal -------------------------------------------------------------------------------------


def test_null_and_the_empty_text_remove(gate: Gate) -> None:
    kept: dict[str, Json] = {"age": 5, "zero": 0, "off": False, "none": [], "empty": {}, "space": " "}
    for who, nothing in (("a", None), ("b", "")):
        gate.apply(identify(who, at=NOON - HOUR, plan="gold", **kept))
        gate.apply(identify(who, plan=nothing, never=nothing))
        assert gate.properties(who) == kept


def test_what_is_removed_can_be_set_again_later_but_not_by_an_older_write(gate: Gate) -> None:
    gate.apply(identify("c1", at=NOON - 3 * HOUR, plan="gold"))
    gate.apply(identify("c1", at=NOON - HOUR, plan=None))
    gate.apply(identify("c1", at=NOON - 2 * HOUR, plan="silver"))
    assert gate.properties("c1") == {}
    gate.apply(identify("c1", at=NOON, plan="bronze"))
    assert gate.properties("c1") == {"plan": "bronze"}


def test_a_removal_is_remembered_whichever_write_made_the_customer(gate: Gate) -> None:
    orders = list(permutations([(3, "gold"), (2, "silver"), (1, None)]))
    for place, order in enumerate(orders):
        gate.put(*(identify(f"one{place}", at=NOON - hours * HOUR, plan=plan) for hours, plan in order))
    for step in range(3):
        for place, order in enumerate(orders):
            hours, plan = order[step]
            gate.put(identify(f"many{place}", at=NOON - hours * HOUR, plan=plan))
        gate.drain()
    for place, order in enumerate(orders):
        assert gate.properties(f"one{place}") == gate.properties(f"many{place}") == {}, order


# --- History -------------------------------------------------------------------------------------


def test_each_change_leaves_a_row_with_old_and_new(gate: Gate) -> None:
    gate.apply(identify("c1", at=NOON - 3 * HOUR, plan="gold", age=5))
    gate.apply(identify("c1", at=NOON - 2 * HOUR, plan="silver", age=5))
    gate.apply(identify("c1", at=NOON - 4 * HOUR, plan="late"))
    gate.apply(identify("c1", at=NOON - HOUR, plan=None, never=None))
    assert history(gate.owner("c1")) == [
        ("age", None, 5, NOON - 3 * HOUR),
        ("plan", None, "gold", NOON - 3 * HOUR),
        ("plan", "gold", "silver", NOON - 2 * HOUR),
        ("plan", "silver", None, NOON - HOUR),
    ]
    assert set(PropertyChange.objects.values_list("source", flat=True)) == {"test"}


def test_the_time_of_a_change_is_exact(gate: Gate) -> None:
    at = datetime(2026, 3, 4, 11, 59, 59, 999999, tzinfo=UTC)
    gate.apply(identify("c1", at=at, plan="gold"))
    assert [ts for _, _, _, ts in history()] == [at]


def test_of_a_batch_only_the_winner_leaves_a_row(gate: Gate) -> None:
    gate.apply(*(identify("c1", at=NOON - hour * HOUR, plan=hour) for hour in (3, 1, 2)))
    assert history() == [("plan", None, 1, NOON - HOUR)]


def test_a_repeated_write_changes_nothing(gate: Gate, time_machine: Any) -> None:
    time_machine.move_to(NOON + HOUR)
    writes = (identify("c1", at=NOON - HOUR, plan="gold", age=5), identify("c1", at=NOON, age=None))
    gate.apply(*writes)
    before = (list(CustomerProfile.objects.values()), list(Customer.objects.values()), history())
    time_machine.move_to(NOON + 2 * HOUR)
    assert gate.apply(*writes) == {"applied": 2}
    assert (list(CustomerProfile.objects.values()), list(Customer.objects.values()), history()) == before


def test_a_customer_says_when_he_last_changed(gate: Gate) -> None:
    gate.apply(identify("c1", at=NOON - DAY, plan="gold"))
    made = Customer.objects.get()
    assert made.created_at == made.updated_at
    before = timezone.now()
    gate.apply(identify("c1", at=NOON, plan="silver"))
    changed = Customer.objects.get()
    assert (changed.created_at, changed.updated_at > before) == (made.created_at, True)
    gate.apply(track("c1"), identify("c1", plan="silver"))
    assert Customer.objects.get().updated_at == changed.updated_at
    gate.apply(identify("c1", {"email": "a@b.example"}))
    assert Customer.objects.get().updated_at > changed.updated_at


VALUES: list[Json] = [
    "tab\tline\nreturn\rback\\slash \\N \\. 'quote' \"double\" ☕ \x01",
    {"deep": [{"list": [1, None, True, "\\n"]}], "": 0},
    ["", None],
    0,
    False,
    2**63 - 1,
]


def test_whatever_a_property_holds_comes_back(gate: Gate) -> None:
    gate.apply(*(identify(f"c{n}", **{"key \\ \t\n": value}) for n, value in enumerate(VALUES)))
    for n, value in enumerate(VALUES):
        assert gate.properties(f"c{n}") == {"key \\ \t\n": value}
        assert [change[:3] for change in history(gate.owner(f"c{n}"))] == [("key \\ \t\n", None, value)]


def test_the_time_of_a_removal_that_came_first_is_kept_for_what_was_never_set(gate: Gate) -> None:
    gate.apply(identify("c1", plan=None), at=NOON)
    profile = CustomerProfile.objects.get()
    assert (profile.raw_props, profile.props_ts) == ({}, {"plan": micros(NOON)})
    assert history() == []


# --- Search line ---------------------------------------------------------------------------------


def test_the_search_line_holds_identifiers_and_searchable_properties(gate: Gate) -> None:
    declare(gate.workspace, "city", is_searchable=True)
    declare(gate.workspace, "secret", is_searchable=True, data_class=2)
    gate.apply(
        identify("NL-5", {"email": "Ünal@B.example"}, name="Ünal Öz", city="Köln", plan="gold", secret="S", x="y")
    )
    customer = gate.owner("NL-5")
    assert line(customer) == sorted(["nl-5", "unal@b.example", "unal oz", "koln"])
    gate.apply(identify("NL-5", {"phone": "+49 30 231250881"}, name=None, city=7), at=NOON + HOUR)
    assert line(customer) == sorted(["nl-5", "unal@b.example", "+4930231250881", "7"])


def test_the_line_is_left_alone_when_nothing_in_it_changes(gate: Gate) -> None:
    gate.apply(identify("c1", name="Anna"))
    CustomerSearch.objects.update(raw_line="as it was")
    gate.apply(identify("c1", name="Anna", plan="gold"), track("c1"), at=NOON + HOUR)
    assert line(gate.owner("c1")) == ["as it was"]
    gate.apply(identify("c1", name="Berta"), at=NOON + 2 * HOUR)
    assert line(gate.owner("c1")) == ["berta", "c1"]


def test_sensitive_kinds_and_anonymous_ids_are_not_in_the_line(gate: Gate) -> None:
    for name, data_class in (("anonymous_id", 1), ("passport", 2)):
        IdentifierKind.objects.create(workspace=gate.workspace, name=name, label=name, data_class=data_class)
    gate.apply(identify("c1", {"anonymous_id": "anon", "passport": "P-1"}))
    assert line(gate.owner("c1")) == ["c1"]


def test_each_workspace_has_searchable_properties_of_its_own(gate: Gate) -> None:
    other = make_workspace("Elsewhere")
    declare(other, "city", is_searchable=True)
    with open_gate(other, slot=1) as elsewhere:
        gate.put(identify("c1", city="Köln"))
        elsewhere.put(identify("c1", city="Köln"))
        gate.drain()
        assert (line(gate.owner("c1")), line(elsewhere.owner("c1"))) == (["c1"], ["c1", "koln"])


# --- Many at once --------------------------------------------------------------------------------


def test_customers_and_properties_do_not_mix(gate: Gate) -> None:
    people = 40

    def own(n: int) -> dict[str, Any]:
        return {f"p{n}": n}

    gate.apply(*(identify(f"c{n}", {"email": f"c{n}@b.example"}, n=n, **own(n)) for n in range(people)))
    gate.apply(*(identify(f"email:c{n}@b.example", at=NOON, n=n + 1) for n in reversed(range(people))))
    assert [gate.properties(f"c{n}") for n in range(people)] == [{"n": n + 1, f"p{n}": n} for n in range(people)]
    assert damage() == set()


def test_properties_of_somebody_without_a_profile_are_dropped(gate: Gate) -> None:
    customer = make_customer(gate.workspace, identifiers={"external_id": "c1"})
    CustomerProfile.objects.filter(pk=customer).delete()
    assert gate.apply(Identify(identify("c1").who, properties={"plan": "gold"})) == {"applied": 1}
    assert history() == []
