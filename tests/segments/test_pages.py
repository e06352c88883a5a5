"""What segments add to the pages about a customer."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import RequestFactory

from customers import profiles
from customers.panels import Cell
from segments import pages
from segments.models import SegmentMember
from tests.factories import make_customer, make_segment

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def enter(workspace, customer, *names):
    """Into these segments, one hour after the other."""
    for hours, name in enumerate(names):
        segment = make_segment(workspace, name)
        at = NOON + timedelta(hours=hours)
        SegmentMember.objects.create(segment_id=segment.pk, customer_id=customer, entered_at=at)


@pytest.mark.parametrize(
    ("count", "tags", "more"),
    [(0, (), 0), (1, ("S0",), 0), (2, ("S1", "S0"), 0), (3, ("S2", "S1"), 1), (5, ("S4", "S3"), 3)],
)
def test_a_row_shows_the_two_newest_segments_and_how_many_more(cast, viewer_of, anna, count, tags, more):
    enter(cast.workspace, anna, *(f"S{n}" for n in range(count)))
    cells = pages.load_column(viewer_of(cast.support), [anna])
    assert cells == {anna: Cell(str(count), tuple((name, "") for name in tags), more)}


def test_a_hidden_segment_is_not_even_counted(cast, viewer_of, anna):
    make_segment(cast.workspace, "Hidden", anna, data_class=1)
    assert pages.load_column(viewer_of(cast.support), [anna])[anna] == Cell("0")
    assert pages.load_column(viewer_of(cast.lead), [anna])[anna] == Cell("1", (("Hidden", ""),))


def test_card_and_tab_tell_the_segments_of_this_customer(cast, viewer_of, anna):
    enter(cast.workspace, anna, "Regulars", "Spenders")
    enter(cast.workspace, make_customer(cast.workspace), "Strangers")
    viewer = viewer_of(cast.support)
    profile = profiles.get(viewer, anna)
    card, tab = pages.load_panel(viewer, profile), pages.load_tab(RequestFactory().get("/"), viewer, profile)
    assert card == tab and [one.name for one in card["segments"]] == ["Spenders", "Regulars"]


def test_a_customer_that_is_gone_has_an_empty_card(cast, viewer_of):
    customer = make_customer(cast.workspace, state="deleted")
    make_segment(cast.workspace, "Regulars", customer)
    viewer = viewer_of(cast.support)
    assert pages.load_panel(viewer, profiles.get(viewer, customer)) == {"segments": []}
