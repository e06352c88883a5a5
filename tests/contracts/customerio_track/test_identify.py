"""``PUT /api/v1/customers/{identifier}``, section 2.1 of the contract."""

import pytest

from rolodesk.database import connect
from rolodesk.json import Json
from tests.contracts.client import TrackClient
from tests.contracts.conftest import Inbox
from tracking.intake.operations import CUSTOMER_ID, EVERYTHING, Identify, Link, ObjectRef, Ref, Relate

HEX = "0190a0b0c0d0712233445566778899aa"
UUID_TEXT = "0190a0b0-c0d0-7122-3344-5566778899aa"
FIVE = Ref("external_id", "5")
# What a PUT to customers/5 with this body must leave in the inbox.
BODIES: list[tuple[Json, Identify]] = [
    ({}, Identify(FIVE)),
    (
        {"email": "Anna@Fjord.example", "created_at": 1700000000, "first_name": "Anna"},
        Identify(FIVE, {"email": "Anna@Fjord.example"}, {"created_at": 1700000000, "first_name": "Anna"}),
    ),
    ({"id": 7, "email": "", "anonymous_id": None}, Identify(FIVE, {"external_id": "7"})),
    ({"id": "5"}, Identify(FIVE)),
    ({"id": 2**70}, Identify(FIVE, {"external_id": str(2**70)})),
    ({"anonymous_id": "anon-1"}, Identify(FIVE, {"anonymous_id": "anon-1"})),
    ({"_timestamp": 1700000000, "plan": "gold"}, Identify(FIVE, {}, {"plan": "gold"}, 1_700_000_000_000_000)),
    ({"_timestamp": "soon"}, Identify(FIVE)),
    ({"_update": True, "plan": "x"}, Identify(FIVE, {}, {"plan": "x"}, may_create=False)),
    ({"_update": "TRUE"}, Identify(FIVE, may_create=False)),
    ({"_update": False}, Identify(FIVE)),
    ({"plan": None, "city": ""}, Identify(FIVE, {}, {"plan": None, "city": ""})),
    ({"tags": ["a", {"b": 1}], "vip": True}, Identify(FIVE, {}, {"tags": ["a", {"b": 1}], "vip": True})),
    ({"cio_relationships": None, "cio_id": "03000001"}, Identify(FIVE)),
    ({"unsubscribed": "True", "plan": "x"}, Identify(FIVE, {}, {"plan": "x"}, consent={EVERYTHING: False})),
    ({"unsubscribed": None}, Identify(FIVE, consent={EVERYTHING: True})),
    (
        {"cio_subscription_preferences": {"topics": {"topic_1": True, "topic_2": False, "x": True}}},
        Identify(FIVE, consent={1: True, 2: False}, is_all_consent=True),
    ),
    ({"cio_subscription_preferences": '{"topics": {}}'}, Identify(FIVE, is_all_consent=True)),
    ({"cio_subscription_preferences": "x"}, Identify(FIVE)),
    (
        {"cio_subscription_preferences": {}, "cio_subscription_preferences.topics.topic_1": True},
        Identify(FIVE, consent={1: True}),
    ),
    ({"cio_subscription_preferences.channels.email": True}, Identify(FIVE)),
    # Names are brought to one form before anybody classifies them.
    ({" ne\u0301 ": 1}, Identify(FIVE, {}, {"n\u00e9": 1})),
    ({"note": "a\0b", "n\0": 1}, Identify(FIVE, {}, {"note": "a\ufffdb", "n\ufffd": 1})),
    ({"big": 2**64, "small": 2**63 - 1}, Identify(FIVE, {}, {"big": str(2**64), "small": 2**63 - 1})),
    ({"email": " a@b.example "}, Identify(FIVE, {"email": "a@b.example"})),
    ({"n" * 150: "v" * 1000}, Identify(FIVE, {}, {"n" * 150: "v" * 1000})),
    ({f"a{n}": n for n in range(300)}, Identify(FIVE, {}, {f"a{n}": n for n in range(300)})),
]
PATHS = [
    ("5", FIVE),
    ("anna%40fjord.example", Ref("email", "anna@fjord.example")),
    ("anna+tag@fjord.example", Ref("email", "anna+tag@fjord.example")),
    ("me%40home", Ref("external_id", "me@home")),
    ("a%2Fb%2Fc", Ref("external_id", "a/b/c")),
    ("a%20b%2Bc", Ref("external_id", "a b+c")),
    ("%2B4930123456", Ref("external_id", "+4930123456")),
    ("%C3%BC%F0%9F%98%80", Ref("external_id", "\u00fc\U0001f600")),
    ("100%25", Ref("external_id", "100%")),
    (f"cio_{HEX}", Ref(CUSTOMER_ID, UUID_TEXT)),
    (f"cio_{HEX.upper()}", Ref(CUSTOMER_ID, UUID_TEXT)),
    ("5/", FIVE),
]
LONG = "x" * 151
# Body (or raw bytes) -> the vendor's sentence.
REFUSED: list[tuple[Json, str]] = [
    ({"id": ["5"]}, "id attribute must be a string value"),
    ({"id": True}, "id attribute must be a string value"),
    ({"id": 1.5}, "id attribute must be a string value"),
    ({"email": {"a": 1}}, "email attribute must be a string value"),
    ({"id": LONG}, "id attribute cannot be longer than 150 bytes"),
    ({"email": "\u00fc" * 76}, "email attribute cannot be longer than 150 bytes"),
    ({"id": "a\0b"}, "id attribute contains characters that are not allowed"),
    (b'{"anonymous_id": "a\\ud800"}', "anonymous_id attribute contains characters that are not allowed"),
    ({f"a{n}": n for n in range(301)}, "cannot identify more than 300 attributes in one request"),
    ({LONG: 1}, "attribute name cannot be longer than 150 bytes"),
    ({"\u00e9" * 76: 1}, "attribute name cannot be longer than 150 bytes"),
    ({" ": 1}, "attribute name cannot be empty"),
    ({"bio": "v" * 1001}, "value for attribute 'bio' cannot be longer than 1000 bytes"),
    ({"bio": "\u20ac" * 334}, "value for attribute 'bio' cannot be longer than 1000 bytes"),
    ({"bio": {"a": "v" * 1000}}, "value for attribute 'bio' cannot be longer than 1000 bytes"),
    ({"bio": ["v" * 1000]}, "value for attribute 'bio' cannot be longer than 1000 bytes"),
    (b'{"bio": 1.%s}' % (b"1" * 1000), "value for attribute 'bio' cannot be longer than 1000 bytes"),
    ({"cio_relationships": []}, "cio_relationships must be a hash"),
    ({"cio_relationships": {}}, "cio_relationships action must be add_relationships or delete_relationships"),
    ({"cio_relationships": {"action": "add_relationships"}}, "relationships must be an array"),
    ([], "request body must be a JSON object"),
    (b'"text"', "request body must be a JSON object"),
]
BAD_PATHS = [
    ("%20", "id attribute cannot be an empty string"),
    ("x" * 151, "id attribute cannot be longer than 150 bytes"),
    ("a%00b", "id attribute contains characters that are not allowed"),
    ("%FF", "id attribute contains characters that are not allowed"),
    ("%ED%A0%80", "id attribute contains characters that are not allowed"),
]


def test_success_is_200_with_three_bytes_and_the_headers_of_the_live_service(track: TrackClient) -> None:
    response = track.identify("5", {"plan": "gold"})
    assert (response.status_code, response.content) == (200, b"{}\n")
    assert dict(response.headers) == {
        "content-length": "3",
        "content-type": "application/json; charset=utf-8",
        "cache-control": "no-cache, no-store, must-revalidate, max-age=0",
        "access-control-allow-origin": "*",
    }


def test_bodies_become_operations(track: TrackClient, inbox: Inbox) -> None:
    for body, _ in BODIES:
        assert track.identify("5", body).content == b"{}\n", body
    for (body, expected), found in zip(BODIES, inbox(), strict=True):
        assert found == expected, body


def test_the_shape_of_the_path_decides_who_is_meant(track: TrackClient, inbox: Inbox) -> None:
    for path, _ in PATHS:
        assert track.identify(path, {"a": 1}).content == b"{}\n", path
    assert inbox() == [Identify(who, {}, {"a": 1}) for _, who in PATHS]


@pytest.mark.parametrize("path", ["cio_", "cio_03000001", f"cio_{HEX}0", f"cio_{HEX[:31]}_", "cio_g" + HEX[1:]])
def test_a_customer_id_that_cannot_exist_is_accepted_and_dropped(track: TrackClient, inbox: Inbox, path: str) -> None:
    assert track.identify(path, {"plan": "gold"}).content == b"{}\n"
    assert inbox() == []


def test_what_breaks_a_rule_is_refused_with_the_documented_sentence(track: TrackClient, inbox: Inbox) -> None:
    for body, message in REFUSED:
        content = body if isinstance(body, bytes) else None
        response = track.send("PUT", "/api/v1/customers/5", body, content=content)
        assert (response.status_code, response.json()) == (400, {"meta": {"error": message}}), message
    for path, message in BAD_PATHS:
        response = track.identify(path, {})
        assert (response.status_code, response.json()) == (400, {"meta": {"error": message}}), path
    assert inbox() == []


def test_the_answer_is_the_same_for_a_person_who_cannot_exist(track: TrackClient) -> None:
    bad = {"id": ["5"]}
    assert track.identify("cio_none", bad).content == track.identify("5", bad).content


def test_relationships_come_after_the_person_in_the_same_row(track: TrackClient, inbox: Inbox) -> None:
    links = [
        {
            "identifiers": {"object_type_id": 1, "object_id": "acme"},
            "relationship_attributes": {"role": "owner", "old": None},
        },
        {"identifiers": {"cio_object_id": HEX}},
    ]
    for action in ("add_relationships", "delete_relationships"):
        body = {"plan": "gold", "cio_relationships": {"action": action, "relationships": links}}
        assert track.identify("5", body).content == b"{}\n"
    related = [Link(ObjectRef(1, "acme"), {"role": "owner", "old": None}), Link(ObjectRef(0, UUID_TEXT))]
    assert inbox() == [
        Identify(FIVE, {}, {"plan": "gold"}),
        Relate(FIVE, related, may_create=False),
        Identify(FIVE, {}, {"plan": "gold"}),
        Relate(FIVE, related, is_removal=True, may_create=False),
    ]
    with connect(application="test") as connection:
        assert connection.execute("SELECT n, is_serial FROM inbox").fetchall() == [(2, True)] * 2


def test_a_full_person_fits_into_a_body(track: TrackClient, inbox: Inbox) -> None:
    full = {f"a{n:03}".ljust(150, "x"): "v" * 1000 for n in range(300)}
    assert track.identify("5", full).content == b"{}\n"
    assert inbox() == [Identify(FIVE, {}, full)]
