"""Version 2: operations on people, objects and deliveries, one at a time or many at once. Raises Invalid."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial

from dialects.customerio_track import deliveries, devices, events, objects, people
from dialects.customerio_track.bodies import document, refuse_repeats, repeated_items
from dialects.customerio_track.errors import REQUIRED, TOO_LARGE, UNSUPPORTED, Invalid
from dialects.customerio_track.permissions import EDIT, ERASE, MERGE, SUPPRESS
from rolodesk import json
from rolodesk.errors import NotAllowed
from rolodesk.json import Json
from tracking.intake.operations import Operation

MAX_ITEM = 32 * 1024
# No valid batch within the limit of bytes has as many; it bounds how long a list of errors can grow.
MAX_ITEMS = 10_000

# Whether the credentials allow a permission.
May = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Action:
    """What can be done with an entity. ``is_strict``: refused when a key stands in the item twice."""

    parse: Callable[[dict[str, Json]], list[Operation]]
    permission: str = EDIT
    is_strict: bool = False


ACTIONS: dict[str, dict[str, Action]] = {
    "person": {
        "identify": Action(people.v2_identify),
        "event": Action(events.v2_event),
        "page": Action(events.v2_event),
        "screen": Action(events.v2_event),
        "delete": Action(people.v2_delete, ERASE),
        "suppress": Action(people.v2_suppress, SUPPRESS, is_strict=True),
        "unsuppress": Action(people.v2_unsuppress, SUPPRESS),
        "merge": Action(people.v2_merge, MERGE, is_strict=True),
        "add_device": Action(devices.v2_put),
        "delete_device": Action(devices.v2_drop),
        objects.ADD: Action(objects.add_to_person),
        objects.DELETE: Action(objects.delete_from_person),
    },
    "object": {
        "identify": Action(objects.put),
        "identify_anonymous": Action(objects.put),
        "delete": Action(objects.drop),
        objects.ADD: Action(objects.add_people),
        objects.DELETE: Action(objects.delete_people),
    },
    "delivery": {"event": Action(deliveries.v2_event)},
}


@dataclass(slots=True)
class Batch:
    """What came of a batch: operations in their order, and an entry for each item that is refused."""

    operations: list[Operation] = field(default_factory=list)
    errors: list[dict[str, str | int]] = field(default_factory=list)


def v2_entity(body: bytes, may: May) -> list[Operation]:
    """``POST /api/v2/entity``. Raises NotAllowed for an action that the credentials do not cover."""
    item = document(body)
    action = _action(item)
    if not may(action.permission):
        raise NotAllowed
    if action.is_strict:
        refuse_repeats(body)
    return action.parse(item)


def v2_batch(body: bytes, may: May) -> Batch:
    """``POST /api/v2/batch``. Raises Invalid when the envelope is wrong; items fail one by one."""
    items = document(body).get("batch")
    if type(items) is not list:
        raise Invalid("batch must be an array", field="batch", reason=REQUIRED)
    if not items:
        raise Invalid("batch must not be empty", field="batch", reason=REQUIRED)
    if len(items) > MAX_ITEMS:
        raise Invalid(f"batch cannot hold more than {MAX_ITEMS} operations", field="batch", reason=TOO_LARGE)
    may_be_large = len(body) > MAX_ITEM
    repeated = cache(partial(repeated_items, body))
    batch = Batch()
    for index, item in enumerate(items):
        try:
            if may_be_large and len(json.encode(item)) > MAX_ITEM:
                raise Invalid(f"operation cannot be larger than {MAX_ITEM} bytes", reason=TOO_LARGE)
            action = _action(item)
            if action.permission != EDIT:  # which the route has asked for already
                if not may(action.permission):
                    raise Invalid("these credentials do not allow this action", field="action", reason=UNSUPPORTED)
                if action.is_strict and index in repeated():
                    raise Invalid("a key must not be repeated")
            batch.operations += action.parse(item)
        except Invalid as error:
            batch.errors.append({"batch_index": index, **error.entry()})
    return batch


def _action(item: Json) -> Action:
    if type(item) is not dict:
        raise Invalid("operation must be a JSON object")
    kind, name = _choice(item, "type"), _choice(item, "action")
    actions = ACTIONS.get(kind)
    if actions is None:
        raise Invalid("type must be one of person, object or delivery", field="type")
    action = actions.get(name)
    if action is None:
        raise Invalid(f"action is not valid for type {kind}", field="action")
    return action


def _choice(item: dict[str, Json], key: str) -> str:
    value = item.get(key)
    if value is None or value == "":
        raise Invalid(f"{key} is required", field=key, reason=REQUIRED)
    if type(value) is not str:
        raise Invalid(f"{key} must be a string value", field=key)
    return value
