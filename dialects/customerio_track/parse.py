"""From the wire of the Track API to operations of the write gate. Raises Invalid, touches nothing stored."""

from collections.abc import Callable
from dataclasses import dataclass, field

from dialects.customerio_track.errors import REQUIRED, TOO_LARGE, UNSUPPORTED, Invalid
from dialects.customerio_track.fields import (
    CIO_ID,
    KINDS,
    canonical,
    clean_names,
    identifier,
    identify,
    is_longer,
    person_of_cio_id,
    person_of_path,
    required_identifier,
)
from dialects.kit import times
from rolodesk import json
from rolodesk.json import Json, JsonError
from tracking.intake.operations import Operation, Ref, Track

MAX_EVENT_NAME = 100
MAX_PAGE_NAME = 499
MAX_EVENT_DATA = 100_000
MAX_ITEM = 32 * 1024
# No valid batch within the limit of bytes has as many; it bounds how long a list of errors can grow.
MAX_ITEMS = 10_000

# Actions of section 2.16; those with a parser are in _PERSON.
ACTIONS = {
    "person": {
        *("identify", "delete", "event", "page", "screen", "merge", "suppress", "unsuppress"),
        *("add_relationships", "delete_relationships", "add_device", "delete_device"),
    },
    "object": {"identify", "identify_anonymous", "delete", "add_relationships", "delete_relationships"},
    "delivery": {"event"},
}


def document(body: bytes) -> Json:
    """The body's JSON, an object. Raises Invalid."""
    try:
        value = json.decode(body)
    except (JsonError, ArithmeticError) as error:
        # A JsonError says what is wrong without quoting; decimal's own errors do not.
        raise Invalid(str(error) if isinstance(error, JsonError) else "a number is out of range") from error
    if type(value) is not dict:
        raise Invalid("request body must be a JSON object")
    return value


# --- Version 1 -----------------------------------------------------------------------------------


def v1_identify(path_identifier: str, body: bytes) -> list[Operation]:
    """``PUT /api/v1/customers/{identifier}``: the body is the attributes."""
    attributes = document(body)
    operation = identify(person_of_path(path_identifier), attributes)
    return [] if operation is None else [operation]


def v1_event(path_identifier: str, body: bytes) -> list[Operation]:
    """``POST /api/v1/customers/{identifier}/events``."""
    item = document(body)
    who = person_of_path(path_identifier)
    kind = item.get("type")
    limit = MAX_EVENT_DATA if len(body) > MAX_EVENT_DATA else None
    track = _track(who, item, kind if kind in ("page", "screen") else "event", "data", data_limit=limit)
    return [] if track is None else [track]


# --- Version 2 -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Batch:
    """What came of a batch: operations in their order, and an entry for each item that is refused."""

    operations: list[Operation] = field(default_factory=list)
    errors: list[dict[str, str | int]] = field(default_factory=list)


def v2_batch(body: bytes) -> Batch:
    """``POST /api/v2/batch``. Raises Invalid when the envelope is wrong; items fail one by one."""
    items = document(body).get("batch")
    if type(items) is not list:
        raise Invalid("batch must be an array", field="batch", reason=REQUIRED)
    if not items:
        raise Invalid("batch must not be empty", field="batch", reason=REQUIRED)
    if len(items) > MAX_ITEMS:
        raise Invalid(f"batch cannot hold more than {MAX_ITEMS} operations", field="batch", reason=TOO_LARGE)
    may_be_large = len(body) > MAX_ITEM
    batch = Batch()
    for index, item in enumerate(items):
        try:
            if may_be_large and len(json.encode(item)) > MAX_ITEM:
                raise Invalid(f"operation cannot be larger than {MAX_ITEM} bytes", reason=TOO_LARGE)
            operation = v2_operation(item)
        except Invalid as error:
            batch.errors.append({"batch_index": index, **error.entry()})
        else:
            if operation is not None:
                batch.operations.append(operation)
    return batch


def v2_operation(item: Json) -> Operation | None:
    """One entity operation; None when it names a person who cannot exist."""
    if type(item) is not dict:
        raise Invalid("operation must be a JSON object")
    kind, action = _choice(item, "type"), _choice(item, "action")
    if kind not in ACTIONS:
        raise Invalid("type must be one of person, object or delivery", field="type")
    if action not in ACTIONS[kind]:
        raise Invalid(f"action is not valid for type {kind}", field="action")
    parser = _PERSON.get(action) if kind == "person" else None
    if parser is None:
        raise Invalid(f"action {action} of type {kind} is not supported", field="action", reason=UNSUPPORTED)
    return parser(item)


def _choice(item: dict[str, Json], key: str) -> str:
    value = item.get(key)
    if value is None or value == "":
        raise Invalid(f"{key} is required", field=key, reason=REQUIRED)
    if type(value) is not str:
        raise Invalid(f"{key} must be a string value", field=key)
    return value


def _person(item: dict[str, Json]) -> Ref | None:
    """Whom ``identifiers`` names: exactly one key."""
    identifiers = item.get("identifiers")
    if identifiers is None:
        raise Invalid("identifiers are required", field="identifiers", reason=REQUIRED)
    if type(identifiers) is not dict:
        raise Invalid("identifiers must be a hash", field="identifiers")
    given = [(key, value) for key, value in identifiers.items() if value is not None]
    if not given:
        raise Invalid("identifiers are required", field="identifiers", reason=REQUIRED)
    if len(given) > 1:
        raise Invalid("identifiers must have exactly one key", field="identifiers")
    key, value = given[0]
    if key != CIO_ID and key not in KINDS:
        raise Invalid("identifiers must be one of id, email, phone, cio_id or anonymous_id", field="identifiers")
    text = required_identifier(value, key, f"identifiers.{key}")
    return person_of_cio_id(text) if key == CIO_ID else Ref(KINDS[key], text)


def _v2_identify(item: dict[str, Json]) -> Operation | None:
    attributes = item.get("attributes")
    return identify(
        _person(item),
        {} if attributes is None else attributes,
        at=times.micros(item.get("timestamp")),
        field="attributes.",
    )


def _v2_event(item: dict[str, Json]) -> Operation | None:
    return _track(_person(item), item, item["action"], "attributes")


_PERSON: dict[str, Callable[[dict[str, Json]], Operation | None]] = {
    "identify": _v2_identify,
    "event": _v2_event,
    "page": _v2_event,
    "screen": _v2_event,
}


# --- Events of both versions -----------------------------------------------------------------------


def _track(
    who: Ref | None, item: dict[str, Json], kind: Json, data_key: str, *, data_limit: int | None = None
) -> Track | None:
    """``kind`` is one of ours. ``data_limit`` where the size of the body does not bound the data already."""
    name = _event_name(item.get("name"), MAX_PAGE_NAME if kind == "page" else MAX_EVENT_NAME)
    data = item.get(data_key)
    if data is None:
        data = {}
    if type(data) is not dict:
        raise Invalid("event data must be a hash", field=data_key)
    if data_limit is not None and len(json.encode(data)) > data_limit:
        raise Invalid(f"event data cannot be longer than {data_limit} bytes", field=data_key, reason=TOO_LARGE)
    id_ = identifier(item.get("id"), "event id", "id")
    if who is None:
        return None
    return Track(who, name, kind, clean_names(data), id_, times.micros(item.get("timestamp")))


def _event_name(value: Json, limit: int) -> str:
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
