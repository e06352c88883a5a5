"""People: identify, delete, suppress, unsuppress, merge. Raises Invalid, touches nothing stored."""

from dialects.customerio_track.bodies import document, optional_document, refuse_repeats
from dialects.customerio_track.consent import DOTTED, PREFERENCES, UNSUBSCRIBED, consent_of
from dialects.customerio_track.errors import TOO_LARGE, Invalid
from dialects.customerio_track.fields import (
    CIO_ID,
    KINDS,
    MAX_ATTRIBUTES,
    attribute,
    canonical,
    identifier,
    is_true,
    person,
    person_of_path,
    required_hash,
)
from dialects.customerio_track.objects import RELATIONSHIPS, v1_relate, v2_relate
from dialects.kit import times
from rolodesk.json import Json
from tracking.intake.operations import Delete, Identify, Merge, Operation, Ref, Suppress, Unsuppress

IDENTITY = ("id", "email", "anonymous_id")
TIMESTAMP, UPDATE = "_timestamp", "_update"
# Attributes that are no properties of the person. The server assigns cio_id; relationships and consent
# are stored by themselves.
NO_CONSENT = frozenset({*IDENTITY, TIMESTAMP, UPDATE, CIO_ID, RELATIONSHIPS})
RESERVED = NO_CONSENT | {PREFERENCES, UNSUBSCRIBED}
MERGEABLE = ("id", "email", CIO_ID)


# --- Identify --------------------------------------------------------------------------------------


def v1_identify(path_identifier: str, body: bytes) -> list[Operation]:
    """``PUT /api/v1/customers/{identifier}``: the body is the attributes."""
    given = document(body)
    who = person_of_path(path_identifier)
    found = identify(who, given)
    if given.get(RELATIONSHIPS) is not None:
        found += v1_relate(who, given[RELATIONSHIPS])
    return found


def v2_identify(item: dict[str, Json]) -> list[Operation]:
    """Action ``identify`` of a person."""
    who = person(item.get("identifiers"))
    given = item.get("attributes")
    at = times.micros(item.get("timestamp"))
    found = identify(who, {} if given is None else given, at=at, field="attributes.")
    if item.get(RELATIONSHIPS) is not None:
        found += v2_relate(who, item[RELATIONSHIPS])
    return found


def identify(who: Ref | None, given: Json, *, at: int | None = None, field: str = "") -> list[Operation]:
    """Attributes of a person as an operation; none when there is nobody to apply them to."""
    if type(given) is not dict:
        raise Invalid("attributes must be a hash", field=field.rstrip("."))
    if len(given) > MAX_ATTRIBUTES:
        message = f"cannot identify more than {MAX_ATTRIBUTES} attributes in one request"
        raise Invalid(message, field=field.rstrip("."), reason=TOO_LARGE)
    properties: dict[str, Json] = {}
    special: dict[str, Json] = {}
    for key, value in given.items():
        name = canonical(key)
        if name in RESERVED or name.startswith(DOTTED):
            special[name] = value
        else:
            properties[name] = attribute(name, value, field)
    if not special:
        return [] if who is None else [Identify(who, {}, properties, at)]
    identity = {KINDS[name]: identifier(special.get(name), name, field + name) for name in IDENTITY}
    if who is None:
        return []
    identifiers = {
        kind: text for kind, text in identity.items() if text is not None and (kind, text) != (who.kind, who.value)
    }
    if at is None:
        at = times.micros(special.get(TIMESTAMP))
    may_create = not is_true(special.get(UPDATE))
    consent, is_all = ({}, False) if NO_CONSENT.issuperset(special) else consent_of(special)
    return [Identify(who, identifiers, properties, at, may_create, consent, is_all)]


# --- Delete, suppress, unsuppress ------------------------------------------------------------------


def v1_delete(path_identifier: str, body: bytes) -> list[Operation]:
    """``DELETE /api/v1/customers/{identifier}``."""
    return _v1(Delete, path_identifier, body)


def v1_suppress(path_identifier: str, body: bytes) -> list[Operation]:
    """``POST …/suppress``."""
    return _v1(Suppress, path_identifier, body)


def v1_unsuppress(path_identifier: str, body: bytes) -> list[Operation]:
    """``POST …/unsuppress``."""
    return _v1(Unsuppress, path_identifier, body)


def _v1(operation: type[Delete | Suppress | Unsuppress], path_identifier: str, body: bytes) -> list[Operation]:
    optional_document(body)
    who = person_of_path(path_identifier)
    return [] if who is None else [operation(who)]


def v2_delete(item: dict[str, Json]) -> list[Operation]:
    """Action ``delete`` of a person."""
    return _v2(Delete, item)


def v2_suppress(item: dict[str, Json]) -> list[Operation]:
    """Action ``suppress``."""
    return _v2(Suppress, item)


def v2_unsuppress(item: dict[str, Json]) -> list[Operation]:
    """Action ``unsuppress``."""
    return _v2(Unsuppress, item)


def _v2(operation: type[Delete | Suppress | Unsuppress], item: dict[str, Json]) -> list[Operation]:
    who = person(item.get("identifiers"))
    return [] if who is None else [operation(who)]


# --- Merge -------------------------------------------------------------------------------------------


def v1_merge(body: bytes) -> list[Operation]:
    """``POST /api/v1/merge_customers``."""
    item = document(body)
    refuse_repeats(body)
    return v2_merge(item)


def v2_merge(item: dict[str, Json]) -> list[Operation]:
    """Action ``merge``: two people by one identifier each."""
    primary, secondary = _side(item, "primary"), _side(item, "secondary")
    if primary is None or secondary is None:
        return []
    if _comparable(primary) == _comparable(secondary):
        raise Invalid("primary and secondary must be different people", field="secondary")
    return [Merge(primary, secondary)]


def _side(item: dict[str, Json], side: str) -> Ref | None:
    given = {key: value for key, value in required_hash(item.get(side), side, side).items() if value is not None}
    if len(given) != 1 or next(iter(given)) not in MERGEABLE:
        raise Invalid(f"{side} must have exactly one of id, email or cio_id", field=side)
    return person(given, side)


def _comparable(who: Ref) -> tuple[str, str]:
    return who.kind, who.value.lower() if who.kind == "email" else who.value
