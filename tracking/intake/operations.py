"""What a face may ask the write gate to do, free of any wire format.

A dialect parses and validates its own format, then speaks these. They are stored in the inbox as JSON
and decoded by the worker with the same types.

``Identify`` and ``Track`` are applied many at once. All others are *serial*: each is applied by itself,
after everything that was accepted before it and before everything that came later.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from rolodesk.json import Json

# Identifier kind that names a customer by its own id (a UUID in text) and never creates one.
CUSTOMER_ID = "customer_id"
# Topic number that stands for messages altogether.
EVERYTHING = 0


class Ref(msgspec.Struct, frozen=True, array_like=True):
    """How a customer is named: kind of identifier and value, such as ``Ref("email", "a@b.example")``."""

    kind: str
    value: str


class ObjectRef(msgspec.Struct, frozen=True, array_like=True):
    """How an object is named: number of its type and its key. Type 0: the key is the object's own UUID in text."""

    type: int
    key: str


class Link(msgspec.Struct, frozen=True, array_like=True):
    """An object that a customer belongs to; null or the empty text removes an attribute of the relationship."""

    object: ObjectRef
    attributes: dict[str, Json] = {}


class PersonLink(msgspec.Struct, frozen=True, array_like=True):
    """The same seen from the object."""

    who: Ref
    attributes: dict[str, Json] = {}


class _Operation(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="op", tag=str.lower):
    """Base of all; the tag is the name of the class in lower case."""


class Identify(_Operation, frozen=True, omit_defaults=True):
    """Create or update a customer.

    ``identifiers`` are further ones to match or to set; ``properties`` maps names to JSON values, null or
    the empty text removes. ``at`` is when it happened in microseconds since 1970 (None: on receipt); the
    newest write of a property wins.

    ``consent`` maps topic numbers (EVERYTHING: messages altogether) to whether he is subscribed;
    ``is_all_consent``: topics that are not named are forgotten (EVERYTHING is no topic).
    """

    who: Ref
    identifiers: dict[str, str] = {}
    properties: dict[str, Json] = {}
    at: int | None = None
    may_create: bool = True
    consent: dict[int, bool] = {}
    is_all_consent: bool = False


class Track(_Operation, frozen=True, omit_defaults=True):
    """Something a customer did. ``id`` is the client's own id of it: a repeat has no effect.

    ``at`` is microseconds since 1970; None takes the time from the id if it carries one (ULID, UUIDv7),
    else the time of receipt.
    """

    who: Ref
    name: str
    kind: Literal["event", "page", "screen", "message", "system"] = "event"
    properties: dict[str, Json] = {}
    id: str | None = None
    at: int | None = None


class Delete(_Operation, frozen=True, omit_defaults=True):
    """Remove a customer and all his data; his identifiers become free."""

    who: Ref


class Suppress(_Operation, frozen=True, omit_defaults=True):
    """The same, and bar all his identifiers; one that belongs to nobody is barred too."""

    who: Ref


class Unsuppress(_Operation, frozen=True, omit_defaults=True):
    """Free an identifier and those that were barred together with it."""

    who: Ref


class Merge(_Operation, frozen=True, omit_defaults=True):
    """Join two customers; the primary must exist and keeps what he has."""

    primary: Ref
    secondary: Ref


class PutDevice(_Operation, frozen=True, omit_defaults=True):
    """Add or update a device. ``last_used`` is microseconds since 1970 (None: on receipt)."""

    who: Ref
    token: str
    platform: str
    last_used: int | None = None
    attributes: dict[str, Json] = {}


class DropDevice(_Operation, frozen=True, omit_defaults=True):
    """Remove a device of a customer."""

    who: Ref
    token: str


class Relate(_Operation, frozen=True, omit_defaults=True):
    """Put a customer into objects, or take him out of them. Objects that do not exist are made."""

    who: Ref
    links: list[Link]
    is_removal: bool = False
    may_create: bool = True


class PutObject(_Operation, frozen=True, omit_defaults=True):
    """Create or update an object and put people into it; people who do not exist are made."""

    object: ObjectRef
    attributes: dict[str, Json] = {}
    people: list[PersonLink] = []


class RelatePeople(_Operation, frozen=True, omit_defaults=True):
    """Put people into an object, or take them out of it."""

    object: ObjectRef
    people: list[PersonLink]
    is_removal: bool = False


class DropObject(_Operation, frozen=True, omit_defaults=True):
    """Remove an object and all its relationships."""

    object: ObjectRef


class ChangeMembers(_Operation, frozen=True, omit_defaults=True):
    """Put people into a manual segment or take them out of it; whom nobody knows is passed over."""

    segment_id: int
    people: list[Ref]
    is_removal: bool = False


class ReportDelivery(_Operation, frozen=True, omit_defaults=True):
    """What became of a message: ``metric`` such as opened or bounced, ``details`` as the channel tells them.

    ``recipient`` makes an unknown delivery known, as far as it names a customer.
    """

    delivery_id: str
    metric: str
    recipient: Ref | None = None
    channel: str = ""
    details: dict[str, Json] = {}
    at: int | None = None


class Unsubscribe(_Operation, frozen=True, omit_defaults=True):
    """The recipient of a delivery wants no messages any more (or wants them again)."""

    delivery_id: str
    is_unsubscribed: bool = True


class SubmitForm(_Operation, frozen=True, omit_defaults=True):
    """Somebody filled in a form: ``data`` as he did, ``identifiers`` and ``attributes`` as it is mapped."""

    form: str
    who: Ref
    attributes: dict[str, str] = {}
    data: dict[str, str] = {}


Operation = (
    Identify
    | Track
    | Delete
    | Suppress
    | Unsuppress
    | Merge
    | PutDevice
    | DropDevice
    | Relate
    | PutObject
    | RelatePeople
    | DropObject
    | ChangeMembers
    | ReportDelivery
    | Unsubscribe
    | SubmitForm
)

# Numbers keep their digits on the way through the inbox: no detour through float.
_decoder = msgspec.json.Decoder(list[Operation], float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def is_serial(operation: Operation) -> bool:
    """Whether it must be applied by itself, in its order among all others."""
    return not isinstance(operation, (Identify, Track))


def named_by(operation: Operation) -> list[Ref]:
    """Every customer that an operation names."""
    found = [
        getattr(operation, name)
        for name in ("who", "primary", "secondary", "recipient")
        if getattr(operation, name, None) is not None
    ]
    if isinstance(operation, Identify):
        found += [Ref(kind, value) for kind, value in operation.identifiers.items()]
    elif isinstance(operation, (PutObject, RelatePeople)):
        found += [link.who for link in operation.people]
    elif isinstance(operation, ChangeMembers):
        found += operation.people
    return found


def encode(operations: list[Operation]) -> bytes:
    """The inbox's form of one request."""
    return _encoder.encode(operations)


def decode(body: str | bytes) -> list[Operation]:
    """The operations of one inbox row."""
    return _decoder.decode(body)
