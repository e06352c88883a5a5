"""``POST /api/v1/customers/{identifier}/events``, section 2.7 of the contract."""

from datetime import UTC, datetime

import pytest

from rolodesk.database import connect
from rolodesk.json import Json
from tests.contracts.client import TrackClient
from tests.contracts.conftest import Inbox
from tracking.intake.operations import Identify, Ref, Track

FIVE = Ref("external_id", "5")
ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
URL = "https://shop.example/" + "x" * 400
SECOND = 1_700_000_000_000_000
BODIES: list[tuple[Json, Track]] = [
    ({"name": "purchase"}, Track(FIVE, "purchase")),
    (
        {"name": " purchase ", "id": ULID, "timestamp": 1700000000, "data": {"sku": "a", "n": 2}},
        Track(FIVE, "purchase", properties={"sku": "a", "n": 2}, id=ULID, at=SECOND),
    ),
    ({"name": "a", "type": "event"}, Track(FIVE, "a")),
    ({"name": "a", "type": "click"}, Track(FIVE, "a")),
    ({"name": "a", "type": ["page"]}, Track(FIVE, "a")),
    ({"name": URL, "type": "page"}, Track(FIVE, URL, "page")),
    ({"name": "Cart", "type": "screen"}, Track(FIVE, "Cart", "screen")),
    ({"name": "a", "timestamp": 1700000000000}, Track(FIVE, "a", at=SECOND)),
    ({"name": "a", "timestamp": "1700000000"}, Track(FIVE, "a", at=SECOND)),
    ({"name": "a", "timestamp": 1700000000.5}, Track(FIVE, "a", at=SECOND + 500_000)),
    ({"name": "a", "timestamp": "yesterday"}, Track(FIVE, "a")),
    ({"name": "a", "timestamp": True}, Track(FIVE, "a")),
    ({"name": "a", "timestamp": None}, Track(FIVE, "a")),
    ({"name": "a", "timestamp": 10**30}, Track(FIVE, "a", at=2**63 - 1)),
    ({"name": "a", "id": 42}, Track(FIVE, "a", id="42")),
    ({"name": "a", "id": ""}, Track(FIVE, "a")),
    ({"name": "a", "id": "x" * 150}, Track(FIVE, "a", id="x" * 150)),
    ({"name": "a", "data": None}, Track(FIVE, "a")),
    ({"name": "a", "anonymous_id": "anon"}, Track(FIVE, "a")),
    ({"name": "a", "data": {"recipient": "r@x.example"}}, Track(FIVE, "a", properties={"recipient": "r@x.example"})),
    ({"name": "a", "data": {" ne\u0301": "\0"}}, Track(FIVE, "a", properties={"n\u00e9": "\ufffd"})),
    ({"name": "a", "data": {"deep": {"n": 2**70}}}, Track(FIVE, "a", properties={"deep": {"n": str(2**70)}})),
    ({"name": "n" * 100}, Track(FIVE, "n" * 100)),
]
REFUSED: list[tuple[Json, str]] = [
    ({}, "event name must not be blank"),
    ({"name": None}, "event name must not be blank"),
    ({"name": " "}, "event name must not be blank"),
    ({"name": 5}, "event name must be a string value"),
    ({"name": "n" * 101}, "event name cannot be longer than 100 bytes"),
    ({"name": "\u00fc" * 51}, "event name cannot be longer than 100 bytes"),
    ({"name": "n" * 101, "type": "screen"}, "event name cannot be longer than 100 bytes"),
    ({"name": "n" * 500, "type": "page"}, "event name must be less than 500 characters"),
    ({"name": "a", "data": []}, "event data must be a hash"),
    ({"name": "a", "data": "text"}, "event data must be a hash"),
    ({"name": "a", "data": {"v": "x" * 100_000}}, "event data cannot be longer than 100000 bytes"),
    ({"name": "a", "id": "x" * 151}, "event id attribute cannot be longer than 150 bytes"),
    ({"name": "a", "id": {}}, "event id attribute must be a string value"),
    ({"name": "a", "id": "a\0"}, "event id attribute contains characters that are not allowed"),
    (["a"], "request body must be a JSON object"),
]


def test_bodies_become_operations(track: TrackClient, inbox: Inbox) -> None:
    for body, _ in BODIES:
        assert track.event("5", body).content == b"{}\n", body
    for (body, expected), found in zip(BODIES, inbox(), strict=True):
        assert found == expected, body


def test_what_breaks_a_rule_is_refused_with_the_documented_sentence(track: TrackClient, inbox: Inbox) -> None:
    for body, message in REFUSED:
        response = track.event("5", body)
        assert (response.status_code, response.json()) == (400, {"meta": {"error": message}}), message
    assert inbox() == []


def test_data_of_exactly_the_limit_is_accepted(track: TrackClient, inbox: Inbox) -> None:
    overhead = len(b'{"v":""}')
    assert track.event("5", {"name": "a", "data": {"v": "x" * (100_000 - overhead)}}).status_code == 200
    assert len(inbox()) == 1


def test_a_fraction_keeps_its_digits(track: TrackClient) -> None:
    digits = b"0.1234567890123456789012345678901"
    body = b'{"name": "a", "data": {"n": %s}}' % digits
    assert track.send("POST", "/api/v1/customers/5/events", content=body).status_code == 200
    with connect(application="test") as connection:
        row = connection.execute("SELECT raw_body FROM inbox").fetchone()
    assert row is not None
    assert digits.decode() in row[0]


@pytest.mark.parametrize("path", ["a%2Fb", "cio_0190a0b0c0d0712233445566778899aa", "a%40b.example"])
def test_an_event_names_people_as_identify_does(track: TrackClient, inbox: Inbox, path: str) -> None:
    track.identify(path, {})
    track.event(path, {"name": "a"})
    identified, tracked = inbox()
    assert isinstance(identified, Identify)
    assert isinstance(tracked, Track)
    assert identified.who == tracked.who


def test_a_row_says_whose_it_is_where_it_came_from_and_when(track: TrackClient) -> None:
    before = datetime.now(UTC)
    track.event("5", {"name": "a"})
    with connect(application="test") as connection:
        row = connection.execute("SELECT workspace_id, route, n, received_at FROM inbox").fetchone()
    assert row is not None
    assert row[:3] == (track.workspace_id, "track", 1)
    assert before <= row[3] <= datetime.now(UTC)
