"""Times on the wires: seconds or milliseconds since 1970, told apart by their magnitude."""

from decimal import Decimal

from rolodesk.json import Json

# As seconds this is the year 5138, as milliseconds 1973: no clock means the other reading.
MILLISECONDS_FROM = 100_000_000_000
MAX_DIGITS = 19
MAX_MICROS = 2**63 - 1


def micros(value: Json) -> int | None:
    """Microseconds since 1970; None for what is no number, as if it had not been sent.

    Absurd times are kept, within 64 bits: to judge them is the write gate's part.
    """
    if type(value) is str:
        value = _whole_number(value)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    is_seconds = -MILLISECONDS_FROM < value < MILLISECONDS_FROM
    scaled = value * (1_000_000 if is_seconds else 1_000)
    return max(-MAX_MICROS, min(MAX_MICROS, int(scaled)))


def _whole_number(text: str) -> int | None:
    text = text.strip()
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        return None
    # Python refuses to convert thousands of digits; as a time all of these are equally absurd.
    return int(text) if len(digits) <= MAX_DIGITS else MAX_MICROS * (-1 if text != digits else 1)
