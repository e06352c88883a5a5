"""``POST /api/v2/entity`` and the same operations in a batch, sections 2.16 and 2.17 of the contract."""

import json

from customers.models import Token
from dialects.customerio_track.dialect import tokens
from dialects.customerio_track.entity import ACTIONS
from rolodesk.json import Json
from tests.contracts.client import TrackClient, request
from tests.contracts.conftest import Inbox
from tracking.intake.operations import (
    EVERYTHING,
    Delete,
    DropDevice,
    DropObject,
    Identify,
    Link,
    Merge,
    ObjectRef,
    Operation,
    PersonLink,
    PutDevice,
    PutObject,
    Ref,
    Relate,
    RelatePeople,
    ReportDelivery,
    Suppress,
    Track,
    Unsuppress,
)

FIVE = Ref("external_id", "5")
ACME = ObjectRef(1, "acme")
OF_ACME = {"identifiers": {"object_type_id": "1", "object_id": "acme"}}
OF_FIVE = {"identifiers": {"id": "5"}}
PREFERENCES = "cio_subscription_preferences"


def person(action: str, **more: Json) -> dict[str, Json]:
    return {"type": "person", "action": action, **OF_FIVE, **more}


def thing(action: str, **more: Json) -> dict[str, Json]:
    return {"type": "object", "action": action, **OF_ACME, **more}


ITEMS: list[tuple[Json, list[Operation]]] = [
    (
        person("identify", attributes={"plan": "x", "unsubscribed": 1, f"{PREFERENCES}.topics.topic_3": True}),
        [Identify(FIVE, {}, {"plan": "x"}, consent={EVERYTHING: False, 3: True})],
    ),
    (person("identify", cio_relationships=[OF_ACME]), [Identify(FIVE), Relate(FIVE, [Link(ACME)], may_create=False)]),
    (person("delete"), [Delete(FIVE)]),
    (person("event", name="a", attributes={"n": 1}), [Track(FIVE, "a", properties={"n": 1})]),
    (person("page", name="/a"), [Track(FIVE, "/a", "page")]),
    (person("screen", name="Cart"), [Track(FIVE, "Cart", "screen")]),
    (
        person("add_relationships", cio_relationships=[{**OF_ACME, "relationship_attributes": {"role": ""}}]),
        [Relate(FIVE, [Link(ACME, {"role": ""})])],
    ),
    (person("delete_relationships", cio_relationships=[OF_ACME]), [Relate(FIVE, [Link(ACME)], is_removal=True)]),
    (
        person("add_device", device={"token": "t", "platform": "ios", "last_used": 1, "attributes": {"a": "1"}}),
        [PutDevice(FIVE, "t", "ios", 1_000_000, {"a": "1"})],
    ),
    (person("delete_device", device={"token": "t"}), [DropDevice(FIVE, "t")]),
    (
        {"type": "person", "action": "merge", "primary": {"id": "5"}, "secondary": {"email": "a@b.example"}},
        [Merge(FIVE, Ref("email", "a@b.example"))],
    ),
    (person("suppress"), [Suppress(FIVE)]),
    (person("unsuppress"), [Unsuppress(FIVE)]),
    (
        thing("identify", attributes={"name": "Acme", "old": None}, cio_relationships=[OF_FIVE]),
        [PutObject(ACME, {"name": "Acme", "old": None}, [PersonLink(FIVE)])],
    ),
    (
        thing("identify_anonymous", cio_relationships=[{"identifiers": {"anonymous_id": "v-1"}}]),
        [PutObject(ACME, people=[PersonLink(Ref("anonymous_id", "v-1"))])],
    ),
    (thing("delete"), [DropObject(ACME)]),
    (thing("add_relationships", cio_relationships=[OF_FIVE]), [RelatePeople(ACME, [PersonLink(FIVE)])]),
    (thing("delete_relationships", cio_relationships=[OF_FIVE]), [RelatePeople(ACME, [PersonLink(FIVE)], True)]),
    (
        {
            "type": "delivery",
            "action": "event",
            "identifiers": {"id": "dLv=="},
            "name": "opened",
            "timestamp": 1,
            "attributes": {"device_token": "t"},
        },
        [ReportDelivery("dLv==", "opened", None, "push", {"recipient": "t"}, 1_000_000)],
    ),
]


def test_the_table_has_every_action() -> None:
    named = {(item["type"], item["action"]) for item, _ in ITEMS}
    assert named == {(kind, action) for kind, actions in ACTIONS.items() for action in actions}


def test_every_action_is_taken_alone(track: TrackClient, inbox: Inbox) -> None:
    for item, _ in ITEMS:
        response = track.entity(item)
        assert (response.status_code, response.content) == (200, b"{}\n"), item
    assert inbox() == [operation for _, operations in ITEMS for operation in operations]


def test_every_action_is_taken_in_a_batch_in_its_order(track: TrackClient, inbox: Inbox) -> None:
    response = track.batch(*(item for item, _ in ITEMS))
    assert (response.status_code, response.content) == (200, b"{}\n")
    assert inbox() == [operation for _, operations in ITEMS for operation in operations]


REFUSED: list[tuple[Json, str, str]] = [
    ({}, "required", "type"),
    ({"type": "planet", "action": "identify"}, "invalid", "type"),
    ({"type": "person"}, "required", "action"),
    ({"type": "object", "action": "event", **OF_ACME, "name": "a"}, "invalid", "action"),
    (person("identify", identifiers={"id": "5", "email": "a@b.example"}), "invalid", "identifiers"),
    (person("identify", identifiers={"id": "x" * 151}), "too_large", "identifiers.id"),
    (person("identify", cio_relationships=[{}]), "required", "cio_relationships.0.identifiers"),
    (person("add_relationships"), "required", "cio_relationships"),
    (person("add_device"), "required", "device"),
    (person("add_device", device={"token": "t"}), "required", "device.platform"),
    (person("delete_device", device={}), "required", "device.token"),
    ({"type": "person", "action": "merge"}, "required", "primary"),
    ({"type": "person", "action": "merge", "primary": {"id": 1}, "secondary": {"id": 1}}, "invalid", "secondary"),
    ({"type": "object", "action": "identify"}, "required", "identifiers"),
    (thing("identify", identifiers={"object_id": "a"}), "required", "identifiers.object_type_id"),
    (thing("identify", attributes={"a": "v" * 1001}), "too_large", "attributes.a"),
    (thing("add_relationships", cio_relationships=[]), "required", "cio_relationships"),
    ({"type": "delivery", "action": "event", "identifiers": {"id": "d"}}, "required", "name"),
    ({"type": "delivery", "action": "event", "identifiers": {"id": "d"}, "name": "opened"}, "required", "attributes"),
]


def test_what_breaks_a_rule_is_named_alone_and_in_a_batch(track: TrackClient, inbox: Inbox) -> None:
    for item, reason, field in REFUSED:
        response = track.entity(item)
        assert response.status_code == 400, item
        (error,) = response.json()["errors"]
        assert set(error) == {"reason", "field", "message"}
        assert (error["reason"], error["field"]) == (reason, field), item
    response = track.batch(*(item for item, _, _ in REFUSED))
    assert response.status_code == 207
    assert [(e["batch_index"], e["reason"], e["field"]) for e in response.json()["errors"]] == [
        (index, reason, field) for index, (_, reason, field) in enumerate(REFUSED)
    ]
    assert inbox() == []


def test_an_entity_must_be_smaller_than_32_kib(track: TrackClient, inbox: Inbox) -> None:
    body = json.dumps(person("event", name="a")).encode()
    assert track.send("POST", "/api/v2/entity/", content=body.ljust(32 * 1024 - 1)).status_code == 200
    response = track.send("POST", "/api/v2/entity", content=body.ljust(32 * 1024))
    assert (response.status_code, response.json()["errors"][0]["reason"]) == (413, "too_large")
    assert len(inbox()) == 1


def test_an_entity_must_be_one_object(track: TrackClient, inbox: Inbox) -> None:
    for content in (b"", b"{", b"[]", b"[{}]", b'"x"', b"\xff"):
        response = track.send("POST", "/api/v2/entity", content=content)
        assert response.status_code == 400, content
        assert response.json()["errors"][0]["reason"] == "invalid"
    assert inbox() == []


def test_an_entity_needs_credentials(inbox: Inbox) -> None:
    response = request("POST", "/api/v2/entity", body=person("identify"))
    assert (response.status_code, response.json()) == (401, {"meta": {"error": "Unauthorized request"}})
    assert response.headers["www-authenticate"].startswith("Basic ")
    assert inbox() == []


def test_actions_beyond_editing_need_their_permission(track: TrackClient, inbox: Inbox) -> None:
    Token.objects.update(scopes=["edit"])
    tokens.forget()
    guarded = [item for item, _ in ITEMS if item["type"] == "person"
               and item["action"] in ("delete", "merge", "suppress", "unsuppress")]  # fmt: skip
    assert len(guarded) == 4
    for item in guarded:
        response = track.entity(item)
        assert (response.status_code, response.json()) == (401, {"meta": {"error": "Unauthorized request"}}), item
    response = track.batch(*guarded, person("identify"))
    assert [(e["batch_index"], e["reason"], e["field"]) for e in response.json()["errors"]] == [
        (index, "unsupported", "action") for index in range(4)
    ]
    assert inbox() == [Identify(FIVE)]


def test_suppressing_with_a_repeated_key_is_refused(track: TrackClient, inbox: Inbox) -> None:
    item = b'{"type": "person", "action": "suppress", "identifiers": {"id": "5", "id": "6"}}'
    response = track.send("POST", "/api/v2/entity", content=item)
    assert (response.status_code, response.json()["errors"][0]["message"]) == (400, "a key must not be repeated")
    response = track.send("POST", "/api/v2/batch", content=b'{"batch": [%s]}' % item)
    assert (response.status_code, response.json()["errors"][0]["batch_index"]) == (207, 0)
    assert inbox() == []
