"""JSON in and out, by the input policy of the product (security.md I10).

Numbers keep their digits (no detour through float), NaN and Infinity are refused, nesting is
limited and measured without recursion, and characters that PostgreSQL cannot store are replaced.
"""

import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
import structlog

log = structlog.get_logger("rolodesk.web")

MAX_DEPTH = 32
MAX_INTEGER = 2**63 - 1
MAX_NUMBER_LENGTH = 40
# Beyond these a double is infinite or zero, and PostgreSQL would write out hundreds of digits.
MIN_EXPONENT, MAX_EXPONENT = -400, 309
REPLACEMENT = "\ufffd"

# Any JSON value as it comes out of a decoder; the wire is the one place where the type is open.
Json = Any

# NUL and lone surrogates. Escaped backslashes and whole surrogate pairs are matched first and kept.
_UNSTORABLE = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|0000)"
)
CONTAINERS = frozenset([dict, list])
CHARACTER, REPEATED_KEY, LONG_NUMBER = "character", "repeated_key", "long_number"
# Clients can cause these at will, so they must not be able to fill the log.
LOG_SECONDS = 60.0


@dataclass(slots=True)
class Altered:
    """What was not kept as it came: counted by kind since the process began, and logged once a minute at most."""

    counts: Counter[str] = field(default_factory=Counter)
    _unlogged: Counter[str] = field(default_factory=Counter)
    _logged_at: float = float("-inf")

    def note(self, kind: str, count: int = 1) -> None:
        """Count some."""
        self.counts[kind] += count
        self._unlogged[kind] += count
        if time.monotonic() - self._logged_at < LOG_SECONDS:
            return
        self._logged_at = time.monotonic()
        for reason, number in self._unlogged.items():
            log.info("input altered", reason=reason, count=number)
        self._unlogged.clear()


altered = Altered()


class JsonError(ValueError):
    """The text is not JSON that we accept; ``str(error)`` is safe to show, it holds no value."""


def _number(text: str) -> Decimal | str:
    """Keep the digits of a number with a fraction or exponent; text when it is beyond sense."""
    try:
        number = Decimal(text)
    except InvalidOperation as error:  # an exponent beyond what even a decimal has
        raise JsonError("a number is out of range") from error
    if not MIN_EXPONENT < number.adjusted() < MAX_EXPONENT:
        raise JsonError("a number is out of range")
    if len(text) <= MAX_NUMBER_LENGTH:
        return number
    altered.note(LONG_NUMBER)
    return text


_decoder: msgspec.json.Decoder[Json] = msgspec.json.Decoder(float_hook=_number)
_encoder = msgspec.json.Encoder(decimal_format="number")


def decode(body: bytes) -> Json:
    """Decode one JSON text. Raises JsonError for anything malformed, too deep, or not UTF-8."""
    body = _replace_unstorable(body)
    try:
        value = _decoder.decode(body)
    except RecursionError as error:
        raise JsonError("nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # What our hook raises arrives wrapped.
        own = isinstance(error.__cause__, JsonError)
        raise JsonError(str(error.__cause__) if own else "malformed JSON") from error
    # As many names as colons after a quote, as a rule; only then is a closer look worth its time.
    if check_depth(value) < body.count(b'":') + body.count(b'" :') - body.count(rb"\":"):
        _count_repeats(body)
    return value


def _replace_unstorable(body: bytes, *, is_counted: bool = True) -> bytes:
    if rb"\u0000" not in body and rb"\ud" not in body and rb"\uD" not in body:
        return body
    found = sum(match[1] is None for match in _UNSTORABLE.finditer(body))
    if found and is_counted:
        altered.note(CHARACTER, found)
    return _UNSTORABLE.sub(lambda match: match[1] or rb"\ufffd", body)


def encode(value: object) -> bytes:
    """Encode to compact JSON; decimals stay numbers."""
    return _encoder.encode(value)


def check_depth(value: Json, limit: int = MAX_DEPTH) -> int:
    """How many names all objects have. A loop, never recursion; raises JsonError for too many levels."""
    level = [value] if type(value) in CONTAINERS else []
    names = 0
    for _ in range(limit + 1):
        if not level:
            return names
        below = []
        for item in level:
            children = item
            if type(item) is dict:
                names += len(item)
                children = item.values()
            for child in children:
                if type(child) in CONTAINERS:
                    below.append(child)  # noqa: PERF401  # twice as fast as a list of each item's own
        level = below
    raise JsonError("nested too deeply")


def storable(value: Json) -> Json:
    """A copy that PostgreSQL can store: no NUL character, no integer beyond 64 bits (kept as text)."""
    if isinstance(value, str):
        return value.replace("\0", REPLACEMENT) if "\0" in value else value
    if isinstance(value, int) and not isinstance(value, bool):
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return value
        altered.note(LONG_NUMBER)
        return str(value)
    if isinstance(value, dict):
        return {storable(key): storable(child) for key, child in value.items()}
    if isinstance(value, list):
        return [storable(child) for child in value]
    return value


class Repeated(dict[str, Json]):
    """An object in which a name stands twice, or that holds such an object."""


def mark_repeats(body: bytes) -> Json:
    """Decode a text that ``decode`` accepted once more, with ``Repeated`` where it did not see a name twice.

    Much slower than ``decode``: for the few calls where it matters. Numbers stay text.
    """
    text = _replace_unstorable(body, is_counted=False)
    return json.loads(text, object_pairs_hook=_object, parse_int=str, parse_float=str)


def _count_repeats(body: bytes) -> None:
    repeated = 0

    def count(pairs: list[tuple[str, Json]]) -> None:
        nonlocal repeated
        repeated += len(pairs) - len({name for name, _ in pairs})

    json.loads(body, object_pairs_hook=count, parse_int=str, parse_float=str)
    if repeated:
        altered.note(REPEATED_KEY, repeated)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    is_repeated = len(found) < len(pairs) or any(_holds_repeated(value) for _, value in pairs)
    return Repeated(found) if is_repeated else found


def _holds_repeated(value: Json) -> bool:
    return isinstance(value, Repeated) or (isinstance(value, list) and any(map(_holds_repeated, value)))
