"""What our templates can draw and say."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rolodesk.templatetags import rolodesk as tags

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon(time_machine):
    """It is twelve o'clock."""
    time_machine.move_to(NOON, tick=False)


def words(drawn):
    return drawn.partition(">")[2].partition("<")[0]


# --- Drawings ----------------------------------------------------------------------------------


def test_an_icon_is_drawn_in_place_and_hidden_from_screen_readers():
    drawn = tags.icon("lock")
    assert drawn.startswith("<svg") and 'class="icon"' in drawn and 'aria-hidden="true"' in drawn
    assert "style=" not in drawn


@pytest.mark.parametrize("name", ["no-such-icon", "", "<script>", "../../etc/passwd", None])
def test_an_unknown_icon_is_a_circle(name):
    assert tags.icon(name) == tags.icon("circle")


def test_the_card_of_a_customer_comes_from_the_end_of_his_id_alone():
    one = tags.card_notches(UUID("00000000-0000-0000-0000-0000003f9c21"))
    assert one == tags.card_notches(UUID("ffffffff-ffff-7fff-8fff-fffffffff" + "c21"))
    assert one != tags.card_notches(UUID("00000000-0000-0000-0000-0000003f9c20"))
    assert one.count("M") == 7 and set(one) <= set("MHAVzav0123456789. ")


def test_a_short_id_is_the_last_six_digits():
    assert tags.short(UUID("00000000-0000-0000-0000-0000003f9c21")) == "3f9c21"


# --- Times -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "read"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=11, minutes=59), "11 h ago"),
        (timedelta(hours=12), "12 h ago"),  # still today
        (timedelta(hours=12, seconds=1), "yesterday"),
        (timedelta(hours=36), "yesterday"),
        (timedelta(hours=36, seconds=1), "2 d ago"),
        (timedelta(days=29), "29 d ago"),
        (timedelta(days=30), "1 mo ago"),
        (timedelta(days=364), "12 mo ago"),
        (timedelta(days=365), "1 y ago"),
        (timedelta(days=800), "2 y ago"),
        (-timedelta(seconds=1), "4 May 2026"),
        (-timedelta(days=400), "8 Jun 2027"),
    ],
)
def test_ago(age, read):
    assert words(tags.ago(NOON - age)) == read


def test_shortly_after_midnight_the_evening_before_is_told_in_hours(time_machine):
    time_machine.move_to(NOON.replace(hour=0, minute=30), tick=False)
    assert words(tags.ago(NOON - timedelta(hours=14))) == "2 h ago"


def test_yesterday_depends_on_where_the_viewer_is():
    moment = NOON - timedelta(hours=15)
    assert words(tags.ago(moment)) == "yesterday"
    with timezone.override("America/Los_Angeles"):
        assert words(tags.ago(NOON - timedelta(hours=24))) == "yesterday"
    with timezone.override("Pacific/Auckland"):
        assert words(tags.ago(NOON - timedelta(hours=13))) == "yesterday"


@pytest.mark.parametrize(
    ("age", "read"),
    [
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=11, minutes=59), "11 h ago"),
        (timedelta(hours=12), "00:00"),
        (timedelta(days=3, minutes=7), "11:53"),
        (-timedelta(minutes=1), "12:01"),
    ],
)
def test_clock(age, read):
    assert words(tags.clock(NOON - age)) == read


def test_day_and_moment():
    assert words(tags.day(NOON)) == "4 May 2026"
    assert tags.moment(NOON) == "4 May 2026, 12:00:00 UTC"
    with timezone.override("Europe/Berlin"):
        assert tags.moment(NOON) == "4 May 2026, 14:00:00 CEST"
        assert words(tags.day(NOON.replace(hour=23))) == "5 May 2026"


@pytest.mark.parametrize("tag", [tags.ago, tags.clock, tags.day])
def test_every_time_has_the_moment_in_its_title_and_for_machines(tag):
    for moment in (NOON - timedelta(minutes=5), NOON - timedelta(days=400)):
        drawn = tag(moment)
        assert f'datetime="{moment.isoformat()}"' in drawn and f'title="{tags.moment(moment)}"' in drawn


@pytest.mark.parametrize("tag", [tags.ago, tags.clock, tags.day, tags.moment])
def test_no_time_is_no_text(tag):
    assert tag(None) == ""


# --- Words and numbers ---------------------------------------------------------------------------


def test_words_and_numbers():
    assert tags.title_case("not_yet_known") == "Not yet known"
    assert tags.unlocalised(1234567) == "1234567"
    assert tags.breakable("a_long.name-of/things") == "a_<wbr>long.<wbr>name-<wbr>of/<wbr>things"


@pytest.mark.parametrize(
    ("value", "query", "drawn"),
    [
        ("Anna", "", "Anna"),
        ("Anna", "nn", "A<mark>nn</mark>a"),
        ("ANNA anna", "anna", "<mark>ANNA</mark> <mark>anna</mark>"),
        ("Anna", "x", "Anna"),
        ("a.b", ".", "a<mark>.</mark>b"),
        ("1+1=(2)", "(2)", "1+1=<mark>(2)</mark>"),
        ("", "x", ""),
        (5, "5", "<mark>5</mark>"),
    ],
)
def test_what_was_searched_for_is_marked(value, query, drawn):
    assert tags.marked(value, query) == drawn


@given(st.text(), st.text("<>&\"'ab()[]\\.*", max_size=5))
def test_marking_and_breaking_never_let_markup_through(value, query):
    hostile = f"{value}<script>&\"'{query}"
    for drawn in (tags.marked(hostile, query), tags.breakable(hostile)):
        assert not set(re.sub("<mark>|</mark>|<wbr>", "", drawn)) & set("<>\"'")
