"""The read gate for the history of a customer."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from customers import history, paging
from customers.masking import MASK
from customers.models import AuditEntry, Customer
from customers.models.customer import ChangedPart
from rolodesk.errors import HandleRefused, NotFound
from tests.factories import make_change, make_customer, make_topic

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def changes_of(page):
    return [change for day in page.days for moment in day.moments for change in moment.changes]


def told(page):
    """Label, verb, old and new of each change."""
    return [
        (one.label, one.verb, one.old and one.old.value, one.new and one.new.value) for one in changes_of(page)
    ]  # fmt: skip


@pytest.fixture
def support(cast, viewer_of):
    return viewer_of(cast.support)


@pytest.fixture
def lead(cast, viewer_of):
    return viewer_of(cast.lead)


def test_changes_have_the_class_of_their_property(cast, support, lead, viewer_of, anna):
    make_change(anna, "plan", "silver", "gold", at=NOON)
    make_change(anna, "name", "Anna C", "Anna Canarius", at=NOON - timedelta(hours=1))
    make_change(anna, "iban", None, "DE-CANARY-IBAN", at=NOON - timedelta(hours=2))
    make_change(anna, "pin", "canary-pin", "canary-new", at=NOON - timedelta(hours=3))
    make_change(anna, "note", "canary", None, at=NOON - timedelta(hours=4))
    hidden = [("Name", "changed", MASK, MASK), ("IBAN", "set", None, MASK), ("PIN", "changed", MASK, MASK)]
    plan = ("Plan", "changed", "silver", "gold")
    assert told(history.changes(support, anna)) == [plan, *hidden, ("note", "removed", MASK, None)]
    name, iban, pin = ("Name", "changed", "Anna C", "Anna Canarius"), hidden[1], hidden[2]
    assert told(history.changes(lead, anna)) == [plan, name, iban, pin, ("note", "removed", "canary", None)]
    seen = told(history.changes(viewer_of(cast.privacy), anna))
    assert seen[2:4] == [("IBAN", "set", None, "DE-CANARY-IBAN"), pin]


def test_identifiers_have_the_class_of_their_kind(support, lead, anna):
    make_change(anna, "external_id", None, "NL-1", at=NOON, part=ChangedPart.IDENTIFIER)
    make_change(anna, "email", None, "anna.canary@x.example", at=NOON - timedelta(hours=1), part=ChangedPart.IDENTIFIER)
    make_change(anna, "gone_kind", None, "canary", at=NOON - timedelta(hours=2), part=ChangedPart.IDENTIFIER)
    expected = [("Customer no.", "set", None, "NL-1"), ("E-mail", "set", None, MASK), ("gone_kind", "set", None, MASK)]
    assert told(history.changes(support, anna)) == expected
    assert told(history.changes(lead, anna))[1] == ("E-mail", "set", None, "anna.canary@x.example")


def test_an_identifier_is_not_judged_like_a_property_of_its_name(support, anna):
    make_change(anna, "plan", None, "canary", part=ChangedPart.IDENTIFIER)
    assert told(history.changes(support, anna)) == [("plan", "set", None, MASK)]


def test_consent_reads_as_words_and_support_sees_it(cast, support, anna):
    make_topic(cast.workspace, 1, "News")
    make_change(anna, "0", True, False, at=NOON, part=ChangedPart.CONSENT)
    make_change(anna, "1", None, True, at=NOON - timedelta(hours=1), part=ChangedPart.CONSENT)
    make_change(anna, "9", False, None, at=NOON - timedelta(hours=2), part=ChangedPart.CONSENT)
    assert told(history.changes(support, anna)) == [
        ("All messages", "changed", "Subscribed", "Unsubscribed"),
        ("News", "set", None, "Subscribed"),
        ("Topic 9", "removed", "Unsubscribed", None),
    ]


def test_what_was_not_done_says_why(support, anna):
    make_change(anna, "email", None, "x@x.example", at=NOON, part=ChangedPart.IDENTIFIER, failure="taken")
    make_change(anna, "plan", None, "gold", at=NOON - timedelta(hours=1), failure="new_code")
    taken, unknown = changes_of(history.changes(support, anna))
    assert taken.verb == "refused" and taken.failure.startswith("Not set: it belongs to another customer")
    assert taken.new is not None and taken.new.value == MASK
    assert unknown.failure == "new_code"


def test_changes_of_one_moment_and_cause_stand_together_newest_first(support, anna, time_machine):
    time_machine.move_to(NOON)
    for name in ("a", "b"):
        make_change(anna, name, None, 1, at=NOON - timedelta(hours=1))
    make_change(anna, "c", None, 1, at=NOON - timedelta(hours=2), source="merge")
    make_change(anna, "d", None, 1, at=NOON - timedelta(days=1))
    page = history.changes(support, anna)
    assert [(day.heading, [(m.source, len(m.changes)) for m in day.moments]) for day in page.days] == [
        ("Today", [("track", 2), ("merge", 1)]),
        ("Yesterday", [("track", 1)]),
    ]
    assert [moment.icon for moment in page.days[0].moments] == ["list", "pencil"]


def test_a_late_change_says_when_it_happened(support, anna):
    make_change(anna, "a", None, 1, at=NOON, ts=NOON - timedelta(days=2))
    make_change(anna, "b", None, 1, at=NOON - timedelta(days=1), ts=NOON - timedelta(days=1, minutes=5))
    assert [one.happened_at for one in changes_of(history.changes(support, anna))] == [NOON - timedelta(days=2), None]


def test_showing_history_is_audited_by_names_before_the_values_go_out(support, lead, anna, monkeypatch):
    make_change(anna, "name", "Anna C", "Anna Canarius")
    history.changes(support, anna)
    assert not AuditEntry.objects.exists()
    history.changes(lead, anna)
    assert AuditEntry.objects.get(action="personal.shown").data == {"names": ["name"]}

    def refuse(*_args, **_kwargs):
        raise RuntimeError("audit unavailable")

    monkeypatch.setattr(AuditEntry.objects, "create", refuse)
    with pytest.raises(RuntimeError, match="audit unavailable"):
        history.changes(lead, anna)


def test_pages_follow_one_another_without_gap_or_repeat(lead, anna, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 3)
    for n in range(8):
        make_change(anna, f"p{n}", None, n, at=NOON + timedelta(minutes=n // 2))
    seen, cursor = [], ""
    for _ in range(3):
        page = history.changes(lead, anna, cursor)
        seen += [one.label for one in changes_of(page)]
        cursor = page.next_cursor
    assert cursor == "" and sorted(seen) == [f"p{n}" for n in range(8)] and seen[-1] in ("p0", "p1")


def test_a_cursor_serves_only_its_viewer_and_its_customer(cast, lead, support, anna, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 1)
    for n in range(2):
        make_change(anna, f"p{n}", None, n)
    cursor = history.changes(lead, anna).next_cursor
    for viewer, customer in ((support, anna), (lead, make_customer(cast.workspace))):
        with pytest.raises(HandleRefused):
            history.changes(viewer, customer, cursor)


def test_a_change_from_before_the_customer_by_another_clock_is_shown(support, anna):
    change = make_change(anna, "a", None, 1, at=NOON)
    Customer.objects.filter(pk=anna).update(created_at=change.at + timedelta(seconds=5))
    assert len(changes_of(history.changes(support, anna))) == 1


def test_unknown_and_foreign_customers_are_equally_absent(cast, lead, viewer_of, anna):
    for viewer, customer in ((lead, uuid4()), (viewer_of(cast.outsider, cast.elsewhere), anna)):
        with pytest.raises(NotFound):
            history.changes(viewer, customer)


@pytest.mark.parametrize("state", ["merged", "deleted"])
def test_a_customer_that_is_gone_has_no_history(cast, viewer_of, anna, state):
    make_change(anna, "plan", "silver", "gold")
    Customer.objects.filter(pk=anna).update(state=state)
    assert history.changes(viewer_of(cast.privacy), anna).days == ()


def test_everything_of_a_restricted_customer_is_hidden(lead, anna):
    make_change(anna, "plan", "silver", "gold", at=NOON)
    make_change(anna, "0", None, False, at=NOON - timedelta(hours=1), part=ChangedPart.CONSENT)
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    assert told(history.changes(lead, anna)) == [
        ("Plan", "changed", MASK, MASK), ("All messages", "set", None, MASK),
    ]  # fmt: skip


def test_the_number_of_statements_does_not_grow_with_the_rows(lead, anna, django_assert_max_num_queries):
    for more in (1, 10, 30):
        for n in range(more):
            make_change(anna, f"p{n}", None, n)
        with django_assert_max_num_queries(8):
            history.changes(lead, anna)
