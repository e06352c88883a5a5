"""Laws of the parser: whatever comes is either refused in words or becomes operations that can be stored."""

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dialects.customerio_track import parse
from dialects.customerio_track.errors import Invalid
from dialects.customerio_track.fields import canonical, is_longer, person_of_cio_id, person_of_path
from rolodesk.json import Json
from tracking.intake import operations
from tracking.intake.operations import CUSTOMER_ID, Identify, Operation, Ref

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\0", "\ud800", " ", "1" * 30]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ["id", "email", "anonymous_id", "_timestamp", "_update", "cio_id", "name", "type", "data", "timestamp", "plan", " "]
)
BODIES = st.dictionaries(KEYS | st.text(max_size=5), VALUES, max_size=8)
IDENTIFIERS = st.dictionaries(
    st.sampled_from(["id", "email", "phone", "cio_id", "anonymous_id", "x"]), VALUES, max_size=2
)
ITEMS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["person", "object", "delivery", 1]),
        "action": st.sampled_from(["identify", "event", "page", "x"]),
    },
    optional={"identifiers": IDENTIFIERS | VALUES, "attributes": BODIES | VALUES, "name": VALUES, "id": VALUES},
)
many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def stored(found: list[Operation]) -> None:
    """Demand that the worker can read it, and that PostgreSQL can store it."""
    body = operations.encode(found)
    assert b"\\u0000" not in body
    body.decode()
    assert len(operations.decode(body)) == len(found)


@many
@given(st.text(max_size=8), BODIES)
def test_any_identify_is_refused_or_stored(path: str, body: Json) -> None:
    try:
        found = parse.v1_identify(path, json.dumps(body).encode())
    except Invalid:
        return
    stored(found)


@many
@given(st.text(max_size=8), BODIES)
def test_any_event_is_refused_or_stored(path: str, body: Json) -> None:
    try:
        found = parse.v1_event(path, json.dumps({"name": "a"} | body).encode())
    except Invalid:
        return
    stored(found)


@many
@given(st.lists(ITEMS | VALUES, max_size=5))
def test_every_item_of_a_batch_is_refused_dropped_or_stored(items: list[Json]) -> None:
    try:
        batch = parse.v2_batch(json.dumps({"batch": items}).encode())
    except Invalid:
        return
    assert len(batch.operations) + len(batch.errors) <= len(items)
    stored(batch.operations)


@many
@given(st.binary(max_size=40))
@example(b'{"a": 0e99999999999999999999}')
def test_any_bytes_are_refused_or_an_object(body: bytes) -> None:
    with suppress(Invalid):
        assert isinstance(parse.document(body), dict)


@given(st.text(), st.integers(0, 20))
def test_length_is_counted_in_bytes(text: str, limit: int) -> None:
    try:
        length = len(text.encode())
    except UnicodeEncodeError:  # lone surrogates do not come out of the decoder
        return
    assert is_longer(text, limit) == (length > limit)


@given(st.text())
def test_a_canonical_name_stays_as_it_is(name: str) -> None:
    assert canonical(canonical(name)) == canonical(name)


@given(st.uuids())
def test_a_customer_id_is_understood_with_and_without_prefix(uuid: object) -> None:
    digits = str(uuid).replace("-", "")
    expected = Ref(CUSTOMER_ID, str(uuid))
    assert person_of_path(f"cio_{digits}") == person_of_cio_id(digits) == person_of_cio_id(f"cio_{digits}") == expected


@pytest.mark.parametrize("digits", ["", "0" * 31, "0" * 33, "g" * 32, "_" + "0" * 31, " " + "0" * 31, "\u0660" * 32])
def test_only_32_hexadecimal_digits_are_a_customer_id(digits: str) -> None:
    assert person_of_cio_id(digits) is None


def test_an_identifier_that_repeats_the_path_is_not_said_twice() -> None:
    body = b'{"email": "a@b.example", "id": 5}'
    assert parse.v1_identify("a@b.example", body) == [Identify(Ref("email", "a@b.example"), {"external_id": "5"})]
