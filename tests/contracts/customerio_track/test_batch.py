"""``POST /api/v2/batch``, sections 2.16 and 2.17 of the contract."""

import json

import pytest

from rolodesk.json import Json
from tests.contracts.client import TrackClient
from tests.contracts.conftest import Inbox
from tracking.intake.operations import CUSTOMER_ID, Identify, Ref, Track

FIVE = Ref("external_id", "5")
HEX = "0190a0b0c0d0712233445566778899aa"


def person(action: str, identifiers: Json = None, **more: Json) -> dict[str, Json]:
    """An operation on a person."""
    return {"type": "person", "action": action, "identifiers": identifiers or {"id": "5"}, **more}


VALID = [
    (person("identify"), Identify(FIVE)),
    (
        person("identify", attributes={"email": "a@b.example", "plan": 1, "_update": True}, timestamp=1700000000),
        Identify(FIVE, {"email": "a@b.example"}, {"plan": 1}, 1_700_000_000_000_000, may_create=False),
    ),
    (person("identify", attributes={"_timestamp": 1}), Identify(FIVE, at=1_000_000)),
    (person("event", name="purchase"), Track(FIVE, "purchase")),
    (
        person("event", {"email": "a@b.example"}, name="a", id="x", timestamp="1", attributes={"n": 1}),
        Track(Ref("email", "a@b.example"), "a", properties={"n": 1}, id="x", at=1_000_000),
    ),
    (person("page", name="https://shop.example/"), Track(FIVE, "https://shop.example/", "page")),
    (person("screen", name="Cart"), Track(FIVE, "Cart", "screen")),
    (person("event", {"id": 5}, name="a"), Track(FIVE, "a")),
    (person("event", {"id": "5", "email": None}, name="a"), Track(FIVE, "a")),
    (person("event", {"phone": "+4930123456"}, name="a"), Track(Ref("phone", "+4930123456"), "a")),
    (person("event", {"anonymous_id": "anon"}, name="a"), Track(Ref("anonymous_id", "anon"), "a")),
    (person("event", {"cio_id": HEX}, name="a"), Track(Ref(CUSTOMER_ID, "0190a0b0-c0d0-7122-3344-5566778899aa"), "a")),
    (person("event", {"cio_id": "cio_" + HEX}, name="a"),
     Track(Ref(CUSTOMER_ID, "0190a0b0-c0d0-7122-3344-5566778899aa"), "a")),
    # In bodies the key names the kind, whatever the value looks like.
    (person("event", {"id": "a@b.example"}, name="a"), Track(Ref("external_id", "a@b.example"), "a")),
]  # fmt: skip
# Operation -> reason and field of its entry.
REFUSED: list[tuple[Json, str, str]] = [
    ("text", "invalid", ""),
    ({}, "required", "type"),
    ({"type": 1, "action": "event"}, "invalid", "type"),
    ({"type": "planet", "action": "event"}, "invalid", "type"),
    ({"type": "person"}, "required", "action"),
    (person("dance"), "invalid", "action"),
    ({"type": "object", "action": "event"}, "invalid", "action"),
    ({"type": "delivery", "action": "identify"}, "invalid", "action"),
    ({"type": "person", "action": "identify_anonymous"}, "invalid", "action"),
    ({"type": "person", "action": "identify"}, "required", "identifiers"),
    ({"type": "person", "action": "identify", "identifiers": "5"}, "invalid", "identifiers"),
    ({"type": "person", "action": "identify", "identifiers": {}}, "required", "identifiers"),
    (person("identify", {"id": "5", "email": "a@b.example"}), "invalid", "identifiers"),
    (person("identify", {"nick": "5"}), "invalid", "identifiers"),
    (person("identify", {"id": " "}), "required", "identifiers.id"),
    (person("identify", {"id": "a\0"}), "invalid", "identifiers.id"),
    (person("identify", {"email": "x" * 151}), "too_large", "identifiers.email"),
    (person("identify", attributes=[]), "invalid", "attributes"),
    (person("identify", attributes={"bio": "v" * 1001}), "too_large", "attributes.bio"),
    (person("identify", attributes={"id": []}), "invalid", "attributes.id"),
    (person("identify", attributes={f"a{n}": 1 for n in range(301)}), "too_large", "attributes"),
    (person("event"), "required", "name"),
    (person("event", name="n" * 101), "too_large", "name"),
    (person("event", name="a", attributes=[]), "invalid", "attributes"),
    (person("event", name="a", id="x" * 151), "too_large", "id"),
    (person("event", name="a", attributes={f"k{n}": "v" * 990 for n in range(40)}), "too_large", ""),
]
# Envelopes that hold nothing usable -> reason and field.
BAD_ENVELOPES = [
    (b"", "invalid", ""),
    (b"{", "invalid", ""),
    (b"[]", "invalid", ""),
    (b"{}", "required", "batch"),
    (b'{"batch": {}}', "required", "batch"),
    (b'{"batch": []}', "required", "batch"),
    (b'{"batch": [%s1]}' % (b"1," * 10_000), "too_large", "batch"),
]


def test_valid_operations_become_one_row_in_their_order(track: TrackClient, inbox: Inbox) -> None:
    response = track.batch(*(item for item, _ in VALID))
    assert (response.status_code, response.content) == (200, b"{}\n")
    for (item, expected), found in zip(VALID, inbox(), strict=True):
        assert found == expected, item


def test_each_refused_operation_is_named_by_its_index_and_the_others_are_applied(
    track: TrackClient, inbox: Inbox
) -> None:
    items = [item for item, _, _ in REFUSED]
    response = track.batch(*items, person("event", name="good"))
    assert response.status_code == 207
    errors = response.json()["errors"]
    assert [(e["batch_index"], e["reason"], e["field"]) for e in errors] == [
        (index, reason, field) for index, (_, reason, field) in enumerate(REFUSED)
    ]
    assert all(e["message"] for e in errors)
    assert inbox() == [Track(FIVE, "good")]


def test_a_batch_of_bad_operations_only_is_207_too(track: TrackClient, inbox: Inbox) -> None:
    response = track.batch({}, {})
    assert response.status_code == 207
    assert [e["batch_index"] for e in response.json()["errors"]] == [0, 1]
    assert inbox() == []


@pytest.mark.parametrize(("content", "reason", "field"), BAD_ENVELOPES)
def test_a_batch_without_anything_usable_is_400_without_index(
    track: TrackClient, content: bytes, reason: str, field: str
) -> None:
    response = track.send("POST", "/api/v2/batch", content=content)
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert (error["reason"], error["field"]) == (reason, field)
    assert set(error) == {"reason", "field", "message"}


def test_people_who_cannot_exist_are_dropped_without_an_error(track: TrackClient, inbox: Inbox) -> None:
    response = track.batch(person("event", {"cio_id": "03000001"}, name="a"), person("event", name="b"))
    assert (response.status_code, response.content) == (200, b"{}\n")
    assert inbox() == [Track(FIVE, "b")]


def test_an_operation_may_have_32_kib_and_not_one_byte_more(track: TrackClient, inbox: Inbox) -> None:
    item = person("event", name="a", attributes={"v": ""})
    room = 32 * 1024 - len(json.dumps(item, separators=(",", ":")))
    fits, too_large = (person("event", name="a", attributes={"v": "x" * n}) for n in (room, room + 1))
    response = track.batch(fits, too_large)
    assert [(e["batch_index"], e["reason"]) for e in response.json()["errors"]] == [(1, "too_large")]
    assert len(inbox()) == 1


def test_a_batch_must_be_smaller_than_500_kib(track: TrackClient, inbox: Inbox) -> None:
    body = json.dumps({"batch": [person("event", name="a")]}).encode()
    assert track.send("POST", "/api/v2/batch", content=body.ljust(500 * 1024 - 1)).status_code == 200
    response = track.send("POST", "/api/v2/batch", content=body.ljust(500 * 1024))
    assert (response.status_code, response.json()["errors"][0]["reason"]) == (413, "too_large")
    assert len(inbox()) == 1
