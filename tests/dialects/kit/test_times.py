"""Seconds and milliseconds, told apart by magnitude."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.kit.times import MAX_MICROS, micros
from rolodesk.json import Json

SECOND = 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1700000000, SECOND),
        (1700000000000, SECOND),
        ("1700000000", SECOND),
        (" 1700000000123 ", SECOND + 123_000),
        (Decimal("1700000000.25"), SECOND + 250_000),
        (0, 0),
        (-1, -1_000_000),
        ("-1", -1_000_000),
        (99_999_999_999, 99_999_999_999_000_000),
        (100_000_000_000, 100_000_000_000_000),
        (10**40, MAX_MICROS),
        (-(10**40), -MAX_MICROS),
        ("9" * 10_000, MAX_MICROS),
        ("-" + "9" * 10_000, -MAX_MICROS),
        (Decimal("1e308"), MAX_MICROS),
        (Decimal("1e-300"), 0),
    ],
)
def test_numbers_become_microseconds(value: Json, expected: int) -> None:
    assert micros(value) == expected


@pytest.mark.parametrize("value", [None, "", "-", "now", "1e9", "1.5", "1_000", "\u0661", True, False, [], {}])
def test_everything_else_is_absent(value: Json) -> None:
    assert micros(value) is None


# From 1973, where the readings part, to the year 5138.
@given(st.integers(100_000_000, 99_999_999_999))
def test_seconds_and_milliseconds_of_a_moment_are_the_same(seconds: int) -> None:
    assert micros(seconds) == micros(seconds * 1000) == micros(str(seconds)) == seconds * 1_000_000


@given(st.one_of(st.integers(), st.text(), st.decimals(allow_nan=False, allow_infinity=False, places=3)))
def test_whatever_comes_stays_within_64_bits(value: Json) -> None:
    result = micros(value)
    assert result is None or -MAX_MICROS <= result <= MAX_MICROS
