"""Reports about messages, and the unsubscribe call. Without credentials: nothing here names a workspace."""

import re

from dialects.customerio_track.bodies import document, optional_document
from dialects.customerio_track.errors import REQUIRED, Invalid
from dialects.customerio_track.fields import (
    MAX_IDENTIFIER,
    MAX_VALUE,
    clean,
    given_identifiers,
    identifier,
    is_longer,
    is_true,
    person_of_shape,
    required_hash,
)
from dialects.kit import times
from rolodesk.json import Json
from tracking.intake.operations import Operation, Ref, ReportDelivery, Unsubscribe

# Which of them a channel has is not checked: the call does not say the channel.
METRICS = ("bounced", "clicked", "converted", "deferred", "delivered", "dropped", "opened", "spammed")
PUSH_METRICS = ("converted", "delivered", "opened")
PUSH = "push"
DETAILS = ("recipient", "reason", "href")

# Base64 in either alphabet as the vendor's are, UUIDs and the like of other senders.
_DELIVERY_ID = re.compile(rf"[A-Za-z0-9+/_=.:~-]{{1,{MAX_IDENTIFIER}}}")
_NUMBER = re.compile(r"\+?[0-9]{7,15}")


def _delivery_id(value: Json) -> str | None:
    """The value if it has the form of one."""
    return value if type(value) is str and _DELIVERY_ID.fullmatch(value) else None


# --- Version 1: accepted whatever it says -----------------------------------------------------------


def v1_metric(body: bytes) -> ReportDelivery | None:
    """``POST /api/v1/metrics``. None: it says nothing that could be used."""
    item = document(body)
    delivery_id, metric, recipient = _delivery_id(item.get("delivery_id")), item.get("metric"), item.get("recipient")
    if delivery_id is None or metric not in METRICS:
        return None
    details = {name: item[name] for name in DETAILS if item.get(name) is not None}
    return _report(delivery_id, metric, details, item, recipient=_recipient(recipient))


def v1_push(body: bytes) -> ReportDelivery | None:
    """``POST /api/v1/push/events``, the older form of it for pushes."""
    item = document(body)
    delivery_id, metric, token = _delivery_id(item.get("delivery_id")), item.get("event"), item.get("device_id")
    if delivery_id is None or metric not in PUSH_METRICS:
        return None
    return _report(delivery_id, metric, {} if token is None else {"recipient": token}, item, channel=PUSH)


def _report(
    delivery_id: str,
    metric: str,
    details: dict[str, Json],
    item: dict[str, Json],
    *,
    recipient: Ref | None = None,
    channel: str = "",
) -> ReportDelivery:
    """Details that cannot be stored as they are do not come along."""
    fitting = {name: clean(value) for name, value in details.items() if _fits(value)}
    return ReportDelivery(delivery_id, metric, recipient, channel, fitting, times.micros(item.get("timestamp")))


def _fits(value: Json) -> bool:
    return type(value) is int or (type(value) is str and not is_longer(value, MAX_VALUE))


def _recipient(value: Json) -> Ref | None:
    """Whom the recipient of a message names: an address, a number, else an id. A push names a device: nobody."""
    try:
        text = identifier(value, "recipient")
    except Invalid:
        return None
    if text is None:
        return None
    # Only of text messages the recipient comes as a number.
    if (type(value) is int or text.startswith("+")) and _NUMBER.fullmatch(text):
        return Ref("phone", f"+{text.removeprefix('+')}")
    return person_of_shape(text)


# --- Version 2 -------------------------------------------------------------------------------------


def v2_event(item: dict[str, Json]) -> list[Operation]:
    """Action ``event`` of a delivery: what became of a push."""
    given = given_identifiers(item.get("identifiers"), "identifiers")
    if "id" not in given:
        raise Invalid("id is required", field="identifiers.id", reason=REQUIRED)
    delivery_id = _delivery_id(given["id"])
    if delivery_id is None:
        raise Invalid("id is not a delivery id", field="identifiers.id")
    metric = item.get("name")
    if metric is None or metric == "":
        raise Invalid("name is required", field="name", reason=REQUIRED)
    if metric not in PUSH_METRICS:
        raise Invalid("name must be one of opened, converted or delivered", field="name")
    facts = required_hash(item.get("attributes"), "attributes", "attributes")
    token = identifier(facts.get("device_token"), "device_token", "attributes.device_token", limit=MAX_VALUE)
    if token is None:
        raise Invalid("device_token is required", field="attributes.device_token", reason=REQUIRED)
    return [_report(delivery_id, metric, {"recipient": token}, item, channel=PUSH)]


# --- Unsubscribe -------------------------------------------------------------------------------------


def check_content_type(header: bytes | None) -> None:
    """The vendor wants JSON. Forms of web pages, which any site can send for its visitors, are something else."""
    if header is not None and header.split(b";")[0].strip().lower() != b"application/json":
        raise Invalid("content type must be application/json")


def unsubscribe(delivery_id: str, body: bytes) -> Unsubscribe:
    """``POST /unsubscribe/{delivery_id}``; ``false`` takes it back, as one client has it."""
    value = optional_document(body).get("unsubscribe")
    if _delivery_id(delivery_id) is None:
        raise Invalid("delivery_id has the wrong format", field="delivery_id")
    if value is None or is_true(value):
        return Unsubscribe(delivery_id)
    if value is False or value == 0 or (type(value) is str and value.lower() in ("false", "0")):
        return Unsubscribe(delivery_id, is_unsubscribed=False)
    raise Invalid("unsubscribe must be true or false", field="unsubscribe")
