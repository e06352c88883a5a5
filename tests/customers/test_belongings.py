"""The read gate for what belongs to a customer."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from customers import belongings, paging
from customers.masking import MASK
from customers.models import AuditEntry, Customer, Object, ObjectType
from rolodesk.errors import HandleRefused, NotFound
from tests.factories import (
    declare,
    make_customer,
    make_device,
    make_object,
    make_relationship,
    make_subscription,
    make_topic,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
GATES = [belongings.devices, belongings.objects, belongings.consent]
PAGED = [belongings.devices, belongings.objects]


def values(shown):
    return {one.name: one.value for one in shown}


@pytest.fixture
def support(cast, viewer_of):
    return viewer_of(cast.support)


@pytest.fixture
def lead(cast, viewer_of):
    return viewer_of(cast.lead)


@pytest.fixture
def company(cast):
    return make_object(cast.workspace, "canary-key", name="Canary Ltd", seats=3)


# --- All of them -------------------------------------------------------------------------------


@pytest.mark.parametrize("gate", GATES)
def test_unknown_and_foreign_customers_are_equally_absent(cast, lead, viewer_of, anna, gate):
    for viewer, customer in ((lead, uuid4()), (viewer_of(cast.outsider, cast.elsewhere), anna)):
        with pytest.raises(NotFound):
            gate(viewer, customer)


@pytest.mark.parametrize("state", ["merged", "deleted"])
def test_a_customer_that_is_gone_has_nothing(cast, viewer_of, anna, company, state):
    make_device(anna)
    make_relationship(anna, company)
    make_topic(cast.workspace, 1)
    make_subscription(anna, 0, is_subscribed=True)
    Customer.objects.filter(pk=anna).update(state=state)
    viewer = viewer_of(cast.privacy)
    assert belongings.devices(viewer, anna).rows == ()
    assert belongings.objects(viewer, anna).rows == ()
    consent = belongings.consent(viewer, anna)
    assert (consent.everything.said.value, consent.everything.at, consent.subscribed_count) == (MASK, None, 0)


@pytest.mark.parametrize("gate", PAGED)
def test_the_number_of_statements_does_not_grow_with_the_rows(cast, lead, anna, gate, django_assert_max_num_queries):
    for more in (1, 10, 30):
        for _ in range(more):
            make_device(anna, raw_attributes={"model": "x"})
            make_relationship(anna, make_object(cast.workspace, number=more), role="buyer")
        with django_assert_max_num_queries(7):
            gate(lead, anna)


def fill(cast, customer, count):
    """So many devices and objects, the first one last in order."""
    for n in range(count):
        make_device(customer, f"token-{n}", last_used=NOON + timedelta(minutes=n // 2))
        make_relationship(customer, make_object(cast.workspace, f"key-{n}"), at=NOON + timedelta(minutes=n // 2))


@pytest.mark.parametrize("gate", PAGED)
def test_pages_follow_one_another_without_gap_or_repeat(cast, lead, anna, gate, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 4)
    fill(cast, anna, 11)
    seen, cursor, pages = [], "", 0
    while True:
        page = gate(lead, anna, cursor)
        seen += [row.facts[0].value for row in page.rows]
        cursor, pages = page.next_cursor, pages + 1
        if not cursor:
            break
    assert pages == 3 and len(seen) == len(set(seen)) == 11
    assert {word[-2:] for word in seen[:1]} == {"10"}


@pytest.mark.parametrize("gate", PAGED)
def test_a_cursor_serves_only_its_viewer_and_its_customer(cast, lead, support, anna, gate, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 1)
    fill(cast, anna, 2)
    cursor = gate(lead, anna).next_cursor
    other = make_customer(cast.workspace)
    for viewer, customer, text in ((support, anna, cursor), (lead, other, cursor), (lead, anna, "forged")):
        with pytest.raises(HandleRefused):
            gate(viewer, customer, text)


# --- Devices -----------------------------------------------------------------------------------


def test_tokens_and_attributes_are_personal_and_the_platform_is_not(cast, support, lead, anna):
    make_device(anna, "canary-token", platform="ios", raw_attributes={"model": "canary-model"})
    (device,) = belongings.devices(support, anna).rows
    assert (device.platform.value, device.token.value, values(device.attributes)) == ("iOS", MASK, {"model": MASK})
    (device,) = belongings.devices(lead, anna).rows
    assert (device.token.value, values(device.attributes)) == ("canary-token", {"model": "canary-model"})


def test_declared_parts_of_devices_have_their_class_their_label_and_their_place(cast, support, anna):
    declare(cast.workspace, "token", entity="device", data_class=0, label="Push token")
    declare(cast.workspace, "model", entity="device", data_class=0, label="Model", position=1)
    make_device(anna, "canary-token", platform="android", raw_attributes={"age": 2, "model": "A5"})
    (device,) = belongings.devices(support, anna).rows
    assert (device.token.value, device.token.label, device.platform.value) == ("canary-token", "Push token", "Android")
    assert [(one.label, one.value) for one in device.attributes] == [("Model", "A5"), ("age", MASK)]


def test_devices_stand_last_used_first(support, anna):
    for n, name in enumerate(("web", "ios", "android")):
        make_device(anna, platform=name, last_used=NOON + timedelta(days=n))
    assert [row.platform.value for row in belongings.devices(support, anna).rows] == ["Android", "iOS", "Web"]


def test_even_the_platform_of_a_restricted_customer_is_hidden(cast, lead, anna):
    make_device(anna)
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    (device,) = belongings.devices(lead, anna).rows
    assert device.platform.is_masked and device.token.is_masked


def test_showing_devices_is_audited_by_names(cast, support, lead, anna):
    make_device(anna, "canary-token", raw_attributes={"model": "canary-model"})
    belongings.devices(support, anna)
    assert not AuditEntry.objects.exists()
    belongings.devices(lead, anna)
    entry = AuditEntry.objects.get(action="personal.shown")
    assert (entry.customer_ids, entry.data) == ([anna], {"names": ["model", "token"]})


# --- Objects -----------------------------------------------------------------------------------


def test_objects_and_relationships_are_personal_unless_declared(cast, support, lead, anna, company):
    make_relationship(anna, company, role="canary-role")
    (row,) = belongings.objects(support, anna).rows
    assert row.type_name == "Object type 1" and row.key.value == MASK
    assert values(row.properties) == {"name": MASK, "seats": MASK} and values(row.attributes) == {"role": MASK}
    (row,) = belongings.objects(lead, anna).rows
    assert row.key.value == "canary-key" and row.id == company.pk
    assert values(row.properties) == {"name": "Canary Ltd", "seats": "3"}
    assert values(row.attributes) == {"role": "canary-role"}
    names = AuditEntry.objects.get(action="personal.shown").data["names"]
    assert names == ["key", "name", "role", "seats"]


def test_each_type_of_objects_has_classes_of_its_own(cast, support, anna):
    declare(cast.workspace, "key", entity="object:1", data_class=0)
    declare(cast.workspace, "name", entity="object:1", data_class=0)
    declare(cast.workspace, "role", entity="relationship:1", data_class=0)
    for number in (1, 2):
        row = make_object(cast.workspace, f"key-{number}", number=number, name=f"Name {number}")
        make_relationship(anna, row, role="buyer")
    by_type = {row.type_name: row for row in belongings.objects(support, anna).rows}
    shown = by_type["Object type 1"]
    assert [one.value for one in (shown.key, *shown.properties, *shown.attributes)] == ["key-1", "Name 1", "buyer"]
    hidden = by_type["Object type 2"]
    assert {one.value for one in (hidden.key, *hidden.properties, *hidden.attributes)} == {MASK}


def test_the_first_line_of_an_object_has_its_key_and_two_properties(cast, lead, anna):
    make_relationship(anna, make_object(cast.workspace, "k", a=1, b=2, c=3))
    (row,) = belongings.objects(lead, anna).rows
    assert [one.name for one in row.facts] == ["key", "a", "b"]


@pytest.mark.parametrize("gone", [Object, ObjectType])
def test_a_relationship_that_leads_nowhere_is_left_out(cast, lead, anna, company, gone):
    make_relationship(anna, company)
    gone.objects.all().delete()
    assert belongings.objects(lead, anna).rows == ()


def test_an_object_of_another_workspace_is_left_out(cast, lead, anna):
    make_relationship(anna, make_object(cast.elsewhere, "foreign"))
    assert belongings.objects(lead, anna).rows == ()


def test_an_object_was_updated_when_it_or_the_relationship_was(cast, lead, anna, company):
    make_relationship(anna, company, at=NOON)
    (row,) = belongings.objects(lead, anna).rows
    assert (row.since, row.updated_at) == (NOON, company.updated_at)


# --- Consent -----------------------------------------------------------------------------------


@pytest.fixture
def topics(cast):
    for number, name in ((1, "News"), (2, "Offers"), (3, "Surveys")):
        make_topic(cast.workspace, number, name, description="Monthly" if number == 1 else "")


def test_support_sees_what_a_customer_said(cast, support, anna, topics):
    make_subscription(anna, 0, is_subscribed=False, at=NOON)
    make_subscription(anna, 1, is_subscribed=True)
    make_subscription(anna, 2, is_subscribed=False)
    consent = belongings.consent(support, anna)
    everything = consent.everything
    assert (everything.said.value, everything.is_unsubscribed, everything.at) == ("Unsubscribed", True, NOON)
    assert [(one.label, one.said.value, one.source) for one in consent.topics] == [
        ("News", "Subscribed", "track"), ("Offers", "Unsubscribed", "track"), ("Surveys", "", ""),
    ]  # fmt: skip
    assert consent.topics[0].description == "Monthly"
    assert consent.subscribed_count == 1
    assert not AuditEntry.objects.exists()


def test_who_said_nothing_is_neither_subscribed_nor_unsubscribed(support, anna, topics):
    everything = belongings.consent(support, anna).everything
    assert (everything.said.value, everything.at) == ("", None)
    assert not everything.is_subscribed and not everything.is_unsubscribed


def test_topics_of_other_workspaces_are_not_listed(cast, support, anna):
    make_topic(cast.elsewhere, 1)
    assert belongings.consent(support, anna).topics == ()


def test_what_a_restricted_customer_said_is_hidden_whatever_it_is(cast, lead, support, anna, topics):
    make_subscription(anna, 1, is_subscribed=True)
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    for viewer in (lead, support):
        consent = belongings.consent(viewer, anna)
        assert {one.said.value for one in (consent.everything, *consent.topics)} == {MASK}
        assert consent.subscribed_count == 0
