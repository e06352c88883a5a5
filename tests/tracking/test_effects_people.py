"""Deleting, suppressing, merging and joining, as a worker applies them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from customers import handlers
from tests.tracking.intake import Gate, by_email, by_id, count, open_gate
from tracking.intake.operations import (
    CUSTOMER_ID,
    EVERYTHING,
    Delete,
    Identify,
    Link,
    Merge,
    ObjectRef,
    PutDevice,
    Ref,
    Relate,
    Suppress,
    Track,
    Unsuppress,
)
from tracking.integrity import checks

NOW = datetime.now(UTC)
VISITOR = Ref("anonymous_id", "visitor-1")


@pytest.fixture
def gate(transactional_db: None) -> Iterator[Gate]:
    with open_gate() as opened:
        yield opened
        # Whatever a test did, the tables agree with one another.
        broken = {one.name for one in checks.run().findings if one.violations}
        assert broken == set()


def micros(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def full(gate: Gate, key: str) -> None:
    """A customer with something in every table."""
    gate.apply(
        Identify(
            by_id(key), {"email": f"{key}@shop.example"}, {"plan": "gold", "city": key}, consent={EVERYTHING: True}
        ),
        Track(by_id(key), "Purchase", properties={"value": 5}),
        PutDevice(by_id(key), f"token-{key}", "ios", attributes={"os": "18"}),
        Relate(by_id(key), [Link(ObjectRef(1, "acme"), {"role": "owner"})]),
    )


# --- Delete -------------------------------------------------------------------------------------


def test_a_deleted_customer_leaves_a_tombstone_and_nothing_else(gate: Gate) -> None:
    full(gate, "ada")
    ada = gate.owner(by_id("ada"))
    gate.apply(Delete(by_id("ada")))
    assert gate.state(ada) == "deleted"
    tables = sorted(table for handler in handlers.registered() for table in handler.tables)
    assert len(tables) > 10
    assert {table: count(gate, table, ada) for table in tables} == dict.fromkeys(tables, 0)


def test_a_deleted_identifier_is_free_for_somebody_new(gate: Gate) -> None:
    old = gate.identify(by_id("ada"), plan="gold")
    gate.apply(Delete(by_id("ada")))
    new = gate.identify(by_id("ada"), city="Bern")
    assert new != old
    assert gate.props(new) == {"city": "Bern"}


def test_deleting_nobody_is_ignored(gate: Gate) -> None:
    gate.apply(Delete(by_id("nobody")), Delete(Ref(CUSTOMER_ID, "01a211bb-b45c-7067-881b-3556656c9581")))
    assert gate.totals()["ignored"] == 2


def test_operations_of_a_request_keep_their_order_around_a_delete(gate: Gate) -> None:
    who = by_id("ada")
    gate.apply(
        Identify(who, properties={"plan": "gold"}), Track(who, "Before"), Delete(who),
        Track(who, "After"), Identify(who, properties={"city": "Bern"}),
    )  # fmt: skip
    ada = gate.owner(who)
    assert gate.events(ada) == ["After"]
    assert gate.props(ada) == {"city": "Bern"}


# --- Suppress -----------------------------------------------------------------------------------


def test_a_suppressed_customer_cannot_come_back_by_any_of_his_identifiers(gate: Gate) -> None:
    full(gate, "ada")
    ada = gate.owner(by_id("ada"))
    gate.apply(Suppress(by_id("ada")))
    gate.apply(
        Identify(by_id("ada")), Track(by_email("ADA@shop.example"), "Late"),
        Identify(by_id("other"), {"email": "ada@shop.example"}),
        PutDevice(by_id("ada"), "t", "ios"), Relate(by_id("ada"), [Link(ObjectRef(1, "acme"))]),
    )  # fmt: skip
    assert gate.state(ada) == "deleted"
    assert gate.rows(
        "SELECT count(*) FROM customer WHERE workspace_id = %s AND state = 'active'", gate.workspace_id
    ) == [0]
    assert gate.totals()["suppressed"] == 5


def test_an_identifier_of_nobody_can_be_suppressed(gate: Gate) -> None:
    gate.apply(Suppress(by_email("future@shop.example")), Identify(by_email("future@shop.example")))
    assert gate.totals() == {
        "accepted": 2, "applied": 1, "duplicate": 0, "suppressed": 1, "ignored": 0, "quarantined": 0
    }  # fmt: skip


def test_unsuppressing_one_identifier_frees_its_partner_and_restores_nothing(gate: Gate) -> None:
    full(gate, "ada")
    old = gate.owner(by_id("ada"))
    gate.apply(Suppress(by_id("ada")), Unsuppress(by_email("ada@shop.example")))
    gate.apply(Identify(by_id("ada"), {"email": "ada@shop.example"}))
    new = gate.owner(by_id("ada"))
    assert new != old
    assert gate.owner(by_email("ada@shop.example")) == new
    assert (gate.props(new), gate.events(new)) == ({}, [])


def test_a_customer_barred_by_his_own_id_is_freed_by_it(gate: Gate) -> None:
    ada = gate.identify(by_id("ada"))
    who = Ref(CUSTOMER_ID, str(ada))
    gate.apply(Suppress(who))
    gate.apply(Identify(by_id("ada")))
    assert gate.totals()["suppressed"] == 1
    gate.apply(Unsuppress(who))
    assert gate.identify(by_id("ada")) != ada


def test_unsuppressing_what_is_not_suppressed_is_ignored(gate: Gate) -> None:
    gate.apply(Unsuppress(by_id("ada")))
    assert gate.totals()["ignored"] == 1


def test_what_was_refused_to_another_keeps_no_value_of_a_suppressed_person(gate: Gate) -> None:
    gate.apply(Identify(by_id("eve"), {"email": "eve@shop.example"}))
    gate.apply(Identify(by_id("ada")), Identify(by_id("ada"), {"email": "eve@shop.example"}))
    gate.apply(Suppress(by_id("eve")))
    left = gate.rows("SELECT name, raw_old, raw_new FROM property_change")
    assert left and "eve@shop.example" not in str(left)


def test_suppressing_empties_the_quarantine_of_what_names_the_person(gate: Gate) -> None:
    absurd = micros(datetime(1971, 1, 1, tzinfo=UTC))
    gate.apply(Track(by_id("ada"), "Old", at=absurd), Track(by_id("bob"), "Old", at=absurd))
    assert gate.totals()["quarantined"] == 2
    gate.apply(Suppress(by_id("ada")))
    (left,) = gate.rows("SELECT raw_body FROM quarantine")
    assert "bob" in left


# --- Merge --------------------------------------------------------------------------------------


def test_a_merge_fills_what_the_primary_lacks_and_moves_the_rest(gate: Gate) -> None:
    full(gate, "ada")
    gate.apply(
        Identify(by_id("eve"), {"email": "eve@shop.example"}, {"plan": "basic", "phone": "1", "city": ""}),
        Track(by_id("eve"), "Visit"),
        PutDevice(by_id("eve"), "token-eve", "android"),
    )
    ada, eve = gate.owner(by_id("ada")), gate.owner(by_id("eve"))
    gate.apply(Merge(by_id("ada"), by_id("eve")))
    assert (gate.state(eve), gate.rows("SELECT merged_into FROM customer WHERE id = %s", eve)) == ("merged", [ada])
    assert gate.props(ada) == {"plan": "gold", "city": "ada", "phone": "1"}
    assert set(gate.events(ada)) == {"Purchase", "Visit", "customer_merged"}
    assert gate.identifiers(ada) == {"ada", "ada@shop.example", "eve", "eve@shop.example"}
    assert set(gate.rows("SELECT raw_token FROM device WHERE customer_id = %s", ada)) == {"token-ada", "token-eve"}
    assert gate.owner(by_email("eve@shop.example")) == ada
    assert gate.owner(Ref(CUSTOMER_ID, str(eve))) == ada


def test_what_is_sent_to_the_absorbed_one_reaches_the_survivor(gate: Gate) -> None:
    ada, eve = gate.identify(by_id("ada")), gate.identify(by_id("eve"))
    gate.apply(Merge(by_id("ada"), by_id("eve")), Track(by_id("eve"), "Later"))
    gate.track(Ref(CUSTOMER_ID, str(eve)), "Latest")
    assert {"Later", "Latest"} <= set(gate.events(ada))


def test_an_event_that_both_have_counts_once(gate: Gate) -> None:
    at = micros(NOW - timedelta(days=1))
    for key in ("ada", "eve"):
        gate.track(by_id(key), "Purchase", id="01ARZ3NDEKTSV4RRFFQ69G5FAV", at=at)
    gate.apply(Merge(by_id("ada"), by_id("eve")))
    assert gate.events(gate.owner(by_id("ada"))).count("Purchase") == 1


@pytest.mark.parametrize(
    ("primary", "secondary"),
    [("nobody", "ada"), ("ada", "nobody"), ("ada", "ada")],
)
def test_a_merge_that_cannot_be_changes_nothing(gate: Gate, primary: str, secondary: str) -> None:
    ada = gate.identify(by_id("ada"), plan="gold")
    gate.apply(Merge(by_id(primary), by_id(secondary)))
    assert (gate.totals()["ignored"], gate.state(ada), gate.props(ada)) == (1, "active", {"plan": "gold"})


def test_merges_never_chain(gate: Gate) -> None:
    one, two, three = (gate.identify(by_id(key)) for key in ("one", "two", "three"))
    gate.apply(Merge(by_id("two"), by_id("three")), Merge(by_id("one"), by_id("two")))
    assert set(gate.rows("SELECT merged_into FROM customer WHERE id IN (%s, %s)", two, three)) == {one}


def test_a_merged_pair_deleted_later_leaves_no_trail(gate: Gate) -> None:
    one, two = gate.identify(by_id("one")), gate.identify(by_id("two"))
    gate.apply(Merge(by_id("one"), by_id("two")), Delete(by_id("two")))
    assert (gate.state(one), gate.state(two)) == ("deleted", "deleted")


def test_a_refusal_of_messages_outlives_a_merge(gate: Gate) -> None:
    gate.apply(
        Identify(by_id("ada"), consent={EVERYTHING: True, 1: False}),
        Identify(by_id("eve"), consent={EVERYTHING: False, 1: True, 2: True}),
        Merge(by_id("ada"), by_id("eve")),
    )
    rows = gate.rows("SELECT topic, is_subscribed FROM subscription WHERE customer_id = %s", gate.owner(by_id("ada")))
    assert dict(rows) == {EVERYTHING: False, 1: False, 2: True}


def test_a_restricted_customer_stays_restricted_in_a_merge(gate: Gate) -> None:
    ada, eve = gate.identify(by_id("ada")), gate.identify(by_id("eve"))
    gate.connection.execute("UPDATE customer SET is_restricted = true WHERE id = %s", [eve])
    gate.apply(Merge(by_id("ada"), by_id("eve")))
    assert gate.rows("SELECT is_restricted FROM customer WHERE id = %s", ada) == [True]


def test_merge_and_delete_stand_in_the_audit_without_values(gate: Gate) -> None:
    ada, eve = gate.identify(by_id("ada")), gate.identify(by_id("eve"))
    gate.apply(Merge(by_id("ada"), by_id("eve")), Delete(by_id("ada")))
    entries = gate.rows(
        "SELECT action, customer_ids, data FROM audit_entry WHERE action LIKE 'customer.%%' ORDER BY at, id"
    )
    assert [(action, ids) for action, ids, _ in entries] == [
        ("customer.merged", [ada, eve]), ("customer.deleted", [ada])
    ]  # fmt: skip
    assert all(data == {} for _, _, data in entries)


# --- Joining ------------------------------------------------------------------------------------


def test_anonymous_events_become_those_of_the_person_who_identifies_himself(gate: Gate) -> None:
    gate.track(VISITOR, "Page seen")
    visitor = gate.owner(VISITOR)
    assert gate.state(visitor) == "anonymous"
    gate.apply(Identify(by_id("ada"), {"anonymous_id": "visitor-1"}, {"plan": "gold"}))
    ada = gate.owner(by_id("ada"))
    assert (ada, gate.state(ada)) == (visitor, "active")
    assert gate.events(ada) == ["Page seen"]


def test_anonymous_events_join_a_person_who_is_known_already(gate: Gate) -> None:
    ada = gate.identify(by_id("ada"), plan="gold")
    gate.track(VISITOR, "Page seen")
    visitor = gate.owner(VISITOR)
    gate.apply(Identify(by_id("ada"), {"anonymous_id": "visitor-1"}))
    assert (gate.state(visitor), gate.owner(VISITOR)) == ("merged", ada)
    assert set(gate.events(ada)) == {"Page seen", "anonymous_joined"}
    gate.track(VISITOR, "Later")
    assert "Later" in gate.events(ada)


def test_a_whole_story_in_one_request_joins_too(gate: Gate) -> None:
    gate.apply(
        Track(VISITOR, "One"), Identify(by_id("ada")), Track(VISITOR, "Two"),
        Identify(by_id("ada"), {"anonymous_id": "visitor-1"}), Track(VISITOR, "Three"),
    )  # fmt: skip
    assert set(gate.events(gate.owner(by_id("ada")))) == {"One", "Two", "Three", "anonymous_joined"}
    assert gate.totals()["accepted"] == gate.totals()["applied"] == 5


def test_an_anonymous_id_of_somebody_else_is_not_moved(gate: Gate) -> None:
    ada = gate.identify(by_id("ada"))
    gate.apply(Identify(by_id("ada"), {"anonymous_id": "visitor-1"}))
    gate.apply(Identify(by_id("eve"), {"anonymous_id": "visitor-1"}, {"plan": "basic"}))
    assert gate.owner(VISITOR) == ada
    eve = gate.owner(by_id("eve"))
    assert gate.rows("SELECT name, failure FROM property_change WHERE customer_id = %s AND failure <> ''", eve) == [
        ("anonymous_id", "taken")
    ]


def test_a_workspace_may_keep_anonymous_events_apart(gate: Gate) -> None:
    gate.connection.execute("UPDATE workspace SET joins_anonymous = false WHERE id = %s", [gate.workspace_id])
    gate.track(VISITOR, "Page seen")
    gate.apply(Identify(by_id("ada"), {"anonymous_id": "visitor-1"}))
    assert gate.owner(VISITOR) != gate.owner(by_id("ada"))


def test_two_records_that_complete_each_other_become_the_older_one(gate: Gate) -> None:
    older = gate.identify(by_email("ada@shop.example"), city="Bern", plan="old")
    newer = gate.identify(by_id("ada"), plan="new")
    gate.apply(Identify(by_id("ada"), {"email": "ada@shop.example"}, {"zip": "3000"}))
    assert gate.owner(by_id("ada")) == gate.owner(by_email("ada@shop.example")) == older
    assert gate.state(newer) == "merged"
    assert gate.props(older) == {"city": "Bern", "plan": "old", "zip": "3000"}


def test_two_records_that_contradict_each_other_stay_two(gate: Gate) -> None:
    ada = gate.identify(by_id("ada"))
    gate.apply(Identify(by_id("eve"), {"email": "eve@shop.example"}))
    gate.apply(Identify(by_id("ada"), {"email": "eve@shop.example"}, {"plan": "gold"}))
    assert gate.owner(by_email("eve@shop.example")) == gate.owner(by_id("eve"))
    assert gate.props(ada) == {"plan": "gold"}
    failed = gate.rows(
        "SELECT name, raw_new, part, failure FROM property_change WHERE customer_id = %s AND failure <> ''", ada
    )
    assert failed == [("email", None, "identifier", "taken")]


def test_a_workspace_may_forbid_merges_of_its_own_accord(gate: Gate) -> None:
    gate.connection.execute("UPDATE workspace SET merges_automatically = false WHERE id = %s", [gate.workspace_id])
    gate.identify(by_email("ada@shop.example"))
    gate.identify(by_id("ada"))
    gate.apply(Identify(by_id("ada"), {"email": "ada@shop.example"}))
    assert gate.owner(by_id("ada")) != gate.owner(by_email("ada@shop.example"))
