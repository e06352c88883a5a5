"""People as operations, sections 2.1, 2.2, 2.5, 2.6 and 2.9 of the contract."""

import json

import pytest

from dialects.customerio_track import people
from dialects.customerio_track.errors import Invalid
from rolodesk.json import Json
from tracking.intake.operations import (
    CUSTOMER_ID,
    EVERYTHING,
    Delete,
    Identify,
    Link,
    Merge,
    ObjectRef,
    Ref,
    Relate,
    Suppress,
    Unsuppress,
)

FIVE = Ref("external_id", "5")
HEX = "0190a0b0c0d0712233445566778899aa"
OWN = Ref(CUSTOMER_ID, "0190a0b0-c0d0-7122-3344-5566778899aa")
ACME = {"identifiers": {"object_type_id": "1", "object_id": "acme"}}


def identify(body: Json, path: str = "5") -> list[object]:
    return list(people.v1_identify(path, json.dumps(body).encode()))


def test_an_identifier_that_repeats_the_path_is_not_said_twice() -> None:
    found = identify({"email": "a@b.example", "id": 5}, "a@b.example")
    assert found == [Identify(Ref("email", "a@b.example"), {"external_id": "5"})]


def test_consent_is_said_beside_properties_and_is_none_itself() -> None:
    body = {"unsubscribed": "True", "cio_subscription_preferences": {"topics": {"topic_1": False}}, "plan": "gold"}
    assert identify(body) == [
        Identify(FIVE, {}, {"plan": "gold"}, consent={EVERYTHING: False, 1: False}, is_all_consent=True)
    ]


def test_relationships_are_an_operation_of_their_own_that_makes_nobody() -> None:
    relationships = {"action": "add_relationships", "relationships": [ACME | {"relationship_attributes": {"r": 1}}]}
    assert identify({"plan": "gold", "cio_relationships": relationships}) == [
        Identify(FIVE, {}, {"plan": "gold"}),
        Relate(FIVE, [Link(ObjectRef(1, "acme"), {"r": 1})], may_create=False),
    ]


def test_version_1_takes_relationships_away_too() -> None:
    relationships = {"action": "delete_relationships", "relationships": [ACME]}
    assert identify({"cio_relationships": relationships})[1:] == [
        Relate(FIVE, [Link(ObjectRef(1, "acme"))], is_removal=True, may_create=False)
    ]


@pytest.mark.parametrize("none", [None, {"action": "add_relationships", "relationships": []}])
def test_no_relationships_are_no_operation(none: Json) -> None:
    assert identify({"cio_relationships": none}) == [Identify(FIVE)]


@pytest.mark.parametrize(
    ("relationships", "field"),
    [
        ([], "cio_relationships"),
        ("x", "cio_relationships"),
        ({}, "cio_relationships.action"),
        ({"action": "add"}, "cio_relationships.action"),
        ({"action": []}, "cio_relationships.action"),
        ({"action": "add_relationships"}, "cio_relationships.relationships"),
        ({"action": "add_relationships", "relationships": {}}, "cio_relationships.relationships"),
        ({"action": "add_relationships", "relationships": [1]}, "cio_relationships.relationships.0"),
        ({"action": "add_relationships", "relationships": [ACME, {}]}, "cio_relationships.relationships.1.identifiers"),
    ],
)
def test_relationships_of_another_form_are_refused(relationships: Json, field: str) -> None:
    for path in ("5", "cio_1"):
        with pytest.raises(Invalid) as caught:
            identify({"cio_relationships": relationships}, path)
        assert caught.value.field == field


def test_version_2_has_a_bare_list_of_relationships_beside_its_attributes() -> None:
    item = {"identifiers": {"id": "5"}, "attributes": {"plan": "gold"}, "cio_relationships": [ACME]}
    assert people.v2_identify(item) == [
        Identify(FIVE, {}, {"plan": "gold"}),
        Relate(FIVE, [Link(ObjectRef(1, "acme"))], may_create=False),
    ]
    with pytest.raises(Invalid):
        people.v2_identify(item | {"cio_relationships": {"action": "add_relationships", "relationships": []}})


def test_nothing_is_done_for_somebody_who_cannot_exist() -> None:
    relationships = {"action": "add_relationships", "relationships": [ACME]}
    assert identify({"plan": "gold", "id": "7", "cio_relationships": relationships}, "cio_1") == []


# --- Delete, suppress, unsuppress ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (people.v1_delete, people.v2_delete, Delete),
        (people.v1_suppress, people.v2_suppress, Suppress),
        (people.v1_unsuppress, people.v2_unsuppress, Unsuppress),
    ],
)
def test_calls_without_a_body_name_a_person_by_path_or_by_identifiers(first, second, kind) -> None:
    for path, identifiers, who in (
        ("5", {"id": 5}, FIVE),
        ("a@b.example", {"email": "a@b.example"}, Ref("email", "a@b.example")),
        (f"cio_{HEX}", {"cio_id": HEX}, OWN),
    ):
        for body in (b"", b" ", b"{}", b'{"anything": 1}'):
            assert first(path, body) == [kind(who)]
        assert second({"identifiers": identifiers}) == [kind(who)]
    assert first("cio_1", b"") == second({"identifiers": {"cio_id": "1"}}) == []
    for body in (b"{", b"[]", b"x"):
        with pytest.raises(Invalid):
            first("5", body)


# --- Merge -------------------------------------------------------------------------------------------------


def merge(primary: Json, secondary: Json) -> list[object]:
    item = {"primary": primary, "secondary": secondary}
    first = people.v1_merge(json.dumps(item).encode())
    assert people.v2_merge(item) == first
    return list(first)


def test_two_people_are_merged_by_one_identifier_each() -> None:
    assert merge({"id": 1}, {"email": "a@b.example"}) == [Merge(Ref("external_id", "1"), Ref("email", "a@b.example"))]
    assert merge({"cio_id": HEX}, {"cio_id": f"cio_{HEX[::-1]}"})
    assert merge({"id": "1", "email": None}, {"id": "2"}) == [Merge(Ref("external_id", "1"), Ref("external_id", "2"))]


def test_ids_differ_by_case_and_kind() -> None:
    assert merge({"id": "a"}, {"id": "A"})
    assert merge({"id": "a@b.example"}, {"email": "a@b.example"})


def test_a_merge_with_somebody_who_cannot_exist_does_nothing() -> None:
    assert merge({"cio_id": "1"}, {"id": "2"}) == merge({"id": "2"}, {"cio_id": "1"}) == []


@pytest.mark.parametrize(
    ("primary", "secondary", "field"),
    [
        (None, {"id": "2"}, "primary"),
        ({"id": "1"}, None, "secondary"),
        ("1", {"id": "2"}, "primary"),
        ({}, {"id": "2"}, "primary"),
        ({"id": None}, {"id": "2"}, "primary"),
        ({"id": "1", "email": "a@b.example"}, {"id": "2"}, "primary"),
        ({"phone": "+4930123456"}, {"id": "2"}, "primary"),
        ({"id": "1"}, {"anonymous_id": "x"}, "secondary"),
        ({"id": "1"}, {"id": " "}, "secondary.id"),
        ({"id": "1"}, {"id": []}, "secondary.id"),
        ({"id": "1"}, {"email": "x" * 151}, "secondary.email"),
        ({"id": 1}, {"id": "1"}, "secondary"),
        ({"email": "A@b.example"}, {"email": "a@B.example"}, "secondary"),
        ({"cio_id": HEX}, {"cio_id": f"cio_{HEX.upper()}"}, "secondary"),
    ],
)
def test_a_merge_of_another_form_is_refused(primary: Json, secondary: Json, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        merge(primary, secondary)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "body",
    [
        b'{"primary": {"id": 1}, "secondary": {"id": 2}, "secondary": {"id": 3}}',
        b'{"primary": {"id": 1, "id": 4}, "secondary": {"id": 2}}',
        b'{"primary": {"id": 1}, "secondary": {"id": 2}, "x": [[{"a": 1, "\\u0061": 2}]]}',
    ],
)
def test_whom_a_merge_means_does_not_depend_on_which_of_two_keys_is_read(body: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        people.v1_merge(body)
    assert caught.value.message == "a key must not be repeated"
