"""How stored values read to a person."""

from decimal import Decimal

import pytest
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from customers.property_types import MAX_SHOWN, TYPES, display

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("gold", "gold"), ("", ""), (None, ""), (True, "Yes"), (False, "No"), (5, "5"), (Decimal("1.50"), "1.50"),
        ([], "[]"), ({}, "{}"), (["a", 1, None], '["a",1,null]'), ({"ö": {"a": [True]}}, '{"ö":{"a":[true]}}'),
        ("x" * 3000, "x" * MAX_SHOWN), (["x" * 3000], '["' + "x" * (MAX_SHOWN - 2)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["text", "boolean", "email", "phone", "json", "unknown"])
def test_text(key, value, read):
    assert display(key, value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (0, "0"), (-5, "-5"), (1000, "1,000"), (1_000_000, "1,000,000"), ("1e3", "1,000"), (Decimal("2.0"), "2"),
        (1234.5, "1,234.5"), ("0042", "42"), (Decimal("0.10"), "0.10"),
        ("12345678901234567890", "12,345,678,901,234,567,890"),
        # What does not read as a number stays what it is.
        ("twelve", "twelve"), ("NaN", "NaN"), ("Infinity", "Infinity"), ("1e99", "1e99"), (True, "Yes"), (None, ""),
        ([1, 2], "[1,2]"), ("", ""),
    ],
)  # fmt: skip
def test_number(value, read):
    assert display("number", value) == read


@pytest.mark.parametrize(
    ("value", "currency", "read"),
    [
        (1234.5, "EUR", "€1,234.50"), ("99", "USD", "$99.00"), (0, "EUR", "€0.00"), (-3, "GBP", "-£3.00"),
        (1200, "JPY", "¥1,200"), ("free", "EUR", "free"), (5, "", "5"), (None, "EUR", ""), (True, "EUR", "Yes"),
        (5, "XXX", "¤5.00"),
    ],
)  # fmt: skip
def test_money(value, currency, read):
    assert display("money", value, currency=currency) == read


def test_money_reads_in_the_language_of_the_page():
    with translation.override("de"):
        assert display("money", "1234.5", currency="EUR") == "1.234,50\xa0€"
    with translation.override(None):
        assert display("money", "1234.5", currency="EUR") == "€1,234.50"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2026-05-04T10:30:00Z", "4 May 2026, 10:30"), ("2026-05-04T10:30:00+02:00", "4 May 2026, 08:30"),
        ("2026-05-04 10:30", "4 May 2026, 10:30"), ("2026-05-04", "4 May 2026, 00:00"),
        (1_777_890_600, "4 May 2026, 10:30"), (1_777_890_600_000, "4 May 2026, 10:30"),
        ("1777890600", "4 May 2026, 10:30"),
        (Decimal("1777890600.25"), "4 May 2026, 10:30"), (0, "1 Jan 1970, 00:00"), (-1, "31 Dec 1969, 23:59"),
        # What does not read as a moment stays what it is.
        ("soon", "soon"), ("2026-13-45", "2026-13-45"), ("2026-02-30T10:00:00Z", "2026-02-30T10:00:00Z"),
        (10**18, str(10**18)), (True, "Yes"), (None, ""), ({"at": 1}, '{"at":1}'), ("", ""),
    ],
)  # fmt: skip
def test_datetime(value, read):
    assert display("datetime", value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("1990-05-04", "4 May 1990"), ("2026-05-04T10:30:00Z", "4 May 2026"), (1_777_890_600, "4 May 2026"),
        ("20260504", "4 May 2026"), ("in May", "in May"), (None, ""), ("1990-02-30", "1990-02-30"),
    ],
)  # fmt: skip
def test_date(value, read):
    assert display("date", value) == read


def test_a_moment_reads_in_the_time_zone_of_the_viewer():
    with timezone.override("America/New_York"):
        assert display("datetime", "2026-05-04T02:00:00Z") == "3 May 2026, 22:00"
        assert display("date", "2026-05-04T02:00:00Z") == "3 May 2026"


def test_a_birthday_is_the_same_day_everywhere():
    for zone in ("America/New_York", "UTC", "Asia/Tokyo"):
        with timezone.override(zone):
            assert display("date", "1990-05-04") == "4 May 1990"


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "0001-01-01", "9999-12-31"]
)
@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Asia/Tokyo"])
def test_a_moment_at_the_end_of_time_reads_as_text_at_worst(value, zone):
    with timezone.override(zone):
        for key in ("date", "datetime"):
            assert display(key, value)


@given(st.sampled_from(sorted(TYPES)), JSON, st.sampled_from(["EUR", "JPY", ""]))
def test_every_value_reads_as_something_whatever_its_type_was_meant_to_be(key, value, currency):
    read = display(key, value, currency=currency)
    assert isinstance(read, str) and len(read) <= MAX_SHOWN


def test_each_type_has_a_label_and_is_found_by_its_key():
    assert all(key == one.key and one.label for key, one in TYPES.items())
