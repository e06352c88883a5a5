"""Devices, objects, consent, messages, forms and manual segments, as a worker applies them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from segments.models import Segment
from tests.tracking.intake import Gate, by_email, by_id, open_gate
from tracking.intake.operations import (
    CUSTOMER_ID,
    EVERYTHING,
    ChangeMembers,
    DropDevice,
    DropObject,
    Identify,
    Link,
    ObjectRef,
    PersonLink,
    PutDevice,
    PutObject,
    Ref,
    Relate,
    RelatePeople,
    ReportDelivery,
    SubmitForm,
    Suppress,
    Unsubscribe,
)
from tracking.integrity import checks

ACME = ObjectRef(1, "acme")
NOW = datetime.now(UTC)


@pytest.fixture
def gate(transactional_db: None) -> Iterator[Gate]:
    with open_gate() as opened:
        yield opened
        # Whatever a test did, the tables agree with one another.
        broken = {one.name for one in checks.run().findings if one.violations}
        assert broken == set()


def micros(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


# --- Devices ------------------------------------------------------------------------------------


def devices(gate: Gate, customer: UUID) -> dict[str, Any]:
    rows = gate.rows("SELECT raw_token, platform, raw_attributes FROM device WHERE customer_id = %s", customer)
    return {token: (platform, attributes) for token, platform, attributes in rows}


def test_a_device_makes_its_customer_and_a_second_report_updates_it(gate: Gate) -> None:
    who = by_id("ada")
    gate.apply(PutDevice(who, "t1", "ios", attributes={"os": "17", "app": "1"}))
    gate.apply(PutDevice(who, "t1", "ios", attributes={"os": "18"}))
    assert devices(gate, gate.owner(who)) == {"t1": ("ios", {"os": "18", "app": "1"})}


def test_null_and_the_empty_text_remove_an_attribute_of_a_device(gate: Gate) -> None:
    who = by_id("ada")
    gate.apply(PutDevice(who, "t1", "ios", attributes={"os": "17", "app": "1", "lang": "de", "no": None}))
    gate.apply(PutDevice(who, "t1", "ios", attributes={"os": "", "app": None}))
    assert devices(gate, gate.owner(who)) == {"t1": ("ios", {"lang": "de"})}


def test_an_older_report_of_a_device_adds_but_does_not_undo(gate: Gate) -> None:
    who, now = by_id("ada"), micros(NOW)
    gate.apply(PutDevice(who, "t1", "ios", now, {"os": "18"}))
    gate.apply(PutDevice(who, "t1", "android", now - 10**9, {"os": "17", "app": "1"}))
    assert devices(gate, gate.owner(who)) == {"t1": ("ios", {"os": "18", "app": "1"})}


def test_a_token_moves_to_whoever_reports_it_last(gate: Gate) -> None:
    gate.apply(PutDevice(by_id("ada"), "t1", "ios"), PutDevice(by_id("eve"), "t1", "ios"))
    assert devices(gate, gate.owner(by_id("ada"))) == {}
    assert set(devices(gate, gate.owner(by_id("eve")))) == {"t1"}


def test_a_device_is_dropped_by_its_owner_only(gate: Gate) -> None:
    gate.apply(PutDevice(by_id("ada"), "t:/1", "ios"))
    gate.identify(by_id("eve"))
    gate.apply(DropDevice(by_id("eve"), "t:/1"), DropDevice(by_id("nobody"), "t:/1"))
    assert set(devices(gate, gate.owner(by_id("ada")))) == {"t:/1"}
    gate.apply(DropDevice(by_id("ada"), "t:/1"))
    assert devices(gate, gate.owner(by_id("ada"))) == {}
    assert gate.totals()["ignored"] == 2


# --- Objects ------------------------------------------------------------------------------------


def relations(gate: Gate, customer: UUID) -> dict[str, Any]:
    rows = gate.rows(
        "SELECT o.raw_key, r.raw_attributes FROM relationship r JOIN object o ON o.id = r.object_id"
        " WHERE r.customer_id = %s",
        customer,
    )
    return dict(rows)


def test_relating_makes_the_type_and_the_object(gate: Gate) -> None:
    gate.apply(Relate(by_id("ada"), [Link(ACME, {"role": "owner"}), Link(ObjectRef(4, "course"))]))
    assert relations(gate, gate.owner(by_id("ada"))) == {"acme": {"role": "owner"}, "course": {}}
    names = gate.rows("SELECT name FROM object_type WHERE workspace_id = %s ORDER BY number", gate.workspace_id)
    assert names == ["Object type 1", "Object type 4"]


def test_attributes_of_a_relationship_are_changed_and_removed(gate: Gate) -> None:
    who = by_id("ada")
    gate.apply(Relate(who, [Link(ACME, {"role": "owner", "since": 2020})]))
    gate.apply(Relate(who, [Link(ACME, {"role": "guest", "since": None})]))
    assert relations(gate, gate.owner(who)) == {"acme": {"role": "guest"}}


def test_an_object_is_made_with_people_and_updated(gate: Gate) -> None:
    gate.apply(
        PutObject(ACME, {"name": "Acme", "size": 5}, [PersonLink(by_email("ada@shop.example"), {"role": "owner"})])
    )
    gate.apply(PutObject(ACME, {"name": "Acme Ltd", "size": ""}))
    assert gate.rows("SELECT raw_props FROM object") == [{"name": "Acme Ltd"}]
    assert relations(gate, gate.owner(by_email("ada@shop.example"))) == {"acme": {"role": "owner"}}


def test_an_object_is_found_by_its_own_id_but_never_made_by_it(gate: Gate) -> None:
    gate.apply(PutObject(ACME, {"name": "Acme"}))
    (id_,) = gate.rows("SELECT id::text FROM object")
    gate.apply(PutObject(ObjectRef(0, id_), {"name": "Better"}))
    assert gate.rows("SELECT raw_props FROM object") == [{"name": "Better"}]
    gate.apply(PutObject(ObjectRef(0, "01a211bb-b45c-7067-881b-3556656c9581"), {"name": "Ghost"}))
    assert gate.rows("SELECT count(*) FROM object") == [1]


def test_people_leave_an_object_and_it_goes_with_its_relationships(gate: Gate) -> None:
    ada, eve = PersonLink(by_id("ada")), PersonLink(by_id("eve"))
    gate.apply(RelatePeople(ACME, [ada, eve]))
    gate.apply(RelatePeople(ACME, [ada, PersonLink(by_id("nobody"))], is_removal=True))
    assert relations(gate, gate.owner(by_id("ada"))) == {}
    assert set(relations(gate, gate.owner(by_id("eve")))) == {"acme"}
    gate.apply(Relate(by_id("eve"), [Link(ObjectRef(9, "none"))], is_removal=True))
    gate.apply(DropObject(ACME), DropObject(ACME))
    assert gate.rows("SELECT count(*) FROM relationship") == [0]
    assert gate.rows("SELECT count(*) FROM object") == [0]
    assert gate.totals()["ignored"] == 2


def test_what_was_known_of_a_visitor_stays_when_he_is_identified(gate: Gate) -> None:
    visitor = Ref("anonymous_id", "v1")
    ada = gate.identify(by_id("ada"))
    gate.apply(PutObject(ACME, people=[PersonLink(visitor)]))
    gate.apply(Identify(by_id("ada"), {"anonymous_id": "v1"}))
    assert set(relations(gate, ada)) == {"acme"}


# --- Consent ------------------------------------------------------------------------------------


def consent(gate: Gate, customer: UUID) -> dict[int, bool]:
    return dict(gate.rows("SELECT topic, is_subscribed FROM subscription WHERE customer_id = %s", customer))


def test_the_newest_word_counts_whatever_came_first(gate: Gate) -> None:
    who, now = by_id("ada"), micros(NOW)
    gate.apply(Identify(who, consent={EVERYTHING: False, 1: True}, at=now))
    gate.apply(Identify(who, consent={EVERYTHING: True, 1: False}, at=now - 10**9))
    assert consent(gate, gate.owner(who)) == {EVERYTHING: False, 1: True}


def test_a_complete_list_of_topics_forgets_the_others(gate: Gate) -> None:
    who = by_id("ada")
    gate.apply(Identify(who, consent={EVERYTHING: False, 1: True, 2: False}))
    gate.apply(Identify(who, consent={3: True}, is_all_consent=True))
    assert consent(gate, gate.owner(who)) == {EVERYTHING: False, 3: True}


def test_topics_get_a_name_and_changes_a_history(gate: Gate) -> None:
    for is_subscribed in (True, True, False):
        gate.apply(Identify(by_id("ada"), consent={7: is_subscribed}))
    assert gate.rows("SELECT number, name FROM topic WHERE workspace_id = %s", gate.workspace_id) == [(7, "Topic 7")]
    changes = gate.rows("SELECT name, raw_old, raw_new FROM property_change WHERE part = 'consent' ORDER BY at")
    assert changes == [("7", None, True), ("7", True, False)]


# --- Messages -----------------------------------------------------------------------------------


def test_a_report_of_an_unknown_message_is_kept_only_with_a_known_recipient(gate: Gate) -> None:
    ada = gate.identify(by_email("ada@shop.example"))
    gate.apply(ReportDelivery("d1", "opened"), ReportDelivery("d1", "opened", by_email("nobody@shop.example")))
    assert gate.totals()["ignored"] == 2
    gate.apply(ReportDelivery("d1", "delivered", by_email("ada@shop.example"), "email", {"href": "x"}))
    gate.apply(ReportDelivery("d1", "opened"))
    assert gate.events(ada) == ["email_delivered", "message_opened"]
    assert gate.rows("SELECT customer_id, channel, last_metric FROM delivery") == [(ada, "email", "opened")]


def test_a_report_with_a_time_counts_once(gate: Gate) -> None:
    ada = gate.identify(by_email("ada@shop.example"))
    report = ReportDelivery("d1", "clicked", by_email("ada@shop.example"), "email", at=micros(NOW - timedelta(hours=1)))
    gate.apply(report, report)
    assert gate.events(ada) == ["email_clicked"]


def test_whoever_unsubscribes_by_a_message_gets_no_more(gate: Gate) -> None:
    ada = gate.identify(by_email("ada@shop.example"))
    gate.apply(
        ReportDelivery("d1", "delivered", by_email("ada@shop.example"), "email"), Unsubscribe("d1"), Unsubscribe("d2")
    )
    assert consent(gate, ada) == {EVERYTHING: False}
    assert "email_unsubscribed" in gate.events(ada)
    gate.apply(Unsubscribe("d1", is_unsubscribed=False))
    assert consent(gate, ada) == {EVERYTHING: True}


def test_reports_of_a_suppressed_recipient_are_counted_and_dropped(gate: Gate) -> None:
    gate.identify(by_email("ada@shop.example"))
    gate.apply(ReportDelivery("d1", "delivered", by_email("ada@shop.example"), "email"))
    gate.apply(Suppress(by_email("ada@shop.example")), ReportDelivery("d1", "opened", by_email("ada@shop.example")))
    assert gate.rows("SELECT count(*) FROM delivery") == gate.rows("SELECT count(*) FROM delivery_lookup") == [0]
    assert gate.totals()["suppressed"] == 1


# --- Forms and segments -------------------------------------------------------------------------


def test_a_form_identifies_and_stands_on_the_timeline(gate: Gate) -> None:
    who = by_email("ada@shop.example")
    gate.apply(SubmitForm("f1", who, {"city": "Bern"}, {"city": "Bern", "email": "ada@shop.example"}))
    ada = gate.owner(who)
    assert (gate.props(ada), gate.events(ada)) == ({"city": "Bern"}, ["Form submitted"])


def segment(gate: Gate, **fields: Any) -> Segment:
    return Segment.objects.create(workspace_id=gate.workspace_id, name="Regulars", **fields)


def test_known_people_enter_and_leave_a_manual_segment(gate: Gate) -> None:
    ada = gate.identify(by_id("ada"))
    regulars = segment(gate)
    gate.apply(ChangeMembers(regulars.pk, [by_id("ada"), by_id("nobody")]))
    assert gate.rows("SELECT customer_id FROM segment_member WHERE segment_id = %s", regulars.pk) == [ada]
    assert gate.rows("SELECT count(*) FROM customer WHERE workspace_id = %s", gate.workspace_id) == [1]
    gate.apply(ChangeMembers(regulars.pk, [Ref(CUSTOMER_ID, str(ada))], is_removal=True))
    assert gate.rows("SELECT count(*) FROM segment_member") == [0]
    assert gate.rows("SELECT entered FROM segment_change ORDER BY at") == [True, False]


@pytest.mark.parametrize("fields", [{"kind": "dynamic"}, {"is_access_scope": True}])
def test_programs_cannot_change_a_rule_or_who_may_be_seen(gate: Gate, fields: dict[str, Any]) -> None:
    gate.identify(by_id("ada"))
    gate.apply(ChangeMembers(segment(gate, **fields).pk, [by_id("ada")]))
    assert gate.rows("SELECT count(*) FROM segment_member") == [0]
    assert gate.totals()["ignored"] == 1
