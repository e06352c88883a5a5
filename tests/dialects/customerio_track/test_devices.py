"""Devices as operations, sections 2.3 and 2.4 of the contract."""

import json

import pytest

from dialects.customerio_track import devices
from dialects.customerio_track.errors import Invalid
from rolodesk.json import Json
from tracking.intake.operations import DropDevice, PutDevice, Ref

FIVE = Ref("external_id", "5")
LONG = "x" * 151


def put(**device: Json) -> list[object]:
    """A device in both versions, which must come to the same."""
    first = devices.v1_put("5", json.dumps({"device": {"id": "t", "platform": "ios"} | device}).encode())
    token = device.pop("id", "t")
    item = {"identifiers": {"id": "5"}, "device": {"token": token, "platform": "ios"} | device}
    assert devices.v2_put(item) == first
    return list(first)


def refusal(device: Json) -> tuple[str, str, str]:
    with pytest.raises(Invalid) as caught:
        devices.v1_put("5", json.dumps({"device": device}).encode())
    return caught.value.message, caught.value.reason, caught.value.field


def test_a_device_has_token_platform_time_and_attributes() -> None:
    assert put() == [PutDevice(FIVE, "t", "ios")]
    assert put(platform=" Android ", last_used=1700000000, attributes={"device_os": "15"}) == [
        PutDevice(FIVE, "t", "android", 1_700_000_000_000_000, {"device_os": "15"})
    ]


def test_what_clients_put_beside_the_known_keys_are_attributes_too() -> None:
    assert put(app_version="1", attributes={"device_os": "15", "app_version": "2"}) == [
        PutDevice(FIVE, "t", "ios", None, {"app_version": "2", "device_os": "15"})
    ]


def test_null_and_empty_attributes_are_passed_on_to_remove_and_the_read_only_one_is_not() -> None:
    assert put(attributes={"a": None, "b": "", "_last_status": "sent"}) == [
        PutDevice(FIVE, "t", "ios", None, {"a": None, "b": ""})
    ]


@pytest.mark.parametrize("empty", [None, {}, "", []])
def test_no_attributes_may_be_said_in_any_way(empty: Json) -> None:
    assert put(attributes=empty) == [PutDevice(FIVE, "t", "ios")]


@pytest.mark.parametrize("last_used", [None, "soon", True])
def test_a_time_that_is_none_counts_as_not_said(last_used: Json) -> None:
    assert put(last_used=last_used) == [PutDevice(FIVE, "t", "ios")]


@pytest.mark.parametrize("token", ["a:b/c", "x" * 1000, 5])
def test_tokens_are_long_and_may_hold_anything(token: Json) -> None:
    assert put(id=token) == [PutDevice(FIVE, str(token), "ios")]


@pytest.mark.parametrize(
    ("device", "message", "reason", "field"),
    [
        (None, "device is required", "required", "device"),
        ("t", "device must be a hash", "invalid", "device"),
        ({}, "device id is required", "required", "device.id"),
        ({"id": " ", "platform": "ios"}, "device id is required", "required", "device.id"),
        ({"id": [], "platform": "ios"}, "device id attribute must be a string value", "invalid", "device.id"),
        ({"id": "x" * 1001, "platform": "ios"}, "device id attribute cannot be longer than 1000 bytes", "too_large",
         "device.id"),
        ({"id": "a\0", "platform": "ios"}, "device id attribute contains characters that are not allowed", "invalid",
         "device.id"),
        ({"id": "t"}, "device platform is required", "required", "device.platform"),
        ({"id": "t", "platform": ""}, "device platform is required", "required", "device.platform"),
        ({"id": "t", "platform": "web"}, "device platform must be ios or android", "invalid", "device.platform"),
        ({"id": "t", "platform": []}, "device platform must be ios or android", "invalid", "device.platform"),
        ({"id": "t", "platform": "ios", "attributes": [1]}, "device attributes must be a hash", "invalid",
         "device.attributes"),
        ({"id": "t", "platform": "ios", "attributes": {LONG: 1}}, "attribute name cannot be longer than 150 bytes",
         "too_large", "device.attributes"),
        ({"id": "t", "platform": "ios", "x": "v" * 1001}, "value for attribute 'x' cannot be longer than 1000 bytes",
         "too_large", "device.attributes.x"),
        ({"id": "t", "platform": "ios", "attributes": {f"a{n}": 1 for n in range(300)}, "x": 1},
         "cannot have more than 300 attributes", "too_large", "device.attributes"),
        ({"id": "t", "platform": "ios", "attributes": {f"a{n}": "v" * 990 for n in range(104)}},
         "attributes cannot be larger than 102400 bytes", "too_large", "device.attributes"),
    ],
)  # fmt: skip
def test_a_device_that_breaks_a_rule(device: Json, message: str, reason: str, field: str) -> None:
    assert refusal(device) == (message, reason, field)


def test_300_attributes_and_values_of_1000_bytes_are_accepted() -> None:
    full = {f"a{n}": "v" for n in range(299)} | {"n" * 150: "v" * 1000}
    assert put(attributes=full) == [PutDevice(FIVE, "t", "ios", None, full)]


def test_a_device_is_dropped_by_its_token_in_both_versions() -> None:
    expected = [DropDevice(FIVE, "a:b/c")]
    assert devices.v1_drop("5", "a:b/c", b"") == devices.v1_drop("5", "a:b/c", b"{}") == expected
    assert devices.v2_drop({"identifiers": {"id": "5"}, "device": {"token": "a:b/c"}}) == expected


@pytest.mark.parametrize(
    "item", [{}, {"device": []}, {"device": {}}, {"device": {"token": ""}}, {"device": {"id": "t"}}]
)
def test_version_2_must_say_which_device_to_drop(item: Json) -> None:
    with pytest.raises(Invalid) as caught:
        devices.v2_drop({"identifiers": {"id": "5"}} | item)
    assert caught.value.field in ("device", "device.token")


@pytest.mark.parametrize("token", ["", " ", "x" * 1001, "a\0"])
def test_a_path_must_name_a_device(token: str) -> None:
    with pytest.raises(Invalid):
        devices.v1_drop("5", token, b"")


def test_devices_of_people_who_cannot_exist_are_checked_and_dropped() -> None:
    assert devices.v1_put("cio_1", b'{"device": {"id": "t", "platform": "ios"}}') == []
    assert devices.v1_drop("cio_1", "t", b"") == []
    assert devices.v2_drop({"identifiers": {"cio_id": "1"}, "device": {"token": "t"}}) == []
    with pytest.raises(Invalid):
        devices.v1_put("cio_1", b'{"device": {}}')
