"""Fields that both versions of the wire have: identifiers, attributes, names. Limits are in UTF-8 bytes."""

import re
import unicodedata
from uuid import UUID

from dialects.customerio_track.errors import REQUIRED, TOO_LARGE, Invalid
from dialects.kit import times
from rolodesk.json import REPLACEMENT, Json, encode, storable
from tracking.intake.operations import CUSTOMER_ID, Identify, Ref

MAX_IDENTIFIER = 150
MAX_NAME = 150
MAX_VALUE = 1000
MAX_ATTRIBUTES = 300
BYTES_PER_CHARACTER = 4

# The wire's word -> our kind of identifier.
KINDS = {"id": "external_id", "email": "email", "anonymous_id": "anonymous_id", "phone": "phone"}
CIO_ID = "cio_id"
CIO_PREFIX = "cio_"

IDENTITY = ("id", "email", "anonymous_id")
TIMESTAMP, UPDATE = "_timestamp", "_update"
# Attributes that are no properties of the person. The server assigns cio_id; relationships and
# subscription preferences have calls of their own meaning.
RESERVED = frozenset({*IDENTITY, TIMESTAMP, UPDATE, CIO_ID, "cio_relationships", "cio_subscription_preferences"})
ONE_TOPIC = "cio_subscription_preferences."

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{32}")


def is_longer(text: str, limit: int) -> bool:
    """Whether the text has more bytes than the limit; most are short enough to tell without encoding."""
    length = len(text)
    return length * BYTES_PER_CHARACTER > limit and (length > limit or len(text.encode()) > limit)


def canonical(name: str) -> str:
    """A name as it is classified: composed characters, no spaces around it, nothing that cannot be stored."""
    if "\0" in name:
        name = name.replace("\0", REPLACEMENT)
    return name.strip() if name.isascii() else unicodedata.normalize("NFC", name).strip()


def clean(value: Json) -> Json:
    """A value that can be stored; the common kinds are told apart without a call."""
    kind = type(value)
    if (kind is str and "\0" not in value) or kind is bool or value is None:
        return value
    return storable(value)


def clean_names(values: dict[str, Json]) -> dict[str, Json]:
    """An object whose own names are canonical and whose values can be stored."""
    return {canonical(name): clean(value) for name, value in values.items()}


def identifier(value: Json, name: str, field: str = "") -> str | None:
    """An identifier as text; None when it is absent, null or blank. Numbers are ids too."""
    if value is None:
        return None
    if type(value) is int and value.bit_length() < MAX_IDENTIFIER * BYTES_PER_CHARACTER:
        value = str(value)
    if type(value) is not str:
        raise Invalid(f"{name} attribute must be a string value", field=field)
    text = value.strip()
    if not text:
        return None
    if is_longer(text, MAX_IDENTIFIER):
        raise Invalid(f"{name} attribute cannot be longer than {MAX_IDENTIFIER} bytes", field=field, reason=TOO_LARGE)
    # NUL cannot be stored; U+FFFD stands where a lone surrogate or broken UTF-8 was.
    if "\0" in text or REPLACEMENT in text:
        raise Invalid(f"{name} attribute contains characters that are not allowed", field=field)
    return text


def required_identifier(value: Json, name: str, field: str = "") -> str:
    """The same where there must be one."""
    text = identifier(value, name, field)
    if text is None:
        raise Invalid(f"{name} attribute cannot be an empty string", field=field, reason=REQUIRED)
    return text


def person_of_path(text: str) -> Ref | None:
    """Whom a path names; the shape of the value decides its kind. None: a ``cio_id`` that cannot exist."""
    value = required_identifier(text, "id")
    if value.startswith(CIO_PREFIX):
        return person_of_cio_id(value)
    if "@" in value and _EMAIL.fullmatch(value):
        return Ref("email", value)
    return Ref("external_id", value)


def person_of_cio_id(value: str) -> Ref | None:
    """The customer with this id of ours, with or without the prefix; None when it is none of ours."""
    digits = value.removeprefix(CIO_PREFIX)
    return Ref(CUSTOMER_ID, str(UUID(digits))) if _HEXADECIMAL.fullmatch(digits) else None


def identify(who: Ref | None, attributes: Json, *, at: int | None = None, field: str = "") -> Identify | None:
    """Attributes of a person as an operation; None when there is nobody to apply them to."""
    if type(attributes) is not dict:
        raise Invalid("attributes must be a hash", field=field.rstrip("."))
    if len(attributes) > MAX_ATTRIBUTES:
        message = f"cannot identify more than {MAX_ATTRIBUTES} attributes in one request"
        raise Invalid(message, field=field.rstrip("."), reason=TOO_LARGE)
    properties: dict[str, Json] = {}
    special: dict[str, Json] = {}
    for key, value in attributes.items():
        name = canonical(key)
        if name in RESERVED or name.startswith(ONE_TOPIC):
            special[name] = value
        else:
            properties[name] = _property(name, value, field)
    given = {KINDS[name]: identifier(special.get(name), name, field + name) for name in IDENTITY}
    if at is None:
        at = times.micros(special.get(TIMESTAMP))
    if who is None:
        return None
    identifiers = {
        kind: text for kind, text in given.items() if text is not None and (kind, text) != (who.kind, who.value)
    }
    return Identify(who, identifiers, properties, at, may_create=not _is_true(special.get(UPDATE)))


def _property(name: str, value: Json, field: str) -> Json:
    if not name:
        raise Invalid("attribute name cannot be empty", field=field.rstrip("."))
    if is_longer(name, MAX_NAME):
        message = f"attribute name cannot be longer than {MAX_NAME} bytes"
        raise Invalid(message, field=field.rstrip("."), reason=TOO_LARGE)
    value = clean(value)
    kind = type(value)
    if kind is str:
        is_long = is_longer(value, MAX_VALUE)
    elif kind is dict or kind is list:
        # The stored form counts: an object is as long as its JSON text.
        is_long = len(encode(value)) > MAX_VALUE
    else:
        return value
    if is_long:
        message = f"value for attribute '{name}' cannot be longer than {MAX_VALUE} bytes"
        raise Invalid(message, field=field + name, reason=TOO_LARGE)
    return value


def _is_true(value: Json) -> bool:
    """Whoever says that nobody must be created may say it loosely."""
    return value is True or value == 1 or (type(value) is str and value.strip().lower() in ("true", "1"))
