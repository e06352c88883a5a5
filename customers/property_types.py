"""Types of properties: how a stored JSON value reads to a person."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from babel.numbers import format_currency
from django.utils import formats, timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import get_language

from rolodesk import json
from rolodesk.json import Json

MAX_SHOWN = 2000
EPOCH_MILLISECONDS = 10**11


@dataclass(frozen=True, slots=True)
class PropertyType:
    """One type; ``display`` falls back to the plain text when the value is of another kind."""

    key: str
    label: str
    display: Callable[[Json, str], str]


def _text(value: Json, _currency: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (dict, list)):
        return json.encode(value).decode()[:MAX_SHOWN]
    return str(value)[:MAX_SHOWN]


def _number(value: Json, currency: str) -> str:
    number = _decimal(value)
    if number is None:
        return _text(value, currency)
    return formats.number_format(number.normalize() if number == number.to_integral() else number)


def _money(value: Json, currency: str) -> str:
    number = _decimal(value)
    if number is None or not currency:
        return _text(value, currency)
    return str(format_currency(number, currency, locale=(get_language() or "en").replace("-", "_")))


def _moment(value: Json, currency: str) -> str:
    when = _local(value)
    return formats.date_format(when, "j M Y, H:i") if when else _text(value, currency)


def _date(value: Json, currency: str) -> str:
    when = _day(value) or _local(value)
    return formats.date_format(when, "j M Y") if when else _text(value, currency)


def _decimal(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 20 else None  # noqa: PLR2004  # readable digits


def _day(value: Json) -> date | None:
    """A day that was stored as such: it is the same in every time zone."""
    try:
        return parse_date(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _local(value: Json) -> datetime | None:
    """The viewer's time, from seconds or milliseconds since 1970, or ISO 8601."""
    number = _decimal(value)
    try:
        if number is not None:
            seconds = float(number) / (1000 if abs(number) > EPOCH_MILLISECONDS else 1)
            return timezone.localtime(datetime.fromtimestamp(seconds, UTC))
        parsed = parse_datetime(value) if isinstance(value, str) else None
        return parsed and timezone.localtime(parsed if timezone.is_aware(parsed) else parsed.replace(tzinfo=UTC))
    except (ValueError, OverflowError, OSError):  # beyond the calendar, here or in UTC
        return None


TYPES = {
    one.key: one
    for one in (
        PropertyType("text", "Text", _text),
        PropertyType("number", "Number", _number),
        PropertyType("money", "Money", _money),
        PropertyType("boolean", "Yes or no", _text),
        PropertyType("datetime", "Date and time", _moment),
        PropertyType("date", "Date", _date),
        PropertyType("email", "E-mail", _text),
        PropertyType("phone", "Phone", _text),
        PropertyType("json", "List or object", _text),
    )
}


def display(key: str, value: Json, *, currency: str = "") -> str:
    """How a value reads; an unknown type reads as text."""
    return TYPES.get(key, TYPES["text"]).display(value, currency)
