"""Whom identifiers mean: every row of the decision table (contract of the Track API, 2.1), applied for real."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from customers.directory import Directory, Kind, WorkspaceSettings
from customers.identifiers import suppression_digest
from customers.identity import Identifier, Known, Refusal, Resolver
from customers.models import (
    Customer,
    CustomerIdentifier,
    CustomerSearch,
    IdentifierKind,
    SuppressedIdentifier,
    Workspace,
)
from tests.factories import make_customer, make_tombstone, make_workspace
from tests.intake import HOUR, NOON, Gate, damage, identify, open_gate, ref, track
from tracking.intake.operations import Identify, Operation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workspace() -> Workspace:
    workspace = make_workspace()
    IdentifierKind.objects.create(
        workspace=workspace, name="anonymous_id", label="Anonymous id", is_multiple=True, position=9
    )
    return workspace


@pytest.fixture
def gate(workspace: Workspace) -> Iterator[Gate]:
    with open_gate(workspace) as gate:
        yield gate
    assert damage() == set()


def person(gate: Gate, **identifiers: str) -> UUID:
    return make_customer(gate.workspace, identifiers=identifiers, properties={})


def held(customer: UUID) -> set[str]:
    """All identifiers of a customer, in normal form."""
    return set(CustomerIdentifier.objects.filter(customer_id=customer).values_list("raw_normal", flat=True))


def plan(gate: Gate, who: str) -> Any:
    return gate.properties(who).get("plan")


# --- The path names somebody ---------------------------------------------------------------------


def test_a_known_person_is_updated(gate: Gate) -> None:
    a = person(gate, external_id="A")
    assert gate.apply(identify("A", plan="gold"), identify("A", {"external_id": "A"}, age=5)) == {"applied": 2}
    assert (held(a), gate.properties("A")) == ({"A"}, {"plan": "gold", "age": 5})
    assert Customer.objects.count() == 1


def test_a_free_identifier_in_the_body_is_given_to_a_person_without_one(gate: Gate) -> None:
    a, b = person(gate, external_id="A"), person(gate, email="b@b.example")
    gate.apply(identify("A", {"email": "New@B.example"}, plan="gold"))
    gate.apply(identify("email:b@b.example", {"external_id": "B"}, plan="silver"))
    assert (held(a), held(b)) == ({"A", "new@b.example"}, {"B", "b@b.example"})
    assert gate.owner("email:new@b.example") == a and gate.owner("B") == b
    assert (plan(gate, "A"), plan(gate, "B")) == ("gold", "silver")
    assert CustomerIdentifier.objects.get(raw_normal="new@b.example").raw_value == "New@B.example"


def test_identifiers_that_are_his_already_change_nothing(gate: Gate) -> None:
    a = person(gate, external_id="A", email="a@b.example")
    before = list(CustomerIdentifier.objects.order_by("kind_id").values())
    gate.apply(identify("A", {"email": " A@B.EXAMPLE "}), identify("email:a@b.example", {"external_id": "A"}))
    assert list(CustomerIdentifier.objects.order_by("kind_id").values()) == before
    assert held(a) == {"A", "a@b.example"}


def test_an_identifier_of_another_person_is_left_to_him(gate: Gate) -> None:
    a, b = person(gate, external_id="A"), person(gate, external_id="B", email="b@b.example")
    assert gate.apply(identify("A", {"email": "b@b.example"}, plan="gold")) == {"applied": 1}
    assert (held(a), held(b)) == ({"A"}, {"B", "b@b.example"})
    assert (plan(gate, "A"), plan(gate, "B")) == ("gold", None)


def test_an_external_id_once_set_is_not_changed(gate: Gate) -> None:
    a = person(gate, external_id="A", email="a@b.example")
    gate.apply(identify("email:a@b.example", {"external_id": "NEW"}, plan="gold"))
    assert held(a) == {"A", "a@b.example"}
    assert gate.find("NEW") is None
    assert plan(gate, "A") == "gold"


@pytest.mark.parametrize("is_on", [True, False])
def test_the_email_of_a_person_named_by_id_follows_the_setting(gate: Gate, is_on: bool) -> None:
    Workspace.objects.update(updates_email_by_id=is_on)
    a = person(gate, external_id="A", email="old@b.example", phone="+4930231250881")
    person(gate, external_id="B", email="taken@b.example")
    gate.apply(identify("A", {"email": "taken@b.example"}, plan="silver"))
    assert held(a) == {"A", "old@b.example", "+4930231250881"}
    # A phone number is not changed by either.
    gate.apply(identify("A", {"email": "new@b.example", "phone": "+4930231250882"}, plan="gold"), at=NOON + HOUR)
    email, other = ("new@b.example", "old@b.example") if is_on else ("old@b.example", "new@b.example")
    assert held(a) == {"A", email, "+4930231250881"}
    assert (gate.find(f"email:{email}"), gate.find(f"email:{other}")) == (a, None)
    assert plan(gate, "A") == "gold"
    assert CustomerSearch.objects.get(pk=a).raw_line.split("\n")[:2] == ["a", email]


def test_a_replaced_email_is_free_for_somebody_else(gate: Gate) -> None:
    a = person(gate, external_id="A", email="old@b.example")
    gate.apply(identify("A", {"email": "new@b.example"}), track("email:old@b.example"))
    b = gate.owner("email:old@b.example")
    assert b != a
    gate.apply(
        identify("A", {"email": "third@b.example"}), identify("email:new@b.example", {"phone": "+4930231250881"})
    )
    assert gate.owner("email:new@b.example") == gate.owner("phone:+4930231250881") not in (a, b)


def test_an_email_changes_by_id_only_not_by_itself_or_a_phone(gate: Gate) -> None:
    a = person(gate, email="old@b.example", phone="+4930231250881")
    gate.apply(identify("phone:+4930231250881", {"email": "new@b.example"}))
    gate.apply(identify("email:old@b.example", {"email": "new@b.example"}))
    assert held(a) == {"old@b.example", "+4930231250881"}


def test_an_email_may_change_several_times_within_a_batch(gate: Gate) -> None:
    a = person(gate, external_id="A", email="0@b.example")
    gate.apply(*(identify("A", {"email": f"{n}@b.example"}) for n in (1, 2, 3, 0, 1)))
    assert held(a) == {"A", "1@b.example"}
    gate.apply(*(identify("NEW", {"email": f"{n}@c.example"}) for n in (1, 2, 3)))
    assert held(gate.owner("NEW")) == {"NEW", "3@c.example"}
    # Back to what it is in the tables.
    gate.apply(*(identify("A", {"email": f"{n}@b.example"}) for n in (5, 1)))
    assert held(a) == {"A", "1@b.example"}


# --- The path names nobody -----------------------------------------------------------------------


def test_a_free_path_with_a_known_identifier_in_the_body_names_its_owner(gate: Gate) -> None:
    b = person(gate, email="b@b.example")
    assert gate.apply(identify("NEW", {"email": "b@b.example"}, plan="gold")) == {"applied": 1}
    assert Customer.objects.count() == 1
    assert held(b) == {"b@b.example", "NEW"} and gate.owner("NEW") == b
    assert plan(gate, "NEW") == "gold"


def test_that_owner_keeps_an_identifier_that_he_has_of_the_kind(gate: Gate) -> None:
    b = person(gate, external_id="B", email="b@b.example")
    gate.apply(identify("NEW", {"email": "b@b.example"}, plan="gold"))
    assert (Customer.objects.count(), held(b)) == (1, {"B", "b@b.example"})
    assert gate.find("NEW") is None
    assert plan(gate, "B") == "gold"


def test_of_several_known_ones_the_first_names_the_person(gate: Gate) -> None:
    b, c = person(gate, email="b@b.example"), person(gate, phone="+4930231250881")
    gate.apply(identify("NEW", {"email": "b@b.example", "phone": "+49 30 231250881"}, plan="gold"))
    assert (held(b), held(c)) == ({"b@b.example", "NEW"}, {"+4930231250881"})


def test_all_free_or_none_makes_a_person_with_all(gate: Gate) -> None:
    gate.apply(identify("A", {"email": "a@b.example", "phone": "+4930231250881"}), identify("B"))
    assert held(gate.owner("A")) == {"A", "a@b.example", "+4930231250881"}
    assert held(gate.owner("B")) == {"B"}
    assert Customer.objects.filter(state="active").count() == 2


def test_one_identifier_in_two_spellings_is_one(gate: Gate) -> None:
    gate.apply(identify("email:A@b.example", {"email": "a@B.example "}))
    assert held(gate.owner("email:a@b.example")) == {"a@b.example"}


def test_kinds_that_the_workspace_lacks_and_blank_values_are_passed_over(gate: Gate) -> None:
    assert gate.apply(identify("A", {"klingon": "x", "email": "  ", "phone": "+4930231250881"})) == {"applied": 1}
    assert held(gate.owner("A")) == {"A", "+4930231250881"}


def test_an_update_only_makes_nobody_but_finds_by_the_body(gate: Gate) -> None:
    b = person(gate, email="b@b.example")
    free = Identify(ref("NEW"), {"phone": "+4930231250881"}, {"plan": "gold"}, may_create=False)
    known = Identify(ref("NEW"), {"email": "b@b.example"}, {"plan": "gold"}, may_create=False)
    assert gate.apply(free) == {"ignored": 1}
    assert (gate.find("NEW"), Customer.objects.count()) == (None, 1)
    assert gate.apply(known) == {"applied": 1}
    assert held(b) == {"b@b.example", "NEW"}


# --- The customer's own id -----------------------------------------------------------------------


def test_a_customer_id_may_overwrite_every_identifier(gate: Gate) -> None:
    a = person(gate, external_id="A", email="a@b.example")
    gate.apply(identify(a, {"external_id": "A2", "email": "a2@b.example", "phone": "+4930231250881"}, plan="gold"))
    assert held(a) == {"A2", "a2@b.example", "+4930231250881"}
    assert (gate.find("A"), gate.find("email:a@b.example"), plan(gate, "A2")) == (None, None, "gold")
    assert "a2@b.example" in CustomerSearch.objects.get(pk=a).raw_line
    assert "a@b.example" not in CustomerSearch.objects.get(pk=a).raw_line


def test_unless_somebody_else_has_the_new_one(gate: Gate) -> None:
    a, b = person(gate, external_id="A"), person(gate, external_id="B", email="b@b.example")
    gate.apply(identify(a, {"external_id": "B", "email": "b@b.example"}, plan="gold"))
    assert (held(a), held(b)) == ({"A"}, {"B", "b@b.example"})
    assert plan(gate, "A") == "gold"


def test_an_unknown_or_deleted_customer_id_is_dropped(gate: Gate) -> None:
    deleted = make_tombstone(gate.workspace, state="deleted")
    batch = [identify(who, {"email": "a@b.example"}, plan="gold") for who in (uuid4(), deleted)]
    assert gate.apply(*batch) == {"ignored": 2}
    assert gate.find("email:a@b.example") is None


# --- Suppressed ----------------------------------------------------------------------------------


def test_a_suppressed_identifier_drops_the_whole_operation(gate: Gate) -> None:
    a = person(gate, external_id="A")
    kind = IdentifierKind.objects.get(workspace=gate.workspace, name="email")
    SuppressedIdentifier.objects.create(
        workspace_id=gate.workspace.pk, kind_id=kind.pk, at=timezone.now(),
        digest=suppression_digest(gate.workspace.pk, kind.pk, "gone@b.example"),
    )  # fmt: skip
    batch = (
        identify("email:gone@b.example", {"external_id": "NEW"}, plan="gold"),
        identify("A", {"email": "Gone@b.example"}, plan="gold"),
        identify(a, {"email": "gone@b.example"}, plan="gold"),
        Identify(ref("email:gone@b.example"), may_create=False),
        track("email:gone@b.example"),
    )
    assert gate.apply(*batch) == {"suppressed": 5}
    assert (held(a), gate.properties("A"), Customer.objects.count()) == ({"A"}, {}, 1)


# --- Anonymous ids -------------------------------------------------------------------------------


def test_an_anonymous_id_makes_an_anonymous_customer(gate: Gate) -> None:
    gate.apply(track("anonymous_id:x"), identify("anonymous_id:y", plan="gold"))
    assert list(Customer.objects.values_list("state", flat=True)) == ["anonymous"] * 2


def test_he_is_no_longer_anonymous_once_he_is_identified(gate: Gate) -> None:
    gate.apply(track("anonymous_id:x"), identify("anonymous_id:y", {"email": "y@b.example"}))
    x, y = gate.owner("anonymous_id:x"), gate.owner("anonymous_id:y")
    assert Customer.objects.get(pk=y).state == "active"
    # By his anonymous id, with another device's, and by his own id.
    assert gate.apply(identify("anonymous_id:x", {"external_id": "X"})) == {"applied": 1}
    assert Customer.objects.get(pk=x).state == "active"
    gate.apply(track("anonymous_id:z"))
    z = gate.owner("anonymous_id:z")
    gate.apply(identify(z, {"anonymous_id": "z2"}))
    assert (Customer.objects.get(pk=z).state, held(z)) == ("anonymous", {"z", "z2"})
    gate.apply(identify(z, {"phone": "+4930231250881"}))
    assert Customer.objects.get(pk=z).state == "active"


def test_anonymous_ids_gather_and_do_not_replace_one_another(gate: Gate) -> None:
    a = person(gate, external_id="A")
    gate.apply(identify("A", {"anonymous_id": "phone"}), identify(a, {"anonymous_id": "laptop"}))
    gate.apply(identify("A", {"anonymous_id": "tablet"}), track("anonymous_id:phone"))
    assert held(a) == {"A", "phone", "laptop", "tablet"}
    assert Customer.objects.count() == 1


def test_an_anonymous_id_names_nobody_where_the_workspace_keeps_visitors_apart(gate: Gate) -> None:
    Workspace.objects.filter(pk=gate.workspace.pk).update(joins_anonymous=False)
    gate.worker.close()  # it has read the settings a moment ago
    gate.apply(track("anonymous_id:x"))
    gate.apply(identify("A", {"anonymous_id": "x"}, plan="gold"))
    assert gate.owner("A") != gate.owner("anonymous_id:x")
    assert held(gate.owner("A")) == {"A"}


# --- Order within a batch ------------------------------------------------------------------------


def test_any_order_and_cut_of_operations_that_agree_gives_the_same_people(gate: Gate) -> None:
    for n, order in enumerate(permutations(range(3))):
        operations: list[Operation] = [
            identify(f"A{n}", {"email": f"a{n}@b.example"}),
            identify(f"A{n}", {"phone": f"+493023125{n:04}"}),
            track(f"A{n}"),
        ]
        for place in order:
            gate.put(operations[place])
        if n % 2:
            gate.drain()
    gate.drain()
    assert Customer.objects.count() == 6
    for n in range(6):
        assert held(gate.owner(f"A{n}")) == {f"A{n}", f"a{n}@b.example", f"+493023125{n:04}"}


# --- Without a database: counting conflicts ------------------------------------------------------

SETTINGS = WorkspaceSettings(
    1,
    updates_email_by_id=False,
    merges_automatically=False,
    joins_anonymous=False,
    kinds={
        "external_id": Kind(1, "external_id", "", 0, "exact", is_multiple=False),
        "email": Kind(2, "email", "", 1, "email", is_multiple=False),
    },
    searchable=frozenset(),
)


def one(kind: str, value: str) -> Identifier:
    found = Identifier.of(SETTINGS, kind, value)
    assert found is not None
    return found


def test_each_identifier_that_is_not_applied_counts_as_a_conflict() -> None:
    a, b = uuid4(), uuid4()
    known = Known(
        owners={one("external_id", "A").key: a, one("email", "b@b.example").key: b},
        held={a: {1: {one("external_id", "A").key}}, b: {2: {one("email", "b@b.example").key}}},
    )
    resolver = Resolver(known)
    assert resolver.identify(SETTINGS, one("external_id", "A"), [one("email", "b@b.example")], may_create=True) == a
    assert len(resolver.conflicts) == 1
    resolver.identify(SETTINGS, one("email", "b@b.example"), [one("email", "c@b.example")], may_create=True)
    assert len(resolver.conflicts) == 2
    resolver.identify(SETTINGS, one("external_id", "A"), [one("email", "a@b.example")], may_create=True)
    assert (len(resolver.conflicts), resolver.receivers, resolver.identified) == (2, {a}, {a})
    resolver.identify(SETTINGS, one("external_id", "A"), [one("email", "d@b.example")], may_create=True)
    assert (len(resolver.conflicts), resolver.detached, resolver.created) == (3, [], [])


def test_nobody_is_known_by_an_id_of_another_workspace() -> None:
    customer, survivor = uuid4(), uuid4()
    resolver = Resolver(Known(live={(1, customer): survivor}))
    assert resolver.by_id(1, customer) == survivor
    assert resolver.by_id(2, customer) is Refusal.IGNORED


# --- Settings of workspaces ----------------------------------------------------------------------


def test_settings_are_read_again_once_they_may_have_changed(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = Directory()
    directory.refresh(gate.connection)
    before = directory.workspaces[gate.workspace.pk]
    assert before.searchable == {"name"} and set(before.kinds) == {"external_id", "email", "phone", "anonymous_id"}
    Workspace.objects.update(updates_email_by_id=False)
    directory.refresh(gate.connection)
    assert directory.workspaces[gate.workspace.pk] is before
    monkeypatch.setattr("customers.directory.FRESH_SECONDS", 0)
    directory.refresh(gate.connection)
    assert directory.workspaces[gate.workspace.pk].updates_email_by_id is False
