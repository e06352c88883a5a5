"""The read gate for operations that were set aside."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from django.utils import timezone

from customers import paging
from customers.identifiers import delivery_digest, suppression_digest
from customers.masking import MASK
from customers.models import AuditEntry, Customer, IdentifierKind, SuppressedIdentifier, Workspace
from rolodesk.errors import HandleRefused, NotAllowed, NotFound
from tests.factories import declare, grant, make_customer, make_quarantined, make_user
from tracking import quarantine
from tracking.intake.operations import (
    CUSTOMER_ID,
    Identify,
    Merge,
    ObjectRef,
    Operation,
    PersonLink,
    PutDevice,
    PutObject,
    Ref,
    ReportDelivery,
    Track,
)
from tracking.models import DeliveryLookup

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MICROS = int(NOON.timestamp()) * 1_000_000


@pytest.fixture
def editor(cast, viewer_of):
    """Somebody who works here and sees personal data at most."""
    return viewer_of(cast.lead)


@pytest.fixture
def opener(cast, viewer_of):
    """Somebody who may edit and sees sensitive data in the whole workspace."""
    user = make_user()
    grant(user, cast.workspace, "view_workspace", "view_sensitive", "edit")
    return viewer_of(user)


def leaves(nodes, path=""):
    """Every value of a tree by its way from the root."""
    found = {}
    for node in nodes:
        here = f"{path}/{node.label}"
        if node.shown is not None:
            found[here] = node.shown.value
        found |= leaves(node.children, here)
    return found


def tree(viewer, *operations):
    """The tree of operations that were set aside together."""
    workspace = Workspace.objects.get(pk=viewer.workspace_id)
    return leaves(quarantine.detail(viewer, make_quarantined(workspace, *operations).pk).nodes)


# --- The list ----------------------------------------------------------------------------------


def test_the_list_says_what_when_and_why_and_holds_no_value(cast, editor):
    at = {"received_at": NOON, "at": NOON + timedelta(seconds=3)}
    make_quarantined(cast.workspace, Track(Ref("email", "canary@x.example"), "canary"), reason="absurd_time", **at)
    page = quarantine.page(editor)
    (item,) = page.items
    assert (item.kind, item.reason, item.code) == ("Event", "Its time lies outside of all sense", "absurd_time")
    assert (item.route, item.received_at, item.set_aside_at) == ("track", NOON, NOON + timedelta(seconds=3))
    assert "canary" not in str(page)


def test_every_operation_has_a_kind_in_words():
    tags = {str(one.__struct_config__.tag) for one in get_args(Operation)}
    assert tags == set(quarantine.KINDS)


def test_what_is_no_operation_is_not_readable(cast, editor):
    for body in ("{", '["canary"]', '[{"op":"newer","who":1}]', ""):
        make_quarantined(cast.workspace, raw_body=body, reason="unreadable")
    assert {item.kind for item in quarantine.page(editor).items} == {"Not readable"}


def test_reasons_are_counted_over_all_pages_the_most_frequent_first(cast, editor, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 1)
    for reason in ("sql_22P05", "absurd_time", "absurd_time", "brand_new"):
        make_quarantined(cast.workspace, reason=reason)
    page = quarantine.page(editor)
    assert [(one.words, one.count) for one in page.reasons] == [
        ("Its time lies outside of all sense", 2),
        ("Brand new", 1),
        ("The database refuses one of its values (code 22P05)", 1),
    ]
    assert (page.total, len(page.items)) == (4, 1)


def test_pages_follow_one_another_without_gap_or_repeat(cast, editor, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 2)
    made = [make_quarantined(cast.workspace, at=NOON).pk for _ in range(5)]
    seen, cursor = [], ""
    for _ in range(3):
        page = quarantine.page(editor, cursor)
        seen += [item.id for item in page.items]
        cursor = page.next_cursor
    assert (seen, cursor) == (made[::-1], "")


def test_a_cursor_serves_only_its_viewer(cast, editor, opener, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 1)
    for _ in range(2):
        make_quarantined(cast.workspace)
    cursor = quarantine.page(editor).next_cursor
    with pytest.raises(HandleRefused):
        quarantine.page(opener, cursor)


def test_other_workspaces_stay_out_of_sight(cast, editor):
    foreign = make_quarantined(cast.elsewhere)
    page = quarantine.page(editor)
    assert (page.items, page.reasons, quarantine.tally(editor)) == ((), (), "")
    for item in (foreign.pk, foreign.pk + 1, 10**30):
        with pytest.raises(NotFound):
            quarantine.detail(editor, item)


def test_it_takes_the_permission_to_edit(cast, viewer_of):
    item = make_quarantined(cast.workspace)
    for call in (quarantine.page, lambda viewer: quarantine.detail(viewer, item.pk)):
        with pytest.raises(NotAllowed):
            call(viewer_of(cast.privacy))


def test_the_tally_stops_counting(cast, editor, monkeypatch):
    for _ in range(3):
        make_quarantined(cast.workspace)
    assert quarantine.tally(editor) == "3"
    monkeypatch.setattr(quarantine, "TALLY_CAP", 2)
    assert quarantine.tally(editor) == "2+"


def test_the_number_of_statements_does_not_grow_with_the_rows(cast, editor, django_assert_max_num_queries):
    for more in (1, 10, 30):
        for _ in range(more):
            make_quarantined(cast.workspace, Track(Ref("email", "a@x.example"), "x"))
        with django_assert_max_num_queries(2):
            quarantine.page(editor)


# --- One operation -----------------------------------------------------------------------------

CUSTOMER = Identify(
    Ref("email", "canary@x.example"),
    {"external_id": "canary-id"},
    {"name": "Canary", "address": {"street": "Canary Row"}, "tags": ["a", "b"], "empty": ""},
    at=MICROS,
    consent={1: True},
)


def test_without_the_right_only_keys_are_shown_and_nothing_below_a_property(editor):
    shown = tree(editor, CUSTOMER)
    assert set(shown) == {
        "/Who: E-mail", "/Identifiers/external_id", "/Properties/name", "/Properties/address", "/Properties/tags",
        "/Properties/empty", "/At", "/Consent/1",
    }  # fmt: skip
    assert set(shown.values()) == {MASK}
    assert not AuditEntry.objects.exists()


def test_with_the_right_the_values_are_shown_and_audited(opener):
    shown = tree(opener, CUSTOMER)
    assert shown == {
        "/Who: E-mail": "canary@x.example", "/Identifiers/external_id": "canary-id", "/Properties/name": "Canary",
        "/Properties/address": '{"street":"Canary Row"}', "/Properties/tags": '["a","b"]', "/Properties/empty": "",
        "/At": "4 May 2026, 12:00", "/Consent/1": "Yes",
    }  # fmt: skip
    entry = AuditEntry.objects.get(action="personal.shown")
    assert entry.classes == [2] and "properties.name" in entry.data["names"]
    assert "anary" not in str(entry.data)


def test_parts_within_parts_and_lists_have_their_place(opener):
    people = [PersonLink(Ref("email", "a@x.example"), {"role": "buyer"}), PersonLink(Ref("loyalty_card", "7"))]
    assert tree(opener, PutObject(ObjectRef(1, "acme"), {"name": "Acme"}, people)) == {
        "/Object/Type": "1", "/Object/Key": "acme", "/Attributes/name": "Acme", "/People/1/Who: E-mail": "a@x.example",
        "/People/1/Attributes/role": "buyer", "/People/2/Who: Loyalty card": "7",
    }  # fmt: skip


def test_a_secret_stays_one_in_here(cast, opener):
    declare(cast.workspace, "cvv", entity="event:Payment", data_class=3)
    IdentifierKind.objects.filter(workspace=cast.workspace, name="phone").update(data_class=3)
    shown = tree(opener, Track(Ref("phone", "+4930"), "Payment", properties={"cvv": "123", "pin": "1", "sum": 5}))
    assert shown["/Properties/cvv"] == shown["/Properties/pin"] == shown["/Who: Phone"] == MASK
    assert shown["/Properties/sum"] == "5"


def test_the_size_is_told_in_bytes_to_who_sees_all_values(cast, opener):
    row = make_quarantined(cast.workspace, Track(Ref("email", "ü@x.example"), "x"), reason="not_applicable")
    detail = quarantine.detail(opener, row.pk)
    assert detail.size == len(row.raw_body.encode()) > len(row.raw_body)
    assert (detail.item.id, detail.item.kind, detail.is_hidden) == (row.pk, "Event", False)


@pytest.mark.parametrize("values", [{}, {"body": "{canary"}])
def test_the_size_would_tell_how_long_hidden_values_are(cast, editor, values):
    fields = {f"raw_{name}": value for name, value in values.items()}
    row = make_quarantined(cast.workspace, Track(Ref("email", "a@x.example"), "x"), **fields)
    assert quarantine.detail(editor, row.pk).size is None


def test_a_mask_does_not_tell_a_list_from_a_text(cast, editor):
    who = Ref("email", "a@x.example")
    texts, lists = (
        quarantine.detail(
            editor, make_quarantined(cast.workspace, Track(who, "x", properties={"a": value, "b": value})).pk
        ).nodes
        for value in ("text", ["list"])
    )
    assert texts == lists


def test_a_secret_among_values_that_show_hides_the_size_too(cast, opener):
    row = make_quarantined(cast.workspace, Track(Ref("email", "a@x.example"), "x", properties={"pin": "1234"}))
    assert quarantine.detail(opener, row.pk).size is None


@pytest.mark.parametrize("body", ["{canary", '{"op":"canary"}', '[{"op":"newer","canary":1}]'])
def test_of_what_cannot_be_read_only_the_size_is_told(cast, opener, body):
    row = make_quarantined(cast.workspace, raw_body=body, reason="unreadable")
    detail = quarantine.detail(opener, row.pk)
    assert (detail.nodes, detail.size, detail.is_hidden) == ((), len(body), False)
    assert "canary" not in str(detail)


# --- Whom it names -----------------------------------------------------------------------------


@pytest.fixture
def vip(cast):
    """A restricted customer with two identifiers and a message."""
    customer = make_customer(
        cast.workspace, identifiers={"email": "vip@x.example", "external_id": "V-1"}, is_restricted=True
    )
    DeliveryLookup.objects.create(
        digest=delivery_digest("canary-delivery"), workspace_id=cast.workspace.pk, customer_id=customer
    )
    return customer


def about(customer):
    """Operations that name this customer, each in another way."""
    stranger = Ref("email", "other@x.example")
    return [
        Track(Ref("email", "VIP@x.example "), "x"),
        Identify(stranger, {"external_id": "V-1"}),
        Merge(stranger, Ref(CUSTOMER_ID, str(customer))),
        PutObject(ObjectRef(1, "o"), people=[PersonLink(stranger), PersonLink(Ref("external_id", "V-1"))]),
        ReportDelivery("canary-delivery", "opened"),
        PutDevice(Ref("external_id", "V-1"), "token", "ios"),
    ]


@pytest.mark.parametrize("number", range(6))
def test_operations_about_a_restricted_customer_stay_closed(opener, vip, number):
    assert set(tree(opener, about(vip)[number]).values()) == {MASK}
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("number", range(6))
def test_operations_about_others_are_open_and_name_them_in_the_audit(opener, vip, number):
    Customer.objects.filter(pk=vip).update(is_restricted=False)
    assert MASK not in tree(opener, about(vip)[number]).values()
    assert AuditEntry.objects.get(action="personal.shown").customer_ids == [vip]


@pytest.mark.parametrize("state", ["merged", "deleted"])
def test_operations_about_who_is_gone_stay_closed(opener, vip, state):
    Customer.objects.filter(pk=vip).update(is_restricted=False, state=state)
    assert set(tree(opener, Track(Ref(CUSTOMER_ID, str(vip)), "x")).values()) == {MASK}


def test_operations_that_name_a_suppressed_identifier_stay_closed(cast, opener):
    kind = IdentifierKind.objects.get(workspace=cast.workspace, name="email")
    SuppressedIdentifier.objects.create(
        workspace_id=cast.workspace.pk,
        kind_id=kind.pk,
        digest=suppression_digest(cast.workspace.pk, kind.pk, "gone@x.example"),
        at=timezone.now(),
    )
    shown = tree(opener, Merge(Ref("email", "other@x.example"), Ref("email", "Gone@x.example")))
    assert set(shown.values()) == {MASK}


def test_ids_that_are_none_and_kinds_that_nobody_knows_name_nobody(opener):
    shown = tree(opener, Merge(Ref(CUSTOMER_ID, "no uuid"), Ref("loyalty_card", "7")))
    assert shown == {"/Primary: Customer id": "no uuid", "/Secondary: Loyalty card": "7"}
