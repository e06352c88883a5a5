"""Tags and filters of our templates, available in all of them."""

from datetime import datetime, timedelta
from functools import lru_cache
from re import IGNORECASE, escape, split
from uuid import UUID

import lucide
from django import template
from django.utils import formats, timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

HOUR, MONTH, YEAR = 60, 30, 365  # in minutes, days, days
RECENT = timedelta(hours=12)
SHORT_ID = 6
# A day-card of a rotary file: where its six notches may be, and how deep they go.
NOTCHES = 6
DEPTHS = ("4.5", "8.5", "12.5", "16.5")
CARD = "M4 2H20A3 3 0 0 1 23 5V19A3 3 0 0 1 20 22H4A3 3 0 0 1 1 19V5A3 3 0 0 1 4 2z"


# --- Drawings ----------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative icon of the lucide set, drawn in place; an unknown name draws a circle."""
    try:
        return _drawn(str(name))
    except lucide.IconDoesNotExist:
        return _drawn("circle")


@lru_cache(maxsize=512)
def _drawn(name: str) -> SafeString:
    """Parsing an icon's file takes longer than a row of a table may."""
    attributes = {"class": "icon", "aria-hidden": "true", "stroke-width": "1.75"}
    svg = lucide._render_icon(name, 16, **attributes)  # noqa: SLF001  # its public tag only wraps this
    return mark_safe(svg)  # noqa: S308  # drawn by the package from its own files


@register.filter
def card_notches(customer_id: UUID) -> str:
    """The path of the notched card beside a customer, out of the last digits of his id and nothing else."""
    number = customer_id.int
    depths = [DEPTHS[number >> 2 * place & 3] for place in range(NOTCHES)]
    return CARD + "".join(f"M{3.25 + 3.1 * place:.2f} 2V{depth}a1 1 0 0 0 2 0V2z" for place, depth in enumerate(depths))


@register.filter
def short(customer_id: UUID) -> str:
    """The last six hex digits of an id: for reading aloud, never a key."""
    return customer_id.hex[-SHORT_ID:]


# --- Times -------------------------------------------------------------------------------------


@register.filter
def ago(value: datetime | None) -> SafeString | str:
    """How long ago, with the moment itself in the title."""
    return "" if value is None else _time(value, _relative(value))


@register.filter
def clock(value: datetime | None) -> SafeString | str:
    """The time of day, under a heading that names the day; in the last hours how long ago."""
    if value is None:
        return ""
    is_recent = timedelta() <= timezone.now() - value < RECENT
    return _time(value, _relative(value) if is_recent else f"{timezone.localtime(value):%H:%M}")


@register.filter
def day(value: datetime | None) -> SafeString | str:
    """The day, with the moment itself in the title."""
    return "" if value is None else _time(value, formats.date_format(timezone.localtime(value), "j M Y"))


@register.filter
def moment(value: datetime | None) -> str:
    """Day, time and zone."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    return f"{formats.date_format(local, 'j M Y, H:i:s')} {local:%Z}"


def _time(value: datetime, words: str) -> SafeString:
    machine = timezone.localtime(value).isoformat(timespec="seconds")
    return format_html('<time datetime="{}" title="{}">{}</time>', machine, moment(value), words)


def _relative(value: datetime) -> str:
    age = timezone.now() - value
    if age < timedelta():
        return formats.date_format(timezone.localtime(value), "j M Y")
    days = (timezone.localdate() - timezone.localtime(value).date()).days
    if days == 0 or age < RECENT:
        return _short_while(age // timedelta(minutes=1))
    return "yesterday" if days == 1 else _long_while(days)


def _short_while(minutes: int) -> str:
    if minutes == 0:
        return "just now"
    return f"{minutes} min ago" if minutes < HOUR else f"{minutes // HOUR} h ago"


def _long_while(days: int) -> str:
    if days < MONTH:
        return f"{days} d ago"
    return f"{days // MONTH} mo ago" if days < YEAR else f"{days // YEAR} y ago"


# --- Words and numbers ---------------------------------------------------------------------------


@register.filter
def title_case(word: str) -> str:
    """A state or kind as a word on the page."""
    return str(word).replace("_", " ").capitalize()


@register.filter
def unlocalised(number: int) -> str:
    """Digits without separators, for values of form controls."""
    return str(number)


@register.filter
def breakable(name: str) -> SafeString:
    """A property's name that may be broken at its joints."""
    parts = split(r"(?<=[_./-])", str(name))
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in parts))


@register.filter
def marked(value: str, query: str) -> SafeString:
    """A shown value with what was searched for marked in it. Never given a masked one."""
    if not query:
        return conditional_escape(value)
    parts = split(f"({escape(query)})", str(value), flags=IGNORECASE)
    pieces = (format_html("<mark>{}</mark>", part) if place % 2 else part for place, part in enumerate(parts))
    return format_html_join("", "{}", ((piece,) for piece in pieces))
