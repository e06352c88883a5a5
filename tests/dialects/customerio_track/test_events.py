"""Anonymous events as operations, section 2.8 of the contract. Others: tests/contracts/customerio_track."""

import json

import pytest

from dialects.customerio_track import events
from dialects.customerio_track.errors import Invalid
from rolodesk.json import Json
from tracking.intake.operations import Ref, Track


def track(**item: Json) -> Track:
    (found,) = events.v1_anonymous_event(json.dumps({"name": "a"} | item).encode())
    assert isinstance(found, Track)
    return found


def test_an_anonymous_event_is_of_its_anonymous_id() -> None:
    found = track(anonymous_id="v-1", type="page", id="x", timestamp=1, data={"n": 1})
    assert found == Track(Ref("anonymous_id", "v-1"), "a", "page", {"n": 1}, "x", 1_000_000)
    assert track(anonymous_id=5).who == Ref("anonymous_id", "5")


@pytest.mark.parametrize("none", [{}, {"anonymous_id": None}, {"anonymous_id": ""}, {"anonymous_id": " "}])
def test_an_invitation_belongs_to_nobody_and_is_one_of_its_own(none: Json) -> None:
    one, other = track(**none), track(**none)
    assert one.who.kind == "anonymous_id"
    assert one.who.value.startswith("invite:")
    assert one.who != other.who


def test_an_invitation_that_is_sent_again_is_recognised_by_its_id() -> None:
    assert track(id="x").who == track(id="x").who != track(id="y").who
    assert len(track(id="x" * 150).who.value) <= 150


@pytest.mark.parametrize(
    "item", [{"anonymous_id": []}, {"anonymous_id": "x" * 151}, {"anonymous_id": "a\0"}, {"id": {}}, {"name": ""}]
)
def test_an_anonymous_event_that_breaks_a_rule_is_refused(item: Json) -> None:
    with pytest.raises(Invalid):
        track(**item)
