"""``POST /api/v1/events``, section 2.8 of the contract."""

from rolodesk.json import Json
from tests.contracts.client import TrackClient
from tests.contracts.conftest import Inbox
from tracking.intake.operations import Ref, Track

PATH = "/api/v1/events"
VISITOR = Ref("anonymous_id", "v-1")
BODIES: list[tuple[Json, Track]] = [
    ({"name": "a", "anonymous_id": "v-1"}, Track(VISITOR, "a")),
    ({"name": "Cart", "type": "screen", "anonymous_id": "v-1"}, Track(VISITOR, "Cart", "screen")),
    (
        {"name": "a", "anonymous_id": "v-1", "id": "x", "timestamp": 1, "data": {"n": 1}},
        Track(VISITOR, "a", properties={"n": 1}, id="x", at=1_000_000),
    ),
]
REFUSED: list[tuple[Json, str]] = [
    ({"anonymous_id": "v-1"}, "event name must not be blank"),
    ({"name": "a", "anonymous_id": "x" * 151}, "anonymous_id attribute cannot be longer than 150 bytes"),
    ({"name": "a", "anonymous_id": {}}, "anonymous_id attribute must be a string value"),
    ({"name": "a", "data": []}, "event data must be a hash"),
    ({"name": "a", "data": {"v": "x" * 100_000}}, "event data cannot be longer than 100000 bytes"),
    (["a"], "request body must be a JSON object"),
]


def test_events_are_of_the_anonymous_id_they_name(track: TrackClient, inbox: Inbox) -> None:
    for body, _ in BODIES:
        response = track.send("POST", PATH, body)
        assert (response.status_code, response.content) == (200, b"{}\n"), body
    assert inbox() == [operation for _, operation in BODIES]


def test_an_invitation_has_somebody_of_its_own_and_a_retry_the_same(track: TrackClient, inbox: Inbox) -> None:
    invitation = {"name": "invite", "data": {"recipient": "a@b.example"}}
    for body in (invitation, invitation, invitation | {"id": "x"}, invitation | {"id": "x"}):
        assert track.send("POST", f"{PATH}/", body).content == b"{}\n"
    found = inbox()
    names = [operation.who.value for operation in found if isinstance(operation, Track)]
    assert len(names) == 4
    assert len(set(names)) == 3
    assert names[2] == names[3]
    assert found[3] == Track(Ref("anonymous_id", names[2]), "invite", "event", {"recipient": "a@b.example"}, "x")


def test_what_breaks_a_rule_is_refused_with_the_documented_sentence(track: TrackClient, inbox: Inbox) -> None:
    for body, message in REFUSED:
        response = track.send("POST", PATH, body)
        assert (response.status_code, response.json()) == (400, {"meta": {"error": message}}), message
    assert inbox() == []
