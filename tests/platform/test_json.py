"""JSON in and out, by the input policy."""

import json as standard
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolodesk import json
from rolodesk.json import MAX_DEPTH, MAX_INTEGER, JsonError, check_depth, decode, encode, storable

# NUL is replaced on the way in.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_encoded_is_decoded_to_the_same(value):
    assert decode(encode(value)) == value == standard.loads(encode(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Decimal("0.1")), ("1.10", Decimal("1.10")), ("1e2", Decimal("1e2")), ("-0.0", Decimal("-0.0")),
        ("12345678901234567.89", Decimal("12345678901234567.89")), ("9223372036854775807", MAX_INTEGER),
        ("1e308", Decimal("1e308")), ("1e-300", Decimal("1e-300")),
        ("0." + "1" * 38, Decimal("0." + "1" * 38)), ("0." + "1" * 39, "0." + "1" * 39),
    ],
)  # fmt: skip
def test_numbers_keep_their_digits(text, value):
    assert decode(text.encode()) == value and str(decode(text.encode())) == str(value)


@pytest.mark.parametrize("number", ["1e309", "1e999", "-1e400", "1e-500", "1.5e99999999"])
def test_numbers_beyond_sense_are_refused(number):
    with pytest.raises(JsonError, match="out of range"):
        decode(f'{{"a": [{number}]}}'.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"nul", b"NaN", b"[Infinity]", b"-Infinity", b"{} x", b"[1,]", b"{'a':1}", b'"\xff"',
        b"\xef\xbb\xbf{}", b'{"a" 1}', b'"a', b"\x00", b'"\xed\xa0\x80"', b"01", b"+1", b".5",
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused_without_being_quoted(body):
    with pytest.raises(JsonError, match="malformed JSON"):
        decode(body)


def test_of_two_equal_keys_the_last_wins():
    assert decode(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\ude00"', "\ufffd"),
        (rb'"\uD83D x \uDE00"', "\ufffd x \ufffd"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'"\\\ud83d"', "\\\ufffd"),
        (rb'{"\ud83d": "\\\\ud83d"}', {"\ufffd": r"\\ud83d"}),
        (rb'"\ud7ff\ue000"', "\ud7ff\ue000"),
    ],
)
def test_lone_surrogates_are_replaced_and_pairs_kept(body, value):
    assert decode(body) == value
    encode(decode(body)).decode("utf-8")


@given(st.text("\\ud83Dex0\"' ", max_size=30))
def test_no_mixture_of_escapes_gets_a_surrogate_through(text):
    try:
        value = decode(b'"' + text.encode() + b'"')
    except JsonError:
        return
    assert not any("\ud800" <= char <= "\udfff" for char in value)


def nested(depth, opening="[", closing="]"):
    return (opening * depth + "1" + closing * depth).encode()


def test_nesting_has_a_limit():
    assert decode(nested(MAX_DEPTH)) and decode(nested(MAX_DEPTH, '{"a":', "}"))
    for depth in (MAX_DEPTH + 1, 500, 100_000):
        for body in (nested(depth), nested(depth, '{"a":', "}"), b"[" * depth):
            with pytest.raises(JsonError):
                decode(body)


def test_depth_is_measured_wherever_the_deepest_branch_is():
    deep: object = "x"
    for _ in range(5):
        deep = [1, {"a": 2, "b": deep}, "y"]
    check_depth(deep, 10)
    with pytest.raises(JsonError, match="nested too deeply"):
        check_depth(deep, 9)
    check_depth("flat", 0)


def test_storable_replaces_what_the_database_cannot_hold():
    value = {"a\0b": ["c\0", MAX_INTEGER, MAX_INTEGER + 1, -MAX_INTEGER - 1, True, None, Decimal("1.5")]}
    assert storable(value) == {
        "a\ufffdb": ["c\ufffd", MAX_INTEGER, str(MAX_INTEGER + 1), str(-MAX_INTEGER - 1), True, None, Decimal("1.5")]
    }
    assert storable(value) is not value and value["a\0b"][0] == "c\0"
    assert storable(True) is True


def test_decimals_are_encoded_as_numbers():
    assert encode({"a": Decimal("1.10")}) == b'{"a":1.10}'


def test_an_error_of_ours_is_a_value_error():
    assert issubclass(json.JsonError, ValueError)
