"""The Track API as an OpenAPI 3.1 document, written from the contract: what fuzzing starts from.

It says what clients may send and which answers they may get; it is not what the product is built from.
"""

from rolodesk.json import Json

MAX_ID = 150
TIME = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]{1,13}$"}]}
TEXT = {"type": "string", "minLength": 1, "maxLength": 100}
VALUE = {
    "anyOf": [
        {"type": "string", "maxLength": 300},
        {"type": ["integer", "number", "boolean", "null"]},
        {"type": "array", "items": {"type": ["string", "integer", "null"], "maxLength": 20}, "maxItems": 5},
        {"type": "object", "additionalProperties": {"type": ["string", "number"], "maxLength": 20}, "maxProperties": 5},
    ]
}
FREE = {"type": "object", "additionalProperties": VALUE, "maxProperties": 8}
STRINGS = {"type": "object", "additionalProperties": {"type": "string", "maxLength": 300}, "maxProperties": 8}
IDENTIFIER = {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 40}, {"type": "integer"}]}
CIO_ID = {"type": "string", "pattern": "^(cio_)?[0-9a-f]{32}$"}


def shape(required: tuple[str, ...] = (), **properties: Json) -> Json:
    """An object; other keys may be there, as clients have them."""
    return {"type": "object", "properties": properties, "required": list(required)}


def exactly_one(**properties: Json) -> Json:
    """An object with one of these keys."""
    return {
        "oneOf": [
            {"type": "object", "properties": {name: value}, "required": [name], "additionalProperties": False}
            for name, value in properties.items()
        ]
    }


def is_always(value: Json) -> Json:
    """One value only."""
    return {"const": value}


# --- Parts --------------------------------------------------------------------------------------------

PERSON = exactly_one(id=IDENTIFIER, email=IDENTIFIER, phone=IDENTIFIER, anonymous_id=IDENTIFIER, cio_id=CIO_ID)
MERGED = exactly_one(id=IDENTIFIER, email=IDENTIFIER, cio_id=CIO_ID)
OBJECT = {
    "anyOf": [
        shape(("object_type_id", "object_id"), object_type_id={"enum": ["1", "2", 3]}, object_id=IDENTIFIER),
        exactly_one(cio_object_id={"type": "string", "pattern": "^[0-9a-f]{32}$"}),
    ]
}
RELATED = {"relationship_attributes": FREE}
TO_OBJECTS = {"type": "array", "items": shape(("identifiers",), identifiers=OBJECT, **RELATED), "maxItems": 3}
TO_PEOPLE = {"type": "array", "items": shape(("identifiers",), identifiers=PERSON, **RELATED), "maxItems": 3}
TOPICS = shape(topics={"type": "object", "patternProperties": {"^topic_[1-9]$": {"type": "boolean"}}})
ATTRIBUTES = {
    "type": "object",
    "properties": {
        "id": IDENTIFIER,
        "email": {"type": "string", "maxLength": 60},
        "anonymous_id": IDENTIFIER,
        "created_at": TIME,
        "_timestamp": TIME,
        "_update": {"type": "boolean"},
        "unsubscribed": {"enum": [True, False, "true", "FALSE", 1, "1", 0, "maybe"]},
        "cio_subscription_preferences": TOPICS,
    },
    "additionalProperties": VALUE,
    "maxProperties": 8,
}
V1_RELATIONSHIPS = shape(
    ("action", "relationships"),
    action={"enum": ["add_relationships", "delete_relationships"]},
    relationships=TO_OBJECTS,
)
V1_ATTRIBUTES = {
    **ATTRIBUTES,
    "properties": {**ATTRIBUTES["properties"], "cio_relationships": V1_RELATIONSHIPS},  # type: ignore[dict-item]
}
EVENT_FACTS = {"name": TEXT, "id": {"type": "string", "maxLength": MAX_ID}, "timestamp": TIME}
EVENT = shape(("name",), **EVENT_FACTS, type={"enum": ["event", "page", "screen", "other"]}, data=FREE)
PLATFORM, TOKEN = {"enum": ["ios", "android", "IOS"]}, {"type": "string", "minLength": 1, "maxLength": 200}
DEVICE_FACTS = {"platform": PLATFORM, "last_used": TIME, "attributes": STRINGS}


def operation(kind: str, action: str, required: tuple[str, ...] = (), **properties: Json) -> Json:
    """An operation of version 2."""
    fixed = {"type": is_always(kind), "action": is_always(action)}
    return shape(("type", "action", *required), **fixed, **properties)


def on_person(action: str, required: tuple[str, ...] = (), **properties: Json) -> Json:
    """One about a person."""
    return operation("person", action, ("identifiers", *required), identifiers=PERSON, **properties)


def on_object(action: str, required: tuple[str, ...] = (), **properties: Json) -> Json:
    """One about an object."""
    return operation("object", action, ("identifiers", *required), identifiers=OBJECT, **properties)


OPERATION = {
    "oneOf": [
        on_person("identify", attributes=ATTRIBUTES, timestamp=TIME, cio_relationships=TO_OBJECTS),
        *(on_person(kind, ("name",), attributes=FREE, **EVENT_FACTS) for kind in ("event", "page", "screen")),
        *(on_person(action) for action in ("delete", "suppress", "unsuppress")),
        on_person("add_device", ("device",), device=shape(("token", "platform"), token=TOKEN, **DEVICE_FACTS)),
        on_person("delete_device", ("device",), device=shape(("token",), token=TOKEN)),
        *(
            on_person(action, ("cio_relationships",), cio_relationships=TO_OBJECTS)
            for action in ("add_relationships", "delete_relationships")
        ),
        operation("person", "merge", ("primary", "secondary"), primary=MERGED, secondary=MERGED),
        *(
            on_object(action, attributes=FREE, cio_relationships=TO_PEOPLE)
            for action in ("identify", "identify_anonymous")
        ),
        on_object("delete"),
        *(
            on_object(action, ("cio_relationships",), cio_relationships=TO_PEOPLE)
            for action in ("add_relationships", "delete_relationships")
        ),
        operation(
            "delivery", "event", ("identifiers", "name", "attributes"),
            identifiers=shape(("id",), id=TEXT), name={"enum": ["opened", "converted", "delivered"]},
            attributes=shape(("device_token",), device_token=TOKEN), timestamp=TIME,
        ),
    ]
}  # fmt: skip


# --- Answers ------------------------------------------------------------------------------------------

ONE = shape(("meta",), meta=shape(("error",), error={"type": "string"}))
LIST = shape(("meta",), meta=shape(("errors",), errors={"type": "array", "items": {"type": "string"}}))
ENTRY = shape(
    ("reason", "field", "message"),
    reason={"enum": ["invalid", "required", "too_large", "unsupported"]}, field={"type": "string"},
    message={"type": "string"}, batch_index={"type": "integer"},
)  # fmt: skip
V2 = shape(("errors",), errors={"type": "array", "items": ENTRY})
EMPTY = {"type": "object", "maxProperties": 0}
REGION = shape(
    ("url", "region", "environment_id"),
    url={"type": "string"}, region={"enum": ["us", "eu"]}, environment_id={"type": "integer"},
)  # fmt: skip
REFUSALS = ("400", "408", "413", "415", "429", "503")


def answers(error: Json, success: dict[str, Json], *, is_open: bool = False, more: tuple[str, ...] = ()) -> Json:
    """All answers that a client may get, by status."""
    refusals = dict.fromkeys((*REFUSALS, *more), error) | ({} if is_open else {"401": ONE})
    return {
        status: {"description": status} | ({"content": {"application/json": {"schema": body}}} if body else {})
        for status, body in (success | refusals).items()
    }


OK = {"200": EMPTY}


def route(
    parameters: dict[str, Json], body: Json, responses: Json, *, is_optional: bool = False, query: Json = None
) -> Json:
    """One method of a path."""
    places = [{"name": name, "in": "path", "required": True, "schema": one} for name, one in parameters.items()]
    places += [{"name": name, "in": "query", "schema": one} for name, one in (query or {}).items()]
    described: Json = {"parameters": places, "responses": responses}
    if body is not None:
        content = {"application/json": {"schema": body}}
        described["requestBody"] = {"content": content, "required": not is_optional}
    return described


WHOM = {"identifier": {"type": "string", "minLength": 1, "maxLength": 60}}
# The tests have a segment of the number 1.
SEGMENT = {"segment_id": {"anyOf": [is_always(1), {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}]}}
FILLED = {**STRINGS, "oneOf": [{"required": ["id"]}, {"required": ["email"]}]}
MEMBERS = shape(("ids",), ids={"type": "array", "items": IDENTIFIER, "minItems": 1, "maxItems": 1000})
MEMBERS_QUERY = {"id_type": {"enum": ["id", "email", "cio_id"]}}
METRIC = shape(
    ("delivery_id", "metric"),
    delivery_id=TEXT, timestamp=TIME, recipient=IDENTIFIER, reason=TEXT, href=TEXT,
    metric={
        "enum": ["bounced", "clicked", "converted", "deferred", "delivered", "dropped", "opened", "spammed", "seen"]
    },
)  # fmt: skip
PUSHED = shape(
    ("delivery_id", "event"),
    delivery_id=TEXT, device_id=TOKEN, timestamp=TIME, event={"enum": ["opened", "converted", "delivered"]},
)  # fmt: skip


def _control(success: dict[str, Json] = OK) -> Json:
    return route(WHOM, EMPTY, answers(ONE, success), is_optional=True)


def _members() -> Json:
    return route(SEGMENT, MEMBERS, answers(LIST, OK, more=("404",)), query=MEMBERS_QUERY)


def document() -> Json:
    """The whole document."""
    person, v1, v2 = "/api/v1/customers/{identifier}", "/api/v1", "/api/v2"
    device = shape(("device",), device=shape(("id", "platform"), id=TOKEN, **DEVICE_FACTS))
    token = {"device_id": {"type": "string", "minLength": 1, "maxLength": 100}}
    open_answers, merge = answers(ONE, OK, is_open=True), shape(("primary", "secondary"), primary=MERGED)
    merge["properties"]["secondary"] = MERGED
    form = {"form_id": {"type": "string", "minLength": 1, "maxLength": 60}}
    batch = shape(("batch",), batch={"type": "array", "items": OPERATION, "minItems": 1, "maxItems": 6})
    paths = {
        person: {"put": route(WHOM, V1_ATTRIBUTES, answers(ONE, OK)), "delete": _control()},
        f"{person}/devices": {"put": route(WHOM, device, answers(LIST, OK))},
        f"{person}/devices/{{device_id}}": {"delete": route(WHOM | token, EMPTY, answers(LIST, OK), is_optional=True)},
        f"{person}/suppress": {"post": _control()},
        f"{person}/unsuppress": {"post": _control()},
        f"{person}/events": {"post": route(WHOM, EVENT, answers(ONE, OK))},
        f"{v1}/events": {"post": route({}, EVENT, answers(ONE, OK))},
        f"{v1}/merge_customers": {"post": route({}, merge, answers(ONE, OK))},
        f"{v1}/segments/{{segment_id}}/add_customers": {"post": _members()},
        f"{v1}/segments/{{segment_id}}/remove_customers": {"post": _members()},
        f"{v1}/forms/{{form_id}}/submit": {
            "post": route(form, shape(("data",), data=FILLED), answers(LIST, {"204": None}))
        },
        f"{v1}/metrics": {"post": route({}, METRIC, open_answers)},
        f"{v1}/push/events": {"post": route({}, PUSHED, open_answers)},
        "/unsubscribe/{delivery_id}": {
            "post": route({"delivery_id": TEXT}, shape(unsubscribe={"type": "boolean"}), open_answers, is_optional=True)
        },
        f"{v1}/accounts/region": {"get": route({}, None, answers(ONE, {"200": REGION}))},
        f"{v2}/entity": {"post": route({}, OPERATION, answers(V2, OK))},
        f"{v2}/batch": {"post": route({}, batch, answers(V2, {**OK, "207": V2}))},
    }
    info = {"title": "Track API", "version": "2026"}
    return {"openapi": "3.1.0", "info": info, "paths": paths}
