"""Devices of people. Raises Invalid, touches nothing stored."""

from dialects.customerio_track.bodies import document, optional_document
from dialects.customerio_track.errors import REQUIRED, Invalid
from dialects.customerio_track.fields import attributes, identifier, person, person_of_path, required_hash
from dialects.kit import times
from rolodesk.json import Json
from tracking.intake.operations import DropDevice, Operation, PutDevice, Ref

PLATFORMS = ("android", "ios")
# The vendor names no limit. Real tokens have 64 to some 200 characters; as long as a value is plenty.
MAX_TOKEN = 1000
# Of the device itself; clients put what they know beyond these beside them or into ``attributes``.
OWN = frozenset({"id", "token", "platform", "last_used", "attributes"})
READ_ONLY = "_last_status"


def v1_put(path_identifier: str, body: bytes) -> list[Operation]:
    """``PUT /api/v1/customers/{identifier}/devices``."""
    item = document(body)
    return _put(person_of_path(path_identifier), item, "id")


def v1_drop(path_identifier: str, token: str, body: bytes) -> list[Operation]:
    """``DELETE /api/v1/customers/{identifier}/devices/{device_id}``."""
    optional_document(body)
    who = person_of_path(path_identifier)
    text = _token(token, "id")
    return [] if who is None else [DropDevice(who, text)]


def v2_put(item: dict[str, Json]) -> list[Operation]:
    """Action ``add_device``."""
    return _put(person(item.get("identifiers")), item, "token")


def v2_drop(item: dict[str, Json]) -> list[Operation]:
    """Action ``delete_device``."""
    who = person(item.get("identifiers"))
    text = _token(required_hash(item.get("device"), "device", "device").get("token"), "token")
    return [] if who is None else [DropDevice(who, text)]


def _put(who: Ref | None, item: dict[str, Json], key: str) -> list[Operation]:
    device = required_hash(item.get("device"), "device", "device")
    token, platform = _token(device.get(key), key), _platform(device.get("platform"))
    beside = {name: value for name, value in device.items() if name not in OWN}
    within = required_hash(device.get("attributes") or {}, "device attributes", "device.attributes")
    known = attributes(beside | within, "device.attributes")
    known.pop(READ_ONLY, None)
    if who is None:
        return []
    return [PutDevice(who, token, platform, times.micros(device.get("last_used")), known)]


def _token(value: Json, key: str) -> str:
    text = identifier(value, f"device {key}", f"device.{key}", limit=MAX_TOKEN)
    if text is None:
        raise Invalid(f"device {key} is required", field=f"device.{key}", reason=REQUIRED)
    return text


def _platform(value: Json) -> str:
    if value is None or value == "":
        raise Invalid("device platform is required", field="device.platform", reason=REQUIRED)
    platform = value.strip().lower() if type(value) is str else ""
    if platform not in PLATFORMS:
        raise Invalid("device platform must be ios or android", field="device.platform")
    return platform
