"""Times as they stand in files: ISO 8601, seconds or milliseconds since 1970, or as people write them."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from dateutil import parser as dateutil_parser
from django.utils.dateparse import parse_date, parse_datetime

from rolodesk.json import Json
from tracking.intake.times import EPOCH

MAX_LENGTH = 64
# Seconds until the year 5138, else milliseconds until then, else microseconds.
MAX_SECONDS = Decimal(10) ** 11
# 8 digits are a date without dashes, not a moment in 1970.
COMPACT_DATE = 8
# Two bases that differ in every part: a text that leaves a part open reads differently over each.
BASES = (datetime(2000, 1, 1), datetime(2003, 2, 2))  # noqa: DTZ001  # the zone is added after reading


class UnreadableTime(ValueError):
    """The value is no time that can be read in one way only."""


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How to read times that leave something open: the zone, and which of 03/04 is the day."""

    zone: tzinfo = UTC
    is_day_first: bool = False

    MICROSECOND: ClassVar[timedelta] = timedelta(microseconds=1)

    def read(self, value: Json) -> datetime:
        """The moment, in UTC. Raises UnreadableTime."""
        try:
            if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
                return _since_1970(Decimal(value))
            if not isinstance(value, str) or not 0 < len(text := value.strip()) <= MAX_LENGTH:
                raise UnreadableTime
            number = _number(text)
            if number is not None and not _is_compact_date(text):
                return _since_1970(number)
            found = _iso(text) or self._as_people_write(text)
            return (found if found.tzinfo else found.replace(tzinfo=self.zone)).astimezone(UTC)
        except (ValueError, OverflowError, ArithmeticError) as error:
            raise UnreadableTime from error

    def _as_people_write(self, text: str) -> datetime:
        first: datetime
        first, second = (dateutil_parser.parse(text, dayfirst=self.is_day_first, default=base) for base in BASES)
        if first != second:
            # "10:30" or "March" alone would mean today's date, and something else tomorrow.
            raise UnreadableTime
        return first


def _iso(text: str) -> datetime | None:
    """What Django reads: with or without zone; a date alone is its first moment."""
    found = parse_datetime(text)
    if found is not None:
        return found
    day = parse_date(text)
    return datetime.combine(day, time()) if day else None


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _is_compact_date(text: str) -> bool:
    return len(text) == COMPACT_DATE and text.isdigit() and "19700101" <= text < "21000101"


def _since_1970(number: Decimal) -> datetime:
    for factor in (10**6, 10**3, 1):
        if abs(number) < MAX_SECONDS * (10**6 // factor):
            return EPOCH + timedelta(microseconds=int(number * factor))
    raise UnreadableTime
