"""What a face may ask the write gate to do, free of any wire format.

A dialect parses and validates its own format, then speaks these. They are stored in the inbox as JSON
and decoded by the worker with the same types.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from rolodesk.json import Json

# Identifier kind that names a customer by its own id (a UUID in text) and never creates one.
CUSTOMER_ID = "customer_id"


class Ref(msgspec.Struct, frozen=True, array_like=True):
    """How a customer is named: kind of identifier and value, such as ``Ref("email", "a@b.example")``."""

    kind: str
    value: str


class Identify(msgspec.Struct, frozen=True, omit_defaults=True, tag="identify", tag_field="op"):
    """Create or update a customer.

    ``identifiers`` are further ones to match or to set; ``properties`` maps names to JSON values, null or
    the empty text removes. ``at`` is when it happened in microseconds since 1970 (None: on receipt); the
    newest write of a property wins.
    """

    who: Ref
    identifiers: dict[str, str] = {}
    properties: dict[str, Json] = {}
    at: int | None = None
    may_create: bool = True


class Track(msgspec.Struct, frozen=True, omit_defaults=True, tag="track", tag_field="op"):
    """Something a customer did. ``id`` is the client's own id of it: a repeat has no effect.

    ``at`` is microseconds since 1970; None takes the time from the id if it carries one (ULID, UUIDv7),
    else the time of receipt.
    """

    who: Ref
    name: str
    kind: Literal["event", "page", "screen"] = "event"
    properties: dict[str, Json] = {}
    id: str | None = None
    at: int | None = None


Operation = Identify | Track

# Numbers keep their digits on the way through the inbox, as they do on the wire.
_decoder = msgspec.json.Decoder(list[Operation], float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(operations: list[Operation]) -> bytes:
    """The inbox's form of one request."""
    return _encoder.encode(operations)


def decode(body: str | bytes) -> list[Operation]:
    """The operations of one inbox row."""
    return _decoder.decode(body)
