"""Laws of the parsers: whatever comes is either refused in words or becomes operations that can be stored."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dialects.customerio_track import bodies, deliveries, devices, entity, events, forms, objects, people, segments
from dialects.customerio_track.errors import Invalid
from dialects.customerio_track.fields import canonical, is_longer, person_of_cio_id, person_of_path
from rolodesk.errors import NotFound
from rolodesk.json import Json
from tracking.intake import operations
from tracking.intake.operations import CUSTOMER_ID, Operation, Ref

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\0", "\ud800", " ", "1" * 30, "true", "a@b.example"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PREFERENCES = "cio_subscription_preferences"
KEYS = st.sampled_from(
    [
        *("id", "email", "anonymous_id", "_timestamp", "_update", "cio_id", "name", "type", "data", "timestamp", " "),
        *("unsubscribed", PREFERENCES, f"{PREFERENCES}.topics.topic_1", "cio_relationships", "device", "recipient"),
        *("delivery_id", "metric", "event", "device_id", "ids", "unsubscribe", "primary", "secondary", "href"),
    ]
)
IDENTIFIER_KEYS = ["id", "email", "phone", "cio_id", "anonymous_id", "object_id", "object_type_id", "cio_object_id"]
IDENTIFIERS = st.dictionaries(st.sampled_from([*IDENTIFIER_KEYS, "x"]), VALUES, max_size=2)
LINKS = st.lists(
    st.fixed_dictionaries({"identifiers": IDENTIFIERS | VALUES}, optional={"relationship_attributes": VALUES}) | VALUES,
    max_size=3,
)
DEVICES = st.dictionaries(
    st.sampled_from(["id", "token", "platform", "last_used", "attributes", "x"]), VALUES | st.just("ios"), max_size=5
)
BODIES = st.dictionaries(KEYS | st.text(max_size=5), VALUES | DEVICES | IDENTIFIERS | LINKS, max_size=8)
ACTIONS = sorted({name for actions in entity.ACTIONS.values() for name in actions})
ITEMS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["person", "object", "delivery", 1]),
        "action": st.sampled_from([*ACTIONS, "x"]),
    },
    optional={
        "identifiers": IDENTIFIERS | VALUES,
        "attributes": BODIES | VALUES,
        "cio_relationships": LINKS | VALUES,
        "device": DEVICES | VALUES,
        "primary": IDENTIFIERS,
        "secondary": IDENTIFIERS,
        "name": VALUES | st.just("opened"),
        "id": VALUES,
    },
)
many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def allow(_permission: str) -> bool:
    """Credentials that may do everything."""
    return True


def stored(found: list[Operation]) -> None:
    """Demand that the worker can read it, and that PostgreSQL can store it."""
    body = operations.encode(found)
    assert b"\\u0000" not in body
    body.decode()
    assert len(operations.decode(body)) == len(found)


def listed(operation: Operation | None) -> list[Operation]:
    return [] if operation is None else [operation]


PARSERS: dict[str, Callable[[str, bytes], list[Operation]]] = {
    "identify": people.v1_identify,
    "delete": people.v1_delete,
    "suppress": people.v1_suppress,
    "unsuppress": people.v1_unsuppress,
    "merge": lambda _, body: people.v1_merge(body),
    "put_device": devices.v1_put,
    "drop_device": lambda path, body: devices.v1_drop("5", path, body),
    "event": events.v1_event,
    "anonymous_event": lambda _, body: events.v1_anonymous_event(body),
    "metric": lambda _, body: listed(deliveries.v1_metric(body)),
    "push": lambda _, body: listed(deliveries.v1_push(body)),
    "unsubscribe": lambda path, body: [deliveries.unsubscribe(path, body)],
    "segment": lambda path, body: [segments.change_members("1", path or None, body, is_removal=False)],
    "entity": lambda _, body: entity.v2_entity(body, allow),
}


@pytest.mark.slow  # making 300 bodies takes seconds; fourteen parsers read each
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=8), BODIES | ITEMS)
def test_any_body_of_any_call_is_refused_or_stored(path: str, given_body: Json) -> None:
    body = json.dumps({"name": "a"} | given_body).encode()
    for parse in PARSERS.values():
        with suppress(Invalid):
            stored(parse(path, body))


@pytest.mark.slow  # making the items takes seconds
@many
@given(st.lists(ITEMS | VALUES, max_size=5))
def test_every_item_of_a_batch_is_refused_dropped_or_stored(items: list[Json]) -> None:
    try:
        batch = entity.v2_batch(json.dumps({"batch": items}).encode(), allow)
    except Invalid:
        return
    indexes = [error["batch_index"] for error in batch.errors]
    assert indexes == sorted(set(indexes))
    # An identify call with relationships is two operations.
    assert len(batch.operations) <= 2 * (len(items) - len(indexes))
    stored(batch.operations)


@many
@given(st.text(max_size=8), st.dictionaries(st.text(max_size=5) | KEYS, VALUES | st.text(), max_size=6))
def test_any_form_is_refused_or_has_text_only(form_id: str, data: Any) -> None:
    with suppress(Invalid):
        key, found = forms.fields(form_id, json.dumps({"data": data}).encode())
        assert key
        assert all(type(value) is str and name for name, value in found.items())


@given(st.text())
def test_whatever_stands_for_a_segment_is_a_number_of_32_bits_or_unknown(text: str) -> None:
    try:
        found = segments.change_members(text, None, b'{"ids": [1]}', is_removal=False)
    except NotFound:
        return
    assert 1 <= found.segment_id < 2**31


@many
@given(st.binary(max_size=40))
@example(b'{"a": 0e99999999999999999999}')
def test_any_bytes_are_refused_or_an_object(body: bytes) -> None:
    with suppress(Invalid):
        assert isinstance(bodies.document(body), dict)


@pytest.mark.slow  # making the bodies takes seconds
@many
@given(BODIES)
def test_a_body_without_a_repeated_key_is_never_taken_for_one(body: Json) -> None:
    text = json.dumps({key: value for key, value in body.items() if key.isascii()}).encode()
    try:
        bodies.document(text)
    except Invalid:
        return
    bodies.refuse_repeats(text)


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
def test_an_id_of_ours_is_understood_with_and_without_prefix(uuid: object) -> None:
    digits = str(uuid).replace("-", "")
    expected = Ref(CUSTOMER_ID, str(uuid))
    assert person_of_path(f"cio_{digits}") == person_of_cio_id(digits) == person_of_cio_id(f"cio_{digits}") == expected
    for given_id in (digits, f"cio_{digits}", digits.upper()):
        found = objects.object_named({"cio_object_id": given_id})
        assert found is not None
        assert (found.type, found.key) == (0, str(uuid))


@pytest.mark.parametrize("digits", ["", "0" * 31, "0" * 33, "g" * 32, "_" + "0" * 31, " " + "0" * 31, "\u0660" * 32])
def test_only_32_hexadecimal_digits_are_an_id_of_ours(digits: str) -> None:
    assert person_of_cio_id(digits) is None
