"""Days as people speak of them: near ones by name, far ones by date."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from itertools import groupby
from typing import TypeVar

from django.utils import formats, timezone

Row = TypeVar("Row")


def by_day(rows: Iterable[Row], at: Callable[[Row], datetime]) -> Iterator[tuple[tuple[str, str], list[Row]]]:
    """Rows in order of time, by the days of the current time zone, each with its heading."""
    today = timezone.localdate()
    for day, group in groupby(rows, key=lambda row: timezone.localtime(at(row)).date()):
        yield heading(day, today), list(group)


def heading(day: date, today: date) -> tuple[str, str]:
    """The heading of a day and its second part."""
    age = (today - day).days
    this_year = formats.date_format(day, "l j F")
    if age in (0, 1):
        return ("Today", "Yesterday")[age], this_year
    if 1 < age < 7:  # noqa: PLR2004  # days of a week
        return formats.date_format(day, "l"), formats.date_format(day, "j F")
    return formats.date_format(day, "j F Y"), formats.date_format(day, "l")
