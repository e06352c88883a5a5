"""Objects and relationships. Under a person relationships name objects, under an object they name people."""

from collections.abc import Iterator

from dialects.customerio_track.errors import REQUIRED, Invalid
from dialects.customerio_track.fields import (
    MAX_INTEGER,
    attributes,
    given_identifiers,
    own_id,
    person,
    required_hash,
    required_identifier,
)
from rolodesk.json import Json
from tracking.intake.operations import (
    DropObject,
    Link,
    ObjectRef,
    Operation,
    PersonLink,
    PutObject,
    Ref,
    Relate,
    RelatePeople,
)

RELATIONSHIPS = "cio_relationships"
ADD, DELETE = "add_relationships", "delete_relationships"
# Names an object by our own id, which no type has.
BY_OWN_ID = 0


# --- Of people -------------------------------------------------------------------------------------


def v1_relate(who: Ref | None, given: Json) -> list[Operation]:
    """``cio_relationships`` of version 1: an object that says what to do with its list."""
    given = required_hash(given, RELATIONSHIPS, RELATIONSHIPS)
    if given.get("action") not in (ADD, DELETE):
        raise Invalid(f"{RELATIONSHIPS} action must be {ADD} or {DELETE}", field=f"{RELATIONSHIPS}.action")
    links = _links(given.get("relationships"), f"{RELATIONSHIPS}.relationships")
    return _relate(who, links, is_removal=given["action"] == DELETE, may_create=False)


def v2_relate(who: Ref | None, given: Json) -> list[Operation]:
    """``cio_relationships`` within an identify call of version 2: a bare list, to add."""
    return _relate(who, _links(given, RELATIONSHIPS), may_create=False)


def add_to_person(item: dict[str, Json]) -> list[Operation]:
    """Action ``add_relationships`` of a person."""
    return _relate(person(item.get("identifiers")), _links(_listed(item), RELATIONSHIPS))


def delete_from_person(item: dict[str, Json]) -> list[Operation]:
    """Action ``delete_relationships`` of a person."""
    return _relate(person(item.get("identifiers")), _links(_listed(item), RELATIONSHIPS), is_removal=True)


def _relate(
    who: Ref | None, links: list[Link], *, is_removal: bool = False, may_create: bool = True
) -> list[Operation]:
    """``may_create``: not after an identify call, whose identifier may have gone to somebody by another name."""
    if who is None or not links:
        return []
    return [Relate(who, links, is_removal, may_create)]


def _links(given: Json, field: str) -> list[Link]:
    found = [
        (object_named(entry.get("identifiers"), f"{path}.identifiers"), _relationship_attributes(entry, path))
        for path, entry in _entries(given, field)
    ]
    return [Link(named, values) for named, values in found if named is not None]


# --- Of objects ------------------------------------------------------------------------------------


def put(item: dict[str, Json]) -> list[Operation]:
    """Actions ``identify`` and ``identify_anonymous`` of an object."""
    named = object_named(item.get("identifiers"))
    values = attributes(item.get("attributes"), "attributes")
    people = [] if item.get(RELATIONSHIPS) is None else _people(item[RELATIONSHIPS])
    return [] if named is None else [PutObject(named, values, people)]


def drop(item: dict[str, Json]) -> list[Operation]:
    """Action ``delete`` of an object."""
    named = object_named(item.get("identifiers"))
    return [] if named is None else [DropObject(named)]


def add_people(item: dict[str, Json]) -> list[Operation]:
    """Action ``add_relationships`` of an object."""
    return _relate_people(item, is_removal=False)


def delete_people(item: dict[str, Json]) -> list[Operation]:
    """Action ``delete_relationships`` of an object."""
    return _relate_people(item, is_removal=True)


def _relate_people(item: dict[str, Json], *, is_removal: bool) -> list[Operation]:
    named, people = object_named(item.get("identifiers")), _people(_listed(item))
    return [RelatePeople(named, people, is_removal)] if named is not None and people else []


def _people(given: Json) -> list[PersonLink]:
    found = [
        (person(entry.get("identifiers"), f"{path}.identifiers"), _relationship_attributes(entry, path))
        for path, entry in _entries(given, RELATIONSHIPS)
    ]
    return [PersonLink(who, values) for who, values in found if who is not None]


# --- Parts of both -----------------------------------------------------------------------------------


def _listed(item: dict[str, Json]) -> Json:
    given = item.get(RELATIONSHIPS)
    if given is None or given == []:
        raise Invalid(f"{RELATIONSHIPS} is required", field=RELATIONSHIPS, reason=REQUIRED)
    return given


def _entries(given: Json, field: str) -> Iterator[tuple[str, dict[str, Json]]]:
    if type(given) is not list:
        raise Invalid("relationships must be an array", field=field)
    for index, entry in enumerate(given):
        path = f"{field}.{index}"
        yield path, required_hash(entry, "relationship", path)


def _relationship_attributes(entry: dict[str, Json], path: str) -> dict[str, Json]:
    return attributes(entry.get("relationship_attributes"), f"{path}.relationship_attributes")


def object_named(identifiers: Json, field: str = "identifiers") -> ObjectRef | None:
    """The object that identifiers name. None: a ``cio_object_id`` that cannot exist."""
    given = given_identifiers(identifiers, field)
    if given.keys() == {"cio_object_id"}:
        own = own_id(required_identifier(given["cio_object_id"], "cio_object_id", f"{field}.cio_object_id"))
        return None if own is None else ObjectRef(BY_OWN_ID, own)
    if given.keys() - {"object_type_id", "object_id"}:
        raise Invalid("identifiers must be object_type_id and object_id, or cio_object_id", field=field)
    for key in ("object_type_id", "object_id"):
        if key not in given:
            raise Invalid(f"{key} is required", field=f"{field}.{key}", reason=REQUIRED)
    number = _type_number(given["object_type_id"], f"{field}.object_type_id")
    return ObjectRef(number, required_identifier(given["object_id"], "object_id", f"{field}.object_id"))


def _type_number(value: Json, field: str) -> int:
    text = str(value) if type(value) is int else value
    if type(text) is str and text.isascii() and text.isdigit() and len(text) <= len(str(MAX_INTEGER)):
        number = int(text)
        if 1 <= number <= MAX_INTEGER:
            return number
    raise Invalid("object_type_id must be a number from 1", field=field)
