"""Calls about people beside identify: sections 2.2 to 2.6 and 2.9 of the contract."""

from customers.models import Token
from dialects.customerio_track.dialect import tokens
from rolodesk.json import Json
from tests.contracts.client import TrackClient, basic, request
from tests.contracts.conftest import PERMISSIONS, Inbox
from tracking.intake.operations import (
    CUSTOMER_ID,
    Delete,
    DropDevice,
    Merge,
    Operation,
    PutDevice,
    Ref,
    Suppress,
    Unsuppress,
)

FIVE = Ref("external_id", "5")
HEX = "0190a0b0c0d0712233445566778899aa"
UUID_TEXT = "0190a0b0-c0d0-7122-3344-5566778899aa"
HEADERS = {
    "content-length": "3",
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-cache, no-store, must-revalidate, max-age=0",
    "access-control-allow-origin": "*",
}
DEVICE = {"device": {"id": "a:b/c", "platform": "ios"}}
MERGE = {"primary": {"id": 1}, "secondary": {"email": "a@b.example"}}
# Method, path, body, what it must leave in the inbox, and which permission it wants.
CALLS: list[tuple[str, str, Json, Operation, str]] = [
    ("DELETE", "/api/v1/customers/5", None, Delete(FIVE), "erase"),
    ("PUT", "/api/v1/customers/5/devices", DEVICE, PutDevice(FIVE, "a:b/c", "ios"), "edit"),
    ("DELETE", "/api/v1/customers/5/devices/a%3Ab%2Fc", None, DropDevice(FIVE, "a:b/c"), "edit"),
    ("POST", "/api/v1/customers/5/suppress", None, Suppress(FIVE), "suppress"),
    ("POST", "/api/v1/customers/5/unsuppress", None, Unsuppress(FIVE), "suppress"),
    (
        "POST", "/api/v1/merge_customers", MERGE,
        Merge(Ref("external_id", "1"), Ref("email", "a@b.example")), "merge",
    ),
]  # fmt: skip
PATHS = [call[:2] for call in CALLS if "customers/5" in call[1]]


def test_a_call_answers_like_the_live_service_and_becomes_an_operation(track: TrackClient, inbox: Inbox) -> None:
    for method, path, body, _, _ in CALLS:
        for with_slash in (path, f"{path}/"):
            response = track.send(method, with_slash, body)
            assert (response.status_code, response.content, dict(response.headers)) == (200, b"{}\n", HEADERS), path
    assert inbox() == [operation for _, _, _, operation, _ in CALLS for _ in range(2)]


def test_a_call_needs_credentials(track: TrackClient, inbox: Inbox) -> None:
    for method, path, body, _, _ in CALLS:
        for value in (None, basic(track.site_id, "wrong")):
            response = request(method, path, body=body, headers={} if value is None else {"authorization": value})
            assert (response.status_code, response.json()) == (401, {"meta": {"error": "Unauthorized request"}}), path
            assert response.headers["www-authenticate"].startswith("Basic ")
    assert inbox() == []


def test_a_call_needs_its_own_permission_and_no_other(track: TrackClient, inbox: Inbox) -> None:
    for method, path, body, operation, permission in CALLS:
        others = [name for name in PERMISSIONS if name != permission]
        for scopes, status in (others, 401), ([permission], 200):
            Token.objects.update(scopes=scopes)
            tokens.forget()
            assert track.send(method, path, body).status_code == status, path
        assert inbox()[-1] == operation
    assert len(inbox()) == len(CALLS)


def test_malformed_json_is_refused_in_the_shape_of_the_call(track: TrackClient, inbox: Inbox) -> None:
    for method, path, _, _, _ in CALLS:
        for content in (b"{", b"[]", b"\xff", b'{"a": NaN}'):
            response = track.send(method, path, content=content)
            assert response.status_code == 400, (path, content)
            (key,) = response.json()["meta"]
            assert key == ("errors" if "devices" in path else "error"), (path, content)
    assert inbox() == []


def test_the_shape_of_the_path_decides_who_is_meant(track: TrackClient, inbox: Inbox) -> None:
    for method, path in PATHS:
        for identifier in ("a%40b.example", "a%2Fb", f"cio_{HEX}", "cio_1"):
            body = DEVICE if method == "PUT" else None
            assert track.send(method, path.replace("/5", f"/{identifier}"), body).content == b"{}\n", path
    found = [operation.who for operation in inbox()]  # type: ignore[union-attr]  # those of this table have it
    expected = [Ref("email", "a@b.example"), Ref("external_id", "a/b"), Ref(CUSTOMER_ID, UUID_TEXT)]
    assert found == expected * len(PATHS)


def test_identifiers_in_paths_have_their_limit(track: TrackClient, inbox: Inbox) -> None:
    for method, path in PATHS:
        for identifier, status in (("x" * 150, 200), ("x" * 151, 400), ("%20", 400), ("a%00", 400)):
            body = DEVICE if method == "PUT" else None
            response = track.send(method, path.replace("/5", f"/{identifier}"), body)
            assert response.status_code == status, (path, identifier)
    assert len(inbox()) == len(PATHS)


WRONG_DEVICES: list[tuple[Json, str]] = [
    ({}, "device is required"),
    ({"device": {"platform": "ios"}}, "device id is required"),
    ({"device": {"id": "t"}}, "device platform is required"),
    ({"device": {"id": "t", "platform": "web"}}, "device platform must be ios or android"),
    (
        {"device": {"id": "t", "platform": "ios", "attributes": {"a": "v" * 1001}}},
        "value for attribute 'a' cannot be longer than 1000 bytes",
    ),
]


def test_a_wrong_device_is_refused_with_a_list(track: TrackClient, inbox: Inbox) -> None:
    for body, message in WRONG_DEVICES:
        response = track.send("PUT", "/api/v1/customers/5/devices", body)
        assert (response.status_code, response.json()) == (400, {"meta": {"errors": [message]}})
    assert inbox() == []


def test_a_customer_may_be_called_devices(track: TrackClient) -> None:
    response = track.send("PUT", "/api/v1/customers/devices", {"id": []})
    assert response.json() == {"meta": {"error": "id attribute must be a string value"}}


WRONG_MERGES: list[Json] = [
    {},
    {"primary": {"id": 1}},
    {"primary": {"id": 1, "email": "a@b.example"}, "secondary": {"id": 2}},
    {"primary": {"id": 1}, "secondary": {"phone": "+4930123456"}},
    {"primary": {"id": 1}, "secondary": {"id": "1"}},
]


def test_a_wrong_merge_is_refused_with_one_sentence(track: TrackClient, inbox: Inbox) -> None:
    for body in WRONG_MERGES:
        response = track.send("POST", "/api/v1/merge_customers", body)
        assert response.status_code == 400, body
        assert set(response.json()["meta"]) == {"error"}
    assert inbox() == []


def test_a_merge_in_which_a_key_is_repeated_is_refused(track: TrackClient, inbox: Inbox) -> None:
    content = b'{"primary": {"id": 1}, "secondary": {"id": 2}, "secondary": {"id": 3}}'
    response = track.send("POST", "/api/v1/merge_customers", content=content)
    assert (response.status_code, response.json()) == (400, {"meta": {"error": "a key must not be repeated"}})
    assert inbox() == []
