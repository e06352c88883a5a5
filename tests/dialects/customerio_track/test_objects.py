"""Objects and relationships as operations, sections 1.5 and 2.16 of the contract."""

import pytest

from dialects.customerio_track import objects
from dialects.customerio_track.errors import Invalid
from rolodesk.json import Json
from tracking.intake.operations import (
    CUSTOMER_ID,
    DropObject,
    Link,
    ObjectRef,
    PersonLink,
    PutObject,
    Ref,
    Relate,
    RelatePeople,
)

ACME = ObjectRef(1, "acme")
NAMED = {"object_type_id": "1", "object_id": "acme"}
FIVE = Ref("external_id", "5")
HEX = "0190a0b0c0d0712233445566778899aa"
UUID_TEXT = "0190a0b0-c0d0-7122-3344-5566778899aa"
LONG = "x" * 151
WRONG_TYPES: list[Json] = [
    *("0", "", "x", "-1", "1.0", " 1", "2147483648", "9" * 40, "\u0661"),
    *(0, -1, True, [], 1.5),
]
NO_RELATIONSHIPS: list[Json] = [{}, {"cio_relationships": None}, {"cio_relationships": []}]
PERSON = {"identifiers": {"id": "5"}}


def of_object(**item: Json) -> dict[str, Json]:
    return {"identifiers": NAMED} | item


def refusal(parse, item: Json) -> tuple[str, str]:
    with pytest.raises(Invalid) as caught:
        parse(item)
    return caught.value.reason, caught.value.field


@pytest.mark.parametrize(
    ("identifiers", "expected"),
    [
        (NAMED, ACME),
        ({"object_type_id": 1, "object_id": 7}, ObjectRef(1, "7")),
        ({"object_type_id": "2147483647", "object_id": "x" * 150}, ObjectRef(2**31 - 1, "x" * 150)),
        ({**NAMED, "cio_object_id": None}, ACME),
        ({"cio_object_id": HEX}, ObjectRef(0, UUID_TEXT)),
        ({"cio_object_id": f"cio_{HEX}"}, ObjectRef(0, UUID_TEXT)),
        ({"cio_object_id": "ob1"}, None),
    ],
)
def test_an_object_is_named_by_type_and_id_or_by_our_own_id(identifiers: Json, expected: ObjectRef | None) -> None:
    assert objects.object_named(identifiers) == expected


@pytest.mark.parametrize(
    ("identifiers", "reason", "field"),
    [
        (None, "required", ""),
        ([], "invalid", ""),
        ({}, "required", ""),
        ({"object_id": "acme"}, "required", ".object_type_id"),
        ({"object_type_id": "1"}, "required", ".object_id"),
        ({"object_type_id": "1", "object_id": " "}, "required", ".object_id"),
        ({"object_type_id": "1", "object_id": LONG}, "too_large", ".object_id"),
        ({"object_type_id": "1", "object_id": []}, "invalid", ".object_id"),
        *(({"object_type_id": type_, "object_id": "a"}, "invalid", ".object_type_id") for type_ in WRONG_TYPES),
        ({**NAMED, "cio_object_id": HEX}, "invalid", ""),
        ({"id": "5"}, "invalid", ""),
        ({"cio_object_id": ""}, "required", ".cio_object_id"),
    ],
)  # fmt: skip
def test_other_names_of_objects_are_refused(identifiers: Json, reason: str, field: str) -> None:
    found = refusal(objects.object_named, identifiers)
    assert found == (reason, f"identifiers{field}")


def test_an_object_is_put_with_attributes_and_people() -> None:
    people = [
        {"identifiers": {"id": 5}, "relationship_attributes": {"role": "owner", "old": None, "note": ""}},
        {"identifiers": {"email": "a@b.example"}},
        {"identifiers": {"cio_id": HEX}},
        {"identifiers": {"cio_id": "1"}},
    ]
    attributes = {"name": "Acme", " ne\u0301": "", "gone": None, "deep": {"a": [1]}}
    assert objects.put(of_object(attributes=attributes, cio_relationships=people)) == [
        PutObject(
            ACME,
            {"name": "Acme", "n\u00e9": "", "gone": None, "deep": {"a": [1]}},
            [
                PersonLink(FIVE, {"role": "owner", "old": None, "note": ""}),
                PersonLink(Ref("email", "a@b.example")),
                PersonLink(Ref(CUSTOMER_ID, UUID_TEXT)),
            ],
        )
    ]


@pytest.mark.parametrize("relationships", [None, []])
def test_an_object_may_come_alone(relationships: Json) -> None:
    assert objects.put(of_object(cio_relationships=relationships)) == [PutObject(ACME)]


def test_people_not_yet_known_are_named_by_anonymous_id() -> None:
    people = [{"identifiers": {"anonymous_id": "a1"}}]
    assert objects.put(of_object(cio_relationships=people)) == [
        PutObject(ACME, people=[PersonLink(Ref("anonymous_id", "a1"))])
    ]


def test_an_object_is_dropped() -> None:
    assert objects.drop(of_object()) == [DropObject(ACME)]


def test_people_are_put_into_an_object_and_taken_out() -> None:
    item = of_object(cio_relationships=[PERSON])
    assert objects.add_people(item) == [RelatePeople(ACME, [PersonLink(FIVE)])]
    assert objects.delete_people(item) == [RelatePeople(ACME, [PersonLink(FIVE)], is_removal=True)]


def test_a_person_is_put_into_objects_and_taken_out() -> None:
    item = PERSON | {"cio_relationships": [{"identifiers": NAMED}, {"identifiers": {"cio_object_id": HEX}}]}
    links = [Link(ACME), Link(ObjectRef(0, UUID_TEXT))]
    assert objects.add_to_person(item) == [Relate(FIVE, links)]
    assert objects.delete_from_person(item) == [Relate(FIVE, links, is_removal=True)]


@pytest.mark.parametrize("parse", [objects.add_to_person, objects.delete_from_person])
def test_under_a_person_relationships_name_objects(parse) -> None:
    assert refusal(parse, PERSON | {"cio_relationships": [PERSON]}) == ("invalid", "cio_relationships.0.identifiers")


@pytest.mark.parametrize("parse", [objects.add_people, objects.delete_people, objects.put])
def test_under_an_object_relationships_name_people(parse) -> None:
    item = of_object(cio_relationships=[{"identifiers": NAMED}])
    assert refusal(parse, item) == ("invalid", "cio_relationships.0.identifiers")


@pytest.mark.parametrize(
    ("parse", "item"),
    [
        (objects.add_to_person, PERSON),
        (objects.delete_from_person, PERSON),
        (objects.add_people, of_object()),
        (objects.delete_people, of_object()),
    ],
)
def test_calls_about_relationships_must_have_some(parse, item: Json) -> None:
    for none in NO_RELATIONSHIPS:
        assert refusal(parse, item | none) == ("required", "cio_relationships")
    assert refusal(parse, item | {"cio_relationships": "x"}) == ("invalid", "cio_relationships")
    assert refusal(parse, item | {"cio_relationships": [None]}) == ("required", "cio_relationships.0")


@pytest.mark.parametrize(
    ("attributes", "reason", "field"),
    [
        ([], "invalid", ""),
        ("x", "invalid", ""),
        ({f"a{n}": 1 for n in range(301)}, "too_large", ""),
        ({LONG: 1}, "too_large", ""),
        ({" ": 1}, "invalid", ""),
        ({"a": "v" * 1001}, "too_large", ".a"),
        ({"a": ["v" * 1000]}, "too_large", ".a"),
        ({f"a{n}": "v" * 990 for n in range(104)}, "too_large", ""),
    ],
)
def test_attributes_of_objects_and_relationships_have_limits(attributes: Json, reason: str, field: str) -> None:
    assert refusal(objects.put, of_object(attributes=attributes)) == (reason, f"attributes{field}")
    path = "cio_relationships.0.relationship_attributes"
    link = {"relationship_attributes": attributes}
    item = of_object(cio_relationships=[PERSON | link])
    assert refusal(objects.put, item) == (reason, f"{path}{field}")
    item = PERSON | {"cio_relationships": [{"identifiers": NAMED} | link]}
    assert refusal(objects.add_to_person, item) == (reason, f"{path}{field}")


def test_attributes_of_exactly_the_limits_are_accepted() -> None:
    full = {f"a{n}": 1 for n in range(299)} | {"n" * 150: "v" * 1000}
    assert objects.put(of_object(attributes=full)) == [PutObject(ACME, full)]
    # 100 KB of JSON: the braces, and 101 names with their values, quotes, colons and commas.
    big = {f"a{n:03}": "v" * 1000 for n in range(101)}
    size = 2 + sum(len(name) + 1000 + 5 for name in big) + len(big) - 1
    rest = "v" * (100 * 1024 - size - len(',"b":""'))
    assert objects.put(of_object(attributes=big | {"b": rest}))
    assert refusal(objects.put, of_object(attributes=big | {"b": rest + "v"})) == ("too_large", "attributes")


def test_objects_that_cannot_exist_are_checked_and_dropped() -> None:
    item = {"identifiers": {"cio_object_id": "1"}, "cio_relationships": [PERSON]}
    assert objects.put(item) == objects.drop(item) == objects.add_people(item) == objects.delete_people(item) == []
    assert refusal(objects.put, item | {"attributes": []}) == ("invalid", "attributes")


def test_relationships_with_nobody_who_can_exist_are_no_operation() -> None:
    item = of_object(cio_relationships=[{"identifiers": {"cio_id": "1"}}])
    assert objects.add_people(item) == objects.delete_people(item) == []
    assert objects.put(item) == [PutObject(ACME)]
    item = PERSON | {"cio_relationships": [{"identifiers": {"cio_object_id": "1"}}]}
    assert objects.add_to_person(item) == objects.delete_from_person(item) == []
