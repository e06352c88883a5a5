"""Choosing and allowing operations of version 2, sections 2.16 and 2.17 of the contract."""

import json

import pytest

from dialects.customerio_track import entity
from dialects.customerio_track.errors import Invalid
from rolodesk.errors import NotAllowed
from rolodesk.json import Json
from tracking.intake.operations import Delete, Identify, Merge, Ref, Suppress, Unsuppress

FIVE = Ref("external_id", "5")
PERSON = {"type": "person", "identifiers": {"id": "5"}}
# Each action that wants more than the route does.
GUARDED = [
    (PERSON | {"action": "delete"}, "erase", Delete(FIVE)),
    (PERSON | {"action": "suppress"}, "suppress", Suppress(FIVE)),
    (PERSON | {"action": "unsuppress"}, "suppress", Unsuppress(FIVE)),
    (
        {"type": "person", "action": "merge", "primary": {"id": "5"}, "secondary": {"id": "6"}},
        "merge",
        Merge(FIVE, Ref("external_id", "6")),
    ),
]


def body_of(*items: Json) -> bytes:
    return json.dumps({"batch": list(items)}).encode()


@pytest.mark.parametrize(("item", "permission", "operation"), GUARDED)
def test_an_action_that_does_more_than_edit_has_a_permission_of_its_own(item, permission, operation) -> None:
    body = json.dumps(item).encode()
    assert entity.v2_entity(body, lambda wanted: wanted in ("edit", permission)) == [operation]
    with pytest.raises(NotAllowed):
        entity.v2_entity(body, lambda wanted: wanted != permission)


def test_items_of_a_batch_that_are_not_allowed_are_named_and_the_others_are_taken() -> None:
    items = [item for item, _, _ in GUARDED]
    batch = entity.v2_batch(body_of(*items, PERSON | {"action": "identify"}), lambda wanted: wanted == "edit")
    assert batch.operations == [Identify(FIVE)]
    assert [(e["batch_index"], e["reason"], e["field"]) for e in batch.errors] == [
        (index, "unsupported", "action") for index in range(len(GUARDED))
    ]


def test_every_documented_action_is_served_and_no_other() -> None:
    assert {kind: set(actions) for kind, actions in entity.ACTIONS.items()} == {
        "person": {
            *("identify", "delete", "event", "page", "screen", "merge", "suppress", "unsuppress"),
            *("add_relationships", "delete_relationships", "add_device", "delete_device"),
        },
        "object": {"identify", "identify_anonymous", "delete", "add_relationships", "delete_relationships"},
        "delivery": {"event"},
    }


REPEATED = b'{"type": "person", "action": "suppress", "identifiers": {"id": "5", "id": "6"}}'
HARMLESS = b'{"type": "person", "action": "identify", "identifiers": {"id": "5", "id": "6"}}'


def test_a_repeated_key_is_refused_where_it_decides_who_is_lost() -> None:
    with pytest.raises(Invalid, match="invalid_field"):
        entity.v2_entity(REPEATED, lambda _: True)
    assert entity.v2_entity(HARMLESS, lambda _: True) == [Identify(Ref("external_id", "6"))]


def test_a_repeated_key_in_a_batch_costs_its_own_item_only() -> None:
    good = json.dumps(PERSON | {"action": "suppress"}).encode()
    body = b'{"batch": [%s, %s, %s]}' % (HARMLESS, REPEATED, good)
    batch = entity.v2_batch(body, lambda _: True)
    assert batch.operations == [Identify(Ref("external_id", "6")), Suppress(FIVE)]
    assert [(error["batch_index"], error["message"]) for error in batch.errors] == [(1, "a key must not be repeated")]


def test_of_two_batches_in_one_body_the_last_is_judged_too() -> None:
    good = json.dumps(PERSON | {"action": "suppress"}).encode()
    batch = entity.v2_batch(b'{"batch": [%s], "batch": [%s]}' % (REPEATED, good), lambda _: True)
    assert (batch.operations, batch.errors) == ([Suppress(FIVE)], [])
