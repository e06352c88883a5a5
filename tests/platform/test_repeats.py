"""Finding keys that stand twice in an object, which the usual decoder does not tell."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolodesk.json import Repeated, decode, mark_repeats


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"a": 1, "a": 2}', True),
        (b'{"a": 1, "\\u0061": 2}', True),
        (b'{"a": {"b": 1, "b": 1}}', True),
        (b'{"a": [[{"b": 1, "b": 1}]]}', True),
        (b'{"a": {"b": 1}, "b": 1}', False),
        (b'{"a": 1, "A": 2}', False),
        (b"{}", False),
    ],
)
def test_a_name_that_stands_twice_marks_its_object_and_those_around_it(text: bytes, expected: bool) -> None:
    assert isinstance(mark_repeats(text), Repeated) == expected


def test_objects_beside_a_marked_one_are_not_marked() -> None:
    one, other = mark_repeats(b'[{"a": 1, "a": 2}, {"a": 1}]')
    assert (isinstance(one, Repeated), isinstance(other, Repeated)) == (True, False)
    assert one == {"a": "2"}


def test_numbers_of_any_length_are_no_trouble() -> None:
    digits = "9" * 300
    assert mark_repeats(f'{{"a": {digits}}}'.encode()) == {"a": digits}


TEXTS = st.text(st.characters(codec="utf-8"))
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(DOCUMENTS)
def test_both_decoders_read_the_same(document: object) -> None:
    text = json.dumps(document).encode()
    assert mark_repeats(text) == decode(text)
    assert not isinstance(mark_repeats(text), Repeated)
