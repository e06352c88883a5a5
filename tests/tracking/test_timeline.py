"""The read gate for events."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from customers import access
from customers.masking import MASK
from customers.models import AuditEntry, Customer
from rolodesk import sealing
from rolodesk.errors import HandleRefused, NotFound
from tests.factories import declare, make_customer, make_event, make_history
from tracking import timeline
from tracking.models import Event, EventCounter, EventDefinition
from tracking.timeline import NEWEST, OLDEST, Filters

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def rows_of(page):
    return [row for day in page.days for row in day.rows]


def labels(page):
    return [row.label for row in rows_of(page)]


def shown(row):
    return {one.name: one.value for one in row.properties}


@pytest.fixture
def support(cast, viewer_of):
    return viewer_of(cast.support)


@pytest.fixture
def lead(cast, viewer_of):
    return viewer_of(cast.lead)


# --- Days --------------------------------------------------------------------------------------


def test_events_stand_under_their_days_newest_first(cast, support, anna, time_machine):
    time_machine.move_to(NOON)
    for days in (0, 1, 2, 6, 7, 400):
        make_event(cast.workspace, anna, f"E{days}", at=NOON - timedelta(days=days, hours=1))
    page = timeline.page(support, anna, Filters())
    assert [(day.heading, day.sub) for day in page.days] == [
        ("Today", "Monday 4 May"),
        ("Yesterday", "Sunday 3 May"),
        ("Saturday", "2 May"),
        ("Tuesday", "28 April"),
        ("27 April 2026", "Monday"),
        ("30 March 2025", "Sunday"),
    ]
    assert labels(page) == ["E0", "E1", "E2", "E6", "E7", "E400"]


def test_days_begin_at_midnight_where_the_viewer_is(cast, support, anna):
    for hour in (21, 23):
        make_event(cast.workspace, anna, f"at {hour}", at=NOON.replace(hour=hour))
    with timezone.override("Europe/Berlin"):
        page = timeline.page(support, anna, Filters())
    assert [(day.heading, [row.label for row in day.rows]) for day in page.days] == [
        ("5 May 2026", ["at 23"]),
        ("4 May 2026", ["at 21"]),
    ]


def test_an_event_of_the_future_stands_under_its_date(cast, support, anna, time_machine):
    time_machine.move_to(NOON)
    make_event(cast.workspace, anna, "Renewal", at=NOON + timedelta(days=1))
    assert timeline.page(support, anna, Filters()).days[0].heading == "5 May 2026"


# --- Folding -----------------------------------------------------------------------------------


def test_neighbours_that_look_alike_are_one_row(cast, support, anna):
    for minute in range(3):
        make_event(cast.workspace, anna, "Page view", at=NOON + timedelta(minutes=minute))
    make_event(cast.workspace, anna, "Login", at=NOON + timedelta(minutes=10))
    make_event(cast.workspace, anna, "Page view", at=NOON + timedelta(minutes=20))
    page = timeline.page(support, anna, Filters())
    assert [(row.label, row.times) for row in rows_of(page)] == [("Page view", 1), ("Login", 1), ("Page view", 3)]
    assert rows_of(page)[2].at == NOON + timedelta(minutes=2)
    assert (page.shown_count, page.total) == (5, 5)


def test_events_of_two_days_are_never_one_row(cast, support, anna):
    make_event(cast.workspace, anna, "Page view", at=NOON.replace(hour=21, minute=59))
    make_event(cast.workspace, anna, "Page view", at=NOON.replace(hour=22, minute=1))
    with timezone.override("Europe/Berlin"):
        page = timeline.page(support, anna, Filters())
    assert [[row.times for row in day.rows] for day in page.days] == [[1], [1]]


def test_whether_events_fold_depends_on_what_the_viewer_sees(cast, support, lead, anna):
    make_event(cast.workspace, anna, "Page view", at=NOON, path="/secret")
    make_event(cast.workspace, anna, "Page view", at=NOON + timedelta(minutes=1), path="/public")
    assert [row.times for row in rows_of(timeline.page(support, anna, Filters()))] == [2]
    assert [row.times for row in rows_of(timeline.page(lead, anna, Filters()))] == [1, 1]


# --- Late --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delay", "remark"),
    [
        (timedelta(), ""),
        (-timedelta(hours=5), ""),
        (timedelta(hours=1), ""),
        (timedelta(hours=1, seconds=1), "received 1 h later"),
        (timedelta(hours=23, minutes=59), "received 23 h later"),
        (timedelta(days=3, hours=4), "received 3 d later"),
        (timedelta(days=30), ""),  # imported history is not late
    ],
)
def test_what_came_late_says_so(cast, support, anna, delay, remark):
    event = make_event(cast.workspace, anna, "Login", at=NOON)
    Event.objects.filter(id=event.id).update(received_at=NOON + delay)
    (row,) = rows_of(timeline.page(support, anna, Filters()))
    assert (row.received_late, row.received_at) == (remark, NOON + delay)


# --- Filters -----------------------------------------------------------------------------------


@pytest.fixture
def history(cast, anna):
    """Four events of three types on three days."""
    for day, name in ((1, "Login"), (2, "Purchase"), (3, "Login"), (3, "Newsletter Öffnung")):
        make_event(cast.workspace, anna, name, at=NOON.replace(day=day, hour=10 + len(name) % 10))
    return {row.name: row.pk for row in EventDefinition.objects.filter(workspace=cast.workspace)}


def test_no_filter_shows_everything(support, anna, history):
    page = timeline.page(support, anna, Filters())
    assert labels(page) == ["Newsletter Öffnung", "Login", "Purchase", "Login"]
    assert not page.filters.is_active


def test_types_are_counted_most_frequent_first(support, anna, history):
    page = timeline.page(support, anna, Filters(types=(history["Login"],)))
    assert [(one.label, one.count, one.is_selected) for one in page.types] == [
        ("Login", 2, True),
        ("Newsletter Öffnung", 1, False),
        ("Purchase", 1, False),
    ]


def test_filter_by_types(support, anna, history):
    wanted = Filters(types=(history["Login"], history["Purchase"]))
    page = timeline.page(support, anna, wanted)
    assert labels(page) == ["Login", "Purchase", "Login"]
    assert (page.total, page.shown_count, page.filters.is_active) == (4, 3, True)


def test_a_type_that_the_customer_does_not_have_shows_nothing(support, anna, history):
    page = timeline.page(support, anna, Filters(types=(max(history.values()) + 1000,)))
    assert labels(page) == [] and page.empty_reason == "No events match these filters"


@pytest.mark.parametrize("text", ["offnung", "ÖFF", "newsletter ö"])
def test_filter_by_text_in_the_name_whatever_case_and_accents(support, anna, history, text):
    assert labels(timeline.page(support, anna, Filters(text=text))) == ["Newsletter Öffnung"]


def test_text_never_looks_into_properties(cast, support, lead, anna):
    make_event(cast.workspace, anna, "Note", at=NOON, text="canary")
    for viewer in (support, lead):
        assert labels(timeline.page(viewer, anna, Filters(text="canary"))) == []


def test_text_narrows_the_chosen_types(support, anna, history):
    assert labels(timeline.page(support, anna, Filters(types=(history["Login"],), text="purch"))) == []


def test_filter_since_a_day(support, anna, history):
    assert labels(timeline.page(support, anna, Filters(since=date(2026, 5, 2)))) == [
        "Newsletter Öffnung",
        "Login",
        "Purchase",
    ]


def test_filter_until_and_including_a_day(support, anna, history):
    assert labels(timeline.page(support, anna, Filters(until=date(2026, 5, 2)))) == ["Purchase", "Login"]


def test_a_range_is_days_where_the_viewer_is(cast, support, anna):
    make_event(cast.workspace, anna, "Night", at=NOON.replace(hour=23))
    fifth = date(2026, 5, 5)
    assert labels(timeline.page(support, anna, Filters(since=fifth, until=fifth))) == []
    with timezone.override("Europe/Berlin"):
        assert labels(timeline.page(support, anna, Filters(since=fifth, until=fifth))) == ["Night"]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (Filters(since=date.min), 4),
        (Filters(since=date.max), 0),
        (Filters(until=date.min), 0),
        (Filters(until=date.max), 4),
        (Filters(since=date(2026, 5, 3), until=date(2026, 5, 1)), 0),
    ],
)
def test_dates_at_the_ends_of_time_are_only_dates(support, anna, history, filters, count):
    assert timeline.page(support, anna, filters).shown_count == count


def test_oldest_first(support, anna, history):
    page = timeline.page(support, anna, Filters(order=OLDEST))
    assert labels(page) == ["Login", "Purchase", "Login", "Newsletter Öffnung"]
    assert not page.filters.is_active


def test_a_customer_without_events_has_a_reason_to_show(support, anna):
    page = timeline.page(support, anna, Filters())
    assert (page.empty_reason, page.total, page.types, page.next_cursor) == ("No events yet", 0, (), "")


# --- Paging ------------------------------------------------------------------------------------


def walk(viewer, customer, filters):
    """All pages, as one list of event ids, folded rows counted as often as they stand for."""
    cursor, seen, pages = "", [], 0
    while True:
        page = timeline.page(viewer, customer, filters, cursor)
        seen += [row.id for row in rows_of(page)]
        pages += 1
        if not (cursor := page.next_cursor):
            return seen, pages


def ordered(customer, order):
    rows = sorted(Event.objects.filter(customer_id=customer).values_list("ts", "id"))
    ids = [id_ for _, id_ in rows]
    return ids if order == OLDEST else ids[::-1]


@pytest.mark.slow  # each of 40 examples writes up to 130 events
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_pages_join_without_gap_or_repeat_however_many_events_share_a_moment(cast, support, data):
    moments = data.draw(st.lists(st.integers(0, 5), max_size=130))
    customer = make_customer(cast.workspace, last_seen=NOON + timedelta(seconds=10), first_seen=NOON)
    definition, _ = EventDefinition.objects.get_or_create(workspace=cast.workspace, name="Login")
    if moments:
        make_event(cast.workspace, customer, "Login", at=NOON, n=-1)
    Event.objects.bulk_create(
        # A number in each, so that none look alike to the system's viewer.
        Event(customer_id=customer, ts=at, received_at=at, type_id=definition.pk, raw_props={"n": n})
        for n, at in enumerate(NOON + timedelta(seconds=moment) for moment in moments)
    )
    viewer = access.Viewer.system(workspace_id=cast.workspace.pk, reason="test")
    for order in (NEWEST, OLDEST):
        seen, pages = walk(viewer, customer, Filters(order=order))
        assert seen == ordered(customer, order)
        assert pages == max(1, -(-len(seen) // timeline.PAGE))


@pytest.mark.parametrize("count", [timeline.PAGE, timeline.PAGE + 1])
def test_only_a_full_page_and_one_more_has_a_next_page(cast, support, anna, count):
    definition = EventDefinition.objects.create(workspace=cast.workspace, name="Login")
    EventCounter.objects.create(customer_id=anna, type_id=definition.pk, n=count, first_at=NOON, last_at=NOON)
    Customer.objects.filter(pk=anna).update(first_seen=NOON, last_seen=NOON)
    make_event(cast.workspace, anna, "Other", at=NOON)
    Event.objects.filter(customer_id=anna).delete()
    Event.objects.bulk_create(
        Event(customer_id=anna, ts=NOON, received_at=NOON, type_id=definition.pk) for _ in range(count)
    )
    page = timeline.page(support, anna, Filters())
    assert bool(page.next_cursor) is (count > timeline.PAGE)
    assert page.shown_count == timeline.PAGE


@pytest.fixture
def cursor(cast, support, anna):
    make_history(cast.workspace, anna, timeline.PAGE + 1, since=NOON)
    return timeline.page(support, anna, Filters()).next_cursor


def test_the_second_page_has_what_is_left(support, anna, cursor):
    page = timeline.page(support, anna, Filters(), cursor)
    assert (page.shown_count, page.total, page.next_cursor) == (1, timeline.PAGE + 1, "")


def test_a_cursor_is_worth_nothing_to_another_viewer_customer_or_filter(cast, support, lead, anna, cursor):
    other = make_customer(cast.workspace)
    for viewer, customer, filters in [
        (lead, anna, Filters()),
        (support, other, Filters()),
        (support, anna, Filters(order=OLDEST)),
        (support, anna, Filters(text="odd")),
    ]:
        with pytest.raises(HandleRefused):
            timeline.page(viewer, customer, filters, cursor)


@pytest.mark.parametrize("value", [None, "x", [], ["2026-05-04T12:00:00+00:00"], ["never", "x"]])
def test_a_cursor_of_another_form_is_refused(support, anna, settings, value):
    binding = timeline._binding(support, anna, Filters())
    with pytest.raises(HandleRefused):
        timeline.page(support, anna, Filters(), sealing.seal(settings.CURSOR_KEY, binding, value))


def test_a_cursor_ends_after_a_day(support, anna, cursor, time_machine):
    time_machine.move_to(timezone.now() + timedelta(hours=24, minutes=1))
    with pytest.raises(HandleRefused):
        timeline.page(support, anna, Filters(), cursor)


def test_a_cursor_tells_nothing(cast, anna, cursor):
    assert str(anna) not in cursor and "2026" not in cursor


# --- Masks -------------------------------------------------------------------------------------


@pytest.fixture
def classified(cast, anna):
    """One event with a property of each class and one that nobody declared."""
    for data_class, path in enumerate(("item", "address", "diagnosis", "card")):
        declare(cast.workspace, path, entity="event:Order", data_class=data_class, label=path.title())
    values = {"item": "Chair", "address": "canary-1", "diagnosis": "canary-2", "card": "canary-3", "free": "canary-4"}
    make_event(cast.workspace, anna, "Order", at=NOON, **values)
    return values


def visible(viewer, customer):
    (row,) = rows_of(timeline.page(viewer, customer, Filters()))
    return {name for name, value in shown(row).items() if value != MASK}


def test_event_properties_are_masked_by_their_class(cast, viewer_of, support, lead, anna, classified):
    assert visible(support, anna) == {"item"}
    assert visible(lead, anna) == {"item", "address", "free"}
    assert visible(viewer_of(cast.privacy), anna) == {"item", "address", "diagnosis", "free"}


def test_what_is_declared_for_one_type_says_nothing_of_another(cast, support, anna):
    declare(cast.workspace, "item", entity="event:Order", data_class=0)
    declare(cast.workspace, "city", entity="customer", data_class=0)
    make_event(cast.workspace, anna, "Return", at=NOON, item="Chair", city="Oslo")
    assert visible(support, anna) == set()


def test_a_restricted_customer_hides_even_public_properties_of_events(cast, viewer_of, anna, classified):
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    for person in (cast.support, cast.lead, cast.privacy, cast.root):
        assert visible(viewer_of(person), anna) == set()


def test_declared_properties_come_first_and_the_rest_by_name(cast, lead, anna):
    declare(cast.workspace, "b", entity="event:Order", position=2)
    declare(cast.workspace, "c", entity="event:Order", position=1)
    declare(cast.workspace, "never sent", entity="event:Order", position=0)
    make_event(cast.workspace, anna, "Order", at=NOON, a=1, b=2, c=3, z=4)
    (row,) = rows_of(timeline.page(lead, anna, Filters()))
    assert list(shown(row)) == ["c", "b", "a", "z"]


def test_the_facts_of_a_row_are_its_pinned_properties_else_the_first_three(cast, lead, anna):
    make_event(cast.workspace, anna, "Order", at=NOON, a=1, b=2, c=3, d=4)
    (row,) = rows_of(timeline.page(lead, anna, Filters()))
    assert [one.name for one in row.facts] == ["a", "b", "c"]
    declare(cast.workspace, "d", entity="event:Order", is_pinned=True)
    (row,) = rows_of(timeline.page(lead, anna, Filters()))
    assert [one.name for one in row.facts] == ["d"]


def test_money_reads_in_the_currency_of_the_workspace(cast, lead, anna):
    declare(cast.workspace, "total", entity="event:Order", type="money")
    make_event(cast.workspace, anna, "Order", at=NOON, total="1234.5")
    (row,) = rows_of(timeline.page(lead, anna, Filters()))
    assert shown(row) == {"total": "€1,234.50"}


@pytest.mark.parametrize(("icon", "kind", "drawn"), [("gift", "page", "gift"), ("", "screen", "smartphone")])
def test_an_event_has_the_icon_of_its_definition_or_of_its_kind(cast, support, anna, icon, kind, drawn):
    make_event(cast.workspace, anna, "Order", at=NOON)
    EventDefinition.objects.filter(workspace=cast.workspace).update(icon=icon, kind=kind)
    assert rows_of(timeline.page(support, anna, Filters()))[0].icon == drawn


# --- Gone, foreign, audited --------------------------------------------------------------------


@pytest.mark.parametrize("state", ["merged", "deleted"])
def test_a_customer_that_is_gone_has_no_events_for_anybody(cast, viewer_of, anna, classified, state):
    Customer.objects.filter(pk=anna).update(state=state)
    for person in (cast.support, cast.privacy, cast.root):
        page = timeline.page(viewer_of(person), anna, Filters())
        assert (page.days, page.types, page.total, page.next_cursor) == ((), (), 0, "")
        assert timeline.type_ids(viewer_of(person), anna) == []


def test_unknown_and_foreign_customers_are_equally_absent(cast, viewer_of, lead, anna):
    for viewer, customer in [(lead, uuid4()), (viewer_of(cast.outsider, cast.elsewhere), anna)]:
        with pytest.raises(NotFound):
            timeline.page(viewer, customer, Filters())
        with pytest.raises(NotFound):
            timeline.type_ids(viewer, customer)


def test_what_is_shown_is_audited_by_name_and_class_without_values(cast, viewer_of, anna, classified):
    timeline.page(viewer_of(cast.privacy), anna, Filters())
    entry = AuditEntry.objects.get(action="personal.shown")
    assert (entry.user_id, entry.customer_ids, entry.classes) == (cast.privacy.pk, [anna], [1, 2])
    assert set(entry.data["names"]) == {"address", "diagnosis", "free"} and "canary" not in str(entry.data)


def test_a_timeline_of_masks_leaves_no_trace_in_the_audit(support, anna, classified):
    timeline.page(support, anna, Filters())
    assert not AuditEntry.objects.exists()


def test_no_event_is_shown_when_the_audit_cannot_be_written(lead, anna, classified, monkeypatch):
    def refuse(**_fields):
        raise RuntimeError("audit unavailable")

    monkeypatch.setattr(AuditEntry.objects, "create", refuse)
    with pytest.raises(RuntimeError, match="audit unavailable"):
        timeline.page(lead, anna, Filters())


def test_an_event_of_a_new_name_may_arrive_while_the_page_is_read(cast, support, anna):
    """A worker commits between the statement that reads the counters and the one that reads the events."""
    make_event(cast.workspace, anna, "Late")
    EventCounter.objects.filter(customer_id=anna).delete()  # as the earlier statement saw it
    page = timeline.page(support, anna, Filters())
    assert labels(page) == ["Late"]
    assert (page.total, page.types) == (0, ())


def test_the_number_of_statements_does_not_grow_with_the_events(cast, lead, anna, django_assert_max_num_queries):
    make_event(cast.workspace, anna, "Order", at=NOON, a=1)
    for count in (2, 10, 40):
        make_history(cast.workspace, anna, count, since=NOON)
        with django_assert_max_num_queries(8):
            timeline.page(lead, anna, Filters())
