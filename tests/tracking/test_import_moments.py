"""Reading times out of files."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tracking.importing.moments import TimeFormat, UnreadableTime

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-14T12:00:00Z",
        "2026-03-14T14:00:00+02:00",
        "2026-03-14 12:00",
        " 2026-03-14 12:00:00 ",
        "20260314T120000Z",
        "1773489600",
        "1773489600.0",
        "1773489600000",
        "1773489600000000",
        1773489600,
        1773489600000,
        Decimal("1773489600.000"),
        "14 March 2026 12:00",
        "Sat, 14 Mar 2026 12:00:00 GMT",
        "3/14/2026 12:00 PM",
    ],
)
def test_one_moment_in_many_spellings(value: Any) -> None:
    assert TimeFormat().read(value) == NOON


@pytest.mark.parametrize("value", ["2026-03-14", "20260314", "14 Mar 2026"])
def test_a_day_alone_is_its_first_moment(value: str) -> None:
    assert TimeFormat().read(value) == NOON.replace(hour=0)


@pytest.mark.parametrize(
    "value",
    [
        *["", "yesterday", "12:00", "March", "2026-13-01", "2026-02-30", "NaN", "1e400", "-", True, None, [], {}],
        *["9" * 30, "9" * 100, "2026-03-14T25:00"],
    ],
)
def test_what_leaves_something_open_is_no_time(value: Any) -> None:
    with pytest.raises(UnreadableTime):
        TimeFormat().read(value)


def test_small_numbers_count_from_1970() -> None:
    assert TimeFormat().read("14").year == 1970


def test_times_without_a_zone_are_of_the_zone_that_was_named() -> None:
    assert TimeFormat(ZoneInfo("Europe/Berlin")).read("2026-03-14 13:00") == NOON
    assert TimeFormat(ZoneInfo("Europe/Berlin")).read("2026-03-14T12:00:00Z") == NOON


def test_the_day_may_come_first() -> None:
    assert TimeFormat(is_day_first=True).read("03/04/2026") == datetime(2026, 4, 3, tzinfo=UTC)
    assert TimeFormat().read("03/04/2026") == datetime(2026, 3, 4, tzinfo=UTC)
