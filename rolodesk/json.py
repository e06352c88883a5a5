"""JSON in and out, by the input policy of the product (security.md I10).

Numbers keep their digits (no detour through float), NaN and Infinity are refused, nesting is
limited and measured without recursion, and characters that PostgreSQL cannot store are replaced.
"""

import re
from decimal import Decimal
from typing import Any

import msgspec

MAX_DEPTH = 32
MAX_INTEGER = 2**63 - 1
MAX_NUMBER_LENGTH = 40
# Beyond these a double is infinite or zero, and PostgreSQL would write out hundreds of digits.
MIN_EXPONENT, MAX_EXPONENT = -400, 309
REPLACEMENT = "\ufffd"

# Any JSON value as it comes out of a decoder; the wire is the one place where the type is open.
Json = Any

# Escaped backslashes and whole surrogate pairs are matched first and kept; what is left stands alone.
_SURROGATES = re.compile(rb"(\\\\|\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w)|\\u[dD][89a-fA-F]\w\w")


class JsonError(ValueError):
    """The text is not JSON that we accept; ``str(error)`` is safe to show, it holds no value."""


def _number(text: str) -> Decimal | str:
    """Keep the digits of a number with a fraction or exponent; text when it is beyond sense."""
    number = Decimal(text)
    if number and not MIN_EXPONENT < number.adjusted() < MAX_EXPONENT:
        raise JsonError("a number is out of range")
    return text if len(text) > MAX_NUMBER_LENGTH else number


_decoder: msgspec.json.Decoder[Json] = msgspec.json.Decoder(float_hook=_number)
_encoder = msgspec.json.Encoder(decimal_format="number")


def decode(body: bytes) -> Json:
    """Decode one JSON text. Raises JsonError for anything malformed, too deep, or not UTF-8."""
    if rb"\ud" in body or rb"\uD" in body:
        body = _SURROGATES.sub(lambda match: match[1] or rb"\ufffd", body)
    try:
        value = _decoder.decode(body)
    except RecursionError as error:
        raise JsonError("nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # What our hook raises arrives wrapped.
        own = isinstance(error.__cause__, JsonError)
        raise JsonError(str(error.__cause__) if own else "malformed JSON") from error
    check_depth(value)
    return value


def encode(value: object) -> bytes:
    """Encode to compact JSON; decimals stay numbers."""
    return _encoder.encode(value)


def check_depth(value: Json, limit: int = MAX_DEPTH) -> None:
    """Raise JsonError when lists and objects nest deeper than the limit; a loop, never recursion."""
    level: list[Json] = [[value]]
    for _ in range(limit + 1):
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    raise JsonError("nested too deeply")


def storable(value: Json) -> Json:
    """A copy that PostgreSQL can store: no NUL character, no integer beyond 64 bits (kept as text)."""
    if isinstance(value, str):
        return value.replace("\0", REPLACEMENT) if "\0" in value else value
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -MAX_INTEGER <= value <= MAX_INTEGER else str(value)
    if isinstance(value, dict):
        return {storable(key): storable(child) for key, child in value.items()}
    if isinstance(value, list):
        return [storable(child) for child in value]
    return value
