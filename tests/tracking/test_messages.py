"""Messages: the read gate for deliveries, and the rows of the timeline that are no plain events."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from customers import paging
from customers.masking import MASK
from customers.models import AuditEntry, Customer
from rolodesk.errors import HandleRefused, NotFound
from tests.factories import declare, grant, make_customer, make_delivery, make_event, make_segment, make_user
from tests.pages import HTMX, text_of
from tracking import labels, messages, timeline
from tracking.models import EventCounter, EventDefinition
from tracking.timeline import Filters

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def rows_of(page):
    return [row for day in page.days for row in day.rows]


def shown(row):
    return {one.name: one.value for one in row.properties}


@pytest.fixture
def support(cast, viewer_of):
    return viewer_of(cast.support)


@pytest.fixture
def lead(cast, viewer_of):
    return viewer_of(cast.lead)


# --- Deliveries --------------------------------------------------------------------------------


def test_support_sees_channel_and_report_and_not_the_id(support, lead, anna):
    make_delivery(anna, "canary-delivery", channel="in-app", last_metric="opened", at=NOON, last_at=NOON)
    (row,) = messages.page(support, anna).rows
    assert (row.channel.value, row.last_metric.value, row.delivery_id.value) == ("In-app", "Opened", MASK)
    assert (row.icon, row.first_at, row.last_at) == ("app-window", NOON, NOON)
    assert not AuditEntry.objects.exists()
    (row,) = messages.page(lead, anna).rows
    assert row.delivery_id.value == "canary-delivery"
    assert AuditEntry.objects.get(action="personal.shown").data == {"names": ["delivery_id"]}


def test_a_workspace_may_declare_the_ids_of_its_messages_public(cast, support, anna):
    declare(cast.workspace, "delivery_id", entity="message", data_class=0, label="Dispatch")
    make_delivery(anna, "D-1")
    (row,) = messages.page(support, anna).rows
    assert (row.delivery_id.label, row.delivery_id.value) == ("Dispatch", "D-1")


def test_nothing_of_a_restricted_customers_messages_is_shown(lead, anna):
    make_delivery(anna, channel="sms")
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    (row,) = messages.page(lead, anna).rows
    assert {row.channel.value, row.last_metric.value, row.delivery_id.value} == {MASK}
    assert row.icon == labels.MESSAGE.icon, "not even the icon tells the channel"


@pytest.mark.parametrize("state", ["merged", "deleted"])
def test_a_customer_that_is_gone_has_no_messages(cast, viewer_of, anna, state):
    make_delivery(anna)
    Customer.objects.filter(pk=anna).update(state=state)
    assert messages.page(viewer_of(cast.privacy), anna).rows == ()


def test_unknown_and_foreign_customers_are_equally_absent(cast, lead, viewer_of, anna):
    for viewer, customer in ((lead, uuid4()), (viewer_of(cast.outsider, cast.elsewhere), anna)):
        with pytest.raises(NotFound):
            messages.page(viewer, customer)


def test_pages_keep_their_order_while_reports_come_in(cast, lead, anna, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 2)
    made = [make_delivery(anna, f"d{n}", at=NOON - timedelta(hours=n)) for n in range(5)]
    first = messages.page(lead, anna)
    type(made[4]).objects.filter(digest=made[4].digest).update(last_at=NOON + timedelta(days=1))
    second = messages.page(lead, anna, first.next_cursor)
    third = messages.page(lead, anna, second.next_cursor)
    ids = [row.delivery_id.value for page in (first, second, third) for row in page.rows]
    assert ids == [f"d{n}" for n in range(5)] and third.next_cursor == ""
    with pytest.raises(HandleRefused):
        messages.page(lead, make_customer(cast.workspace), first.next_cursor)


def test_the_number_of_statements_does_not_grow_with_the_rows(lead, anna, django_assert_max_num_queries):
    for more in (1, 10, 30):
        for _ in range(more):
            make_delivery(anna)
        with django_assert_max_num_queries(4):
            messages.page(lead, anna)


# --- Names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "text", "icon"),
    [
        ("message", "email_opened", "E-mail opened", "mail"),
        ("message", "in_app_clicked", "In-app clicked", "app-window"),
        ("message", "message_delivered", "Message delivered", "mail"),
        ("message", "pigeon_delivered", "Pigeon delivered", "mail"),
        ("message", "opened", "Message opened", "mail"),
        ("message", "email_unsubscribed", "Unsubscribed from messages", "mail-x"),
        ("system", "anonymous_joined", "Anonymous activity joined", "user-check"),
        ("system", "something_new", "Something new", "cog"),
        ("event", "email_opened", "email_opened", "circle-dot"),
        ("page", "Page view", "Page view", "file-text"),
    ],
)
def test_rows_read_as_words(cast, support, anna, kind, name, text, icon):
    make_event(cast.workspace, anna, name, kind=kind)
    page = timeline.page(support, anna, Filters())
    (row,) = rows_of(page)
    assert (row.label, row.icon, row.is_system) == (text, icon, kind == "system")
    assert [one.label for one in page.types] == [text]


def test_an_icon_that_somebody_has_chosen_wins(cast, support, anna):
    make_event(cast.workspace, anna, "email_opened", kind="message")
    EventDefinition.objects.update(icon="star")
    assert rows_of(timeline.page(support, anna, Filters()))[0].icon == "star"


# --- Classes -----------------------------------------------------------------------------------


def test_properties_of_messages_are_declared_for_all_of_them_together(cast, support, lead, anna):
    declare(cast.workspace, "reason", entity="message", data_class=0, label="Reason")
    declare(cast.workspace, "href", entity="event:email_clicked", data_class=0)
    make_event(
        cast.workspace, anna, "email_clicked", kind="message",
        reason="full", href="https://canary.example/?q=1", message="email_clicked",
    )  # fmt: skip
    (row,) = rows_of(timeline.page(support, anna, Filters()))
    assert shown(row) == {"reason": "full", "href": MASK}, "its own name is not said twice"
    (row,) = rows_of(timeline.page(lead, anna, Filters()))
    assert shown(row)["href"] == "https://canary.example/?q=1"


def test_what_the_console_notes_is_public_and_tells_its_detail(cast, support, anna):
    make_event(
        cast.workspace, anna, "customer_merged", kind="system", absorbed="8ab0d4", by="track", system="customer_merged"
    )
    (row,) = rows_of(timeline.page(support, anna, Filters()))
    assert shown(row) == {"absorbed": "8ab0d4", "by": "track"}
    assert [one.value for one in row.facts] == ["8ab0d4"]
    assert not AuditEntry.objects.exists()


def test_a_workspace_may_hide_what_the_console_notes(cast, support, anna):
    declare(cast.workspace, "by", entity="system", data_class=1)
    make_event(cast.workspace, anna, "customer_merged", kind="system", absorbed="8ab0d4", by="track")
    assert shown(rows_of(timeline.page(support, anna, Filters()))[0]) == {"by": MASK, "absorbed": "8ab0d4"}


def test_system_rows_of_a_restricted_customer_are_masked(cast, lead, anna):
    make_event(cast.workspace, anna, "customer_merged", kind="system", absorbed="8ab0d4")
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    assert shown(rows_of(timeline.page(lead, anna, Filters()))[0]) == {"absorbed": MASK}


# --- The switch --------------------------------------------------------------------------------


@pytest.fixture
def mixed(cast, anna):
    """One row of each sort."""
    for hours, (kind, name) in enumerate(
        (("event", "Login"), ("message", "push_opened"), ("system", "anonymous_joined"))
    ):
        make_event(cast.workspace, anna, name, kind=kind, at=NOON - timedelta(hours=hours))


def test_the_switch_hides_system_rows_and_nothing_else(support, anna, mixed):
    filters = Filters(has_system=False)
    page = timeline.page(support, anna, filters)
    assert [row.label for row in rows_of(page)] == ["Login", "Push opened"]
    assert filters.is_active and page.total == 3 and len(page.types) == 3


def test_without_anything_else_the_timeline_says_that_filters_hide_it(cast, support, anna):
    make_event(cast.workspace, anna, "anonymous_joined", kind="system")
    page = timeline.page(support, anna, Filters(has_system=False))
    assert page.empty_reason == "No events match these filters"


def test_text_is_looked_for_in_what_people_read(support, anna, mixed):
    page = timeline.page(support, anna, Filters(text="push op"))
    assert [row.label for row in rows_of(page)] == ["Push opened"]


def listed(response):
    """The rows, without the filters above them."""
    return text_of(response).partition('id="timeline-list"')[2]


def test_the_box_switches_and_the_address_remembers(cast, sign_in, anna, mixed):
    client = sign_in(cast.support)
    base = f"/w/{cast.workspace.slug}"
    response = client.post(f"{base}/timeline/{anna}/filter/", {"switches": "1"}, headers=HTMX)
    assert "Login" in listed(response) and "Anonymous activity" not in listed(response)
    again = text_of(client.get(response["HX-Push-Url"]))
    assert 'name="system"' in again and " checked" not in again.partition('name="system"')[2].partition(">")[0]
    on = client.post(f"{base}/timeline/{anna}/filter/", {"switches": "1", "system": "on"}, headers=HTMX)
    assert on["HX-Push-Url"] == f"{base}/customers/{anna}/"
    assert "Anonymous activity" in listed(on)


def test_a_form_without_switches_hides_nothing(cast, sign_in, anna, mixed):
    url = f"/w/{cast.workspace.slug}/timeline/{anna}/filter/"
    assert "Anonymous activity" in listed(sign_in(cast.support).post(url, {}, headers=HTMX))


# --- What not everybody may know of --------------------------------------------------------------


@pytest.fixture
def entries(cast, anna):
    """Anna entered an open and a sensitive segment, and left the latter."""
    open_ = make_segment(cast.workspace, "Regulars")
    secret = make_segment(cast.workspace, "Canary debtors", data_class=2)
    for hours, (name, segment) in enumerate(
        (("segment_entered", open_), ("segment_entered", secret), ("segment_left", secret))
    ):
        make_event(cast.workspace, anna, name, kind="system", at=NOON - timedelta(hours=hours), segment_id=segment.pk)


def test_a_segment_that_does_not_exist_for_the_viewer_leaves_no_trace(cast, support, anna, entries):
    page = timeline.page(support, anna, Filters())
    (row,) = rows_of(page)
    assert (row.label, [one.value for one in row.facts]) == ("Entered segment", ["Regulars"])
    assert (page.total, [(one.label, one.count) for one in page.types]) == (1, [("Entered segment", 1)])
    left = EventDefinition.objects.get(name="segment_left").pk
    assert left not in timeline.type_ids(support, anna)
    assert timeline.page(support, anna, Filters(types=(left,))).days == ()


def test_who_may_know_the_segment_sees_the_rows_with_its_name(cast, viewer_of, anna, entries):
    user = make_user()
    grant(user, cast.workspace, "view_workspace", "view_sensitive")
    page = timeline.page(viewer_of(user), anna, Filters())
    told = [(row.label, row.facts[0].value) for row in rows_of(page)]
    assert told == [
        ("Entered segment", "Regulars"),
        ("Entered segment", "Canary debtors"),
        ("Left segment", "Canary debtors"),
    ]
    assert page.total == 3


def test_an_event_of_a_client_is_no_system_row_whatever_it_is_called(cast, support, anna):
    make_event(cast.workspace, anna, "segment_entered", segment_id=4711)
    assert len(rows_of(timeline.page(support, anna, Filters()))) == 1
    assert EventCounter.objects.get(customer_id=anna).n == 1
