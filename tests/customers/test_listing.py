"""The customer list as its template needs it."""

from uuid import uuid4

import pytest

from customers import listing, panels, search
from customers.panels import Cell, Column
from customers.search import COUNT_CAP, Group, Page
from tests.factories import declare, make_customer


@pytest.fixture
def build(cast, viewer_of):
    def build(found, person=None, query="", handle=""):
        viewer = viewer_of(person or cast.support)
        return listing.build(viewer, cast.workspace.slug, found, query=query, handle=handle)

    return build


@pytest.mark.parametrize(
    ("total", "text"),
    [(0, "0"), (1, "1"), (999, "999"), (1000, "1,000"), (COUNT_CAP, "over 1,000"), (COUNT_CAP + 5, "over 1,000")],
)
def test_counts_are_exact_up_to_a_thousand(build, total, text):
    assert build(Page((), total)).count_text == text


@pytest.mark.parametrize(
    ("handle", "cursor", "tail"),
    [("", "", ""), ("h", "", ""), ("", "c=", "?after=c%3D"), ("h", "c", "?v=h&after=c")],
)
def test_the_next_address_holds_handle_and_cursor_only(cast, build, handle, cursor, tail):
    page = build(Page((), 5, next_cursor=cursor), query="anna", handle=handle)
    assert page.next_url == (f"/w/{cast.workspace.slug}/customers/{tail}" if tail else "")


def test_a_workspace_is_empty_only_without_search_and_without_customers(build):
    assert build(Page((), 0)).is_empty_workspace
    assert not build(Page((), 1)).is_empty_workspace
    assert not build(Page((), 0), query="anna").is_empty_workspace
    assert not build(Page((), 0), handle="h").is_empty_workspace


def test_where_was_looked_is_told_only_of_a_search(cast, build):
    assert build(Page((), 0)).searched_fields == ()
    whole = ("Customer no. (whole)", "E-mail (whole)", "Phone (whole)", "Customer no. (beginning)")
    assert build(Page((), 0), query="x").searched_fields == whole
    names = "names and other searchable properties"
    assert build(Page((), 0), cast.lead, query="x").searched_fields == (*whole, names)


def test_what_the_search_found_out_is_passed_on(build):
    page = build(Page((), 0, lookups_left=7), query="anna")
    assert (page.is_search, page.query_text, page.lookups_left, page.partial_hidden) == (True, "anna", 7, True)
    page = build(Page((), 0))
    assert (page.is_search, page.lookups_left, page.partial_hidden) == (False, None, False)


def test_rows_keep_their_groups_and_order_and_get_the_columns_of_other_apps(cast, viewer_of, build, monkeypatch):
    ids = [make_customer(cast.workspace) for _ in range(3)]
    asked = []

    def load(viewer, wanted):
        asked.append((viewer.user_id, wanted))
        return {ids[0]: Cell("5")}

    columns = [Column("late", "Late", "text", "", 2, load), Column("early", "Early", "text", "", 1, load)]
    monkeypatch.setattr(panels, "_columns", columns)
    rows = search.listing(viewer_of(cast.support)).groups[0].rows
    page = build(Page((Group("One", rows[:1]), Group("Two", rows[1:])), 3))
    assert [(group.label, [item.row.id for item in group.rows]) for group in page.groups] == [
        ("One", [ids[2]]),
        ("Two", [ids[1], ids[0]]),
    ]
    assert [column.key for column in page.columns] == ["early", "late"]
    assert asked == [(cast.support.pk, [ids[2], ids[1], ids[0]])] * 2
    cells = [cell for group in page.groups for item in group.rows for _, cell in item.cells]
    assert cells == [Cell(), Cell(), Cell(), Cell(), Cell("5"), Cell("5")]
    assert page.groups[0].rows[0].url == f"/w/{cast.workspace.slug}/customers/{ids[2]}/"


def test_registered_items_are_sorted_into_their_kinds(monkeypatch):
    for name in ("_columns", "_panels", "_tabs"):
        monkeypatch.setattr(panels, name, [])
    column, panel, tab = (
        Column("c", "C", "text", "", 1, lambda *_: {}),
        panels.Panel("p", "P", "p.html", 1, lambda *_: {}),
        panels.Tab("t", "T", "t.html", 1, lambda *_: {}),
    )
    panels.register(tab, panel, column)
    assert (panels.columns(), panels.panels(), panels.tabs()) == ([column], [panel], [tab])


def test_a_column_of_money_is_masked_like_every_other_value(cast, viewer_of, anna):
    from tests.factories import make_event
    from tracking.models import EventDefinition

    make_event(cast.workspace, anna, "Purchase", revenue=4711)
    EventDefinition.objects.filter(name="Purchase").update(revenue_property="revenue")
    (column,) = [one for one in panels.columns() if one.key == "value"]
    assert column.load(viewer_of(cast.support), [anna])[anna].value == "******"
    assert column.load(viewer_of(cast.lead), [anna])[anna].value == "€4,711.00"
    declare(cast.workspace, "revenue", entity="event:Purchase", data_class=0)
    assert column.load(viewer_of(cast.support), [anna, uuid4()]) == {anna: Cell("€4,711.00")}
