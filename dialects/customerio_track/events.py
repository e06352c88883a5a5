"""Events of both versions. Raises Invalid, touches nothing stored."""

import secrets
from hashlib import blake2b

from dialects.customerio_track.bodies import document
from dialects.customerio_track.errors import REQUIRED, TOO_LARGE, Invalid
from dialects.customerio_track.fields import (
    KINDS,
    canonical,
    clean_names,
    identifier,
    is_longer,
    person,
    person_of_path,
)
from dialects.kit import times
from rolodesk import json
from rolodesk.json import Json
from tracking.intake.operations import Operation, Ref, Track

MAX_NAME = 100
MAX_PAGE_NAME = 499
MAX_DATA = 100_000
# Kinds that are named on the wire; any other word is an ordinary event.
VIEWS = ("page", "screen")
ANONYMOUS_ID = KINDS["anonymous_id"]
INVITE = "invite:"
INVITE_BYTES = 16


def v1_event(path_identifier: str, body: bytes) -> list[Operation]:
    """``POST /api/v1/customers/{identifier}/events``."""
    item = document(body)
    return _v1(person_of_path(path_identifier), item, body)


def v1_anonymous_event(body: bytes) -> list[Operation]:
    """``POST /api/v1/events``: of somebody anonymous, or an invitation, which belongs to nobody."""
    item = document(body)
    name = identifier(item.get("anonymous_id"), "anonymous_id", "anonymous_id")
    return _v1(Ref(ANONYMOUS_ID, _invitation(item) if name is None else name), item, body)


def v2_event(item: dict[str, Json]) -> list[Operation]:
    """Actions ``event``, ``page`` and ``screen`` of a person."""
    return track(person(item.get("identifiers")), item, item["action"], "attributes")


def _v1(who: Ref | None, item: dict[str, Json], body: bytes) -> list[Operation]:
    kind = item.get("type")
    limit = MAX_DATA if len(body) > MAX_DATA else None
    return track(who, item, kind if kind in VIEWS else "event", "data", data_limit=limit)


def _invitation(item: dict[str, Json]) -> str:
    """An anonymous id of its own. A retry with the same event id must come to the same one."""
    id_ = identifier(item.get("id"), "event id", "id")
    if id_ is None:
        return INVITE + secrets.token_hex(INVITE_BYTES)
    return INVITE + blake2b(id_.encode(), digest_size=INVITE_BYTES).hexdigest()


def track(
    who: Ref | None, item: dict[str, Json], kind: Json, data_key: str, *, data_limit: int | None = None
) -> list[Operation]:
    """``kind`` is one of ours. ``data_limit`` where the size of the body does not bound the data already."""
    name = _name(item.get("name"), MAX_PAGE_NAME if kind == "page" else MAX_NAME)
    data = item.get(data_key)
    if data is None:
        data = {}
    if type(data) is not dict:
        raise Invalid("event data must be a hash", field=data_key)
    if data_limit is not None and len(json.encode(data)) > data_limit:
        raise Invalid(f"event data cannot be longer than {data_limit} bytes", field=data_key, reason=TOO_LARGE)
    id_ = identifier(item.get("id"), "event id", "id")
    if who is None:
        return []
    return [Track(who, name, kind, clean_names(data), id_, times.micros(item.get("timestamp")))]


def _name(value: Json, limit: int) -> str:
    if value is None:
        raise Invalid("event name must not be blank", field="name", reason=REQUIRED)
    if type(value) is not str:
        raise Invalid("event name must be a string value", field="name")
    name = canonical(value)
    if not name:
        raise Invalid("event name must not be blank", field="name", reason=REQUIRED)
    if limit == MAX_PAGE_NAME:
        # The name of a page is its address, which is rarely as short as an event's name.
        if len(name) > limit:
            raise Invalid("event name must be less than 500 characters", field="name", reason=TOO_LARGE)
    elif is_longer(name, limit):
        raise Invalid(f"event name cannot be longer than {limit} bytes", field="name", reason=TOO_LARGE)
    return name
