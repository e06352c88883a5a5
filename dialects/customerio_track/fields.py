"""Fields that both versions of the wire have: identifiers, attributes, names. Limits are in UTF-8 bytes."""

import re
import unicodedata
from uuid import UUID

from dialects.customerio_track.errors import REQUIRED, TOO_LARGE, Invalid
from rolodesk.json import REPLACEMENT, Json, encode, storable
from tracking.intake.operations import CUSTOMER_ID, Ref

MAX_IDENTIFIER = 150
MAX_NAME = 150
MAX_VALUE = 1000
MAX_ATTRIBUTES = 300
# All attributes of one object, relationship or device.
MAX_TOTAL = 100 * 1024
MAX_INTEGER = 2**31 - 1
BYTES_PER_CHARACTER = 4

# The wire's word -> our kind of identifier.
KINDS = {"id": "external_id", "email": "email", "anonymous_id": "anonymous_id", "phone": "phone"}
CIO_ID = "cio_id"
CIO_PREFIX = "cio_"

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{32}")


# --- Text ------------------------------------------------------------------------------------------


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


def is_true(value: Json) -> bool:
    """Any letter case of "true", the number 1 or "1": how this wire says yes."""
    return value is True or value == 1 or (type(value) is str and value.lower() in ("true", "1"))


def required_hash(value: Json, name: str, field: str) -> dict[str, Json]:
    """An object that must be there."""
    if value is None:
        raise Invalid(f"{name} is required", field=field, reason=REQUIRED)
    if type(value) is not dict:
        raise Invalid(f"{name} must be a hash", field=field)
    return value


# --- Attributes --------------------------------------------------------------------------------------


def attribute(name: str, value: Json, field: str) -> Json:
    """The value of one attribute, within its limits. ``field`` is the path before the name."""
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


def attributes(given: Json, field: str) -> dict[str, Json]:
    """Attributes of what is no person; none when absent. Null and the empty text stay: they remove."""
    if given is None:
        return {}
    if type(given) is not dict:
        raise Invalid("attributes must be a hash", field=field)
    if len(given) > MAX_ATTRIBUTES:
        message = f"cannot have more than {MAX_ATTRIBUTES} attributes"
        raise Invalid(message, field=field, reason=TOO_LARGE)
    found = {name: attribute(name, value, f"{field}.") for name, value in clean_names(given).items()}
    if len(encode(found)) > MAX_TOTAL:
        raise Invalid(f"attributes cannot be larger than {MAX_TOTAL} bytes", field=field, reason=TOO_LARGE)
    return found


# --- Identifiers -------------------------------------------------------------------------------------


def identifier(value: Json, name: str, field: str = "", *, limit: int = MAX_IDENTIFIER) -> str | None:
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
    if is_longer(text, limit):
        raise Invalid(f"{name} attribute cannot be longer than {limit} bytes", field=field, reason=TOO_LARGE)
    # NUL cannot be stored; U+FFFD stands where a lone surrogate or broken UTF-8 was.
    if "\0" in text or REPLACEMENT in text:
        raise Invalid(f"{name} attribute contains characters that are not allowed", field=field)
    return text


def required_identifier(value: Json, name: str, field: str = "", *, limit: int = MAX_IDENTIFIER) -> str:
    """The same where there must be one."""
    text = identifier(value, name, field, limit=limit)
    if text is None:
        raise Invalid(f"{name} attribute cannot be an empty string", field=field, reason=REQUIRED)
    return text


def given_identifiers(found: Json, field: str) -> dict[str, Json]:
    """An object of identifiers, without those that are null."""
    if found is None:
        raise Invalid("identifiers are required", field=field, reason=REQUIRED)
    if type(found) is not dict:
        raise Invalid("identifiers must be a hash", field=field)
    given = {key: value for key, value in found.items() if value is not None}
    if not given:
        raise Invalid("identifiers are required", field=field, reason=REQUIRED)
    return given


def person(identifiers: Json, field: str = "identifiers") -> Ref | None:
    """Whom an object of identifiers names: exactly one key. None: a ``cio_id`` that cannot exist."""
    given = given_identifiers(identifiers, field)
    if len(given) > 1:
        raise Invalid("identifiers must have exactly one key", field=field)
    ((key, value),) = given.items()
    if key != CIO_ID and key not in KINDS:
        raise Invalid("identifiers must be one of id, email, phone, cio_id or anonymous_id", field=field)
    text = required_identifier(value, key, f"{field}.{key}")
    return person_of_cio_id(text) if key == CIO_ID else Ref(KINDS[key], text)


def person_of_path(text: str) -> Ref | None:
    """Whom a path names; the shape of the value decides its kind. None: a ``cio_id`` that cannot exist."""
    value = required_identifier(text, "id")
    if value.startswith(CIO_PREFIX):
        return person_of_cio_id(value)
    return person_of_shape(value)


def person_of_shape(value: str) -> Ref:
    """An address where it looks like one, else an id."""
    if "@" in value and _EMAIL.fullmatch(value):
        return Ref("email", value)
    return Ref("external_id", value)


def person_of_cio_id(value: str) -> Ref | None:
    """The customer with this id of ours, with or without the prefix; None when it is none of ours."""
    own = own_id(value)
    return None if own is None else Ref(CUSTOMER_ID, own)


def own_id(value: str) -> str | None:
    """An id of ours as it is stored; None when it cannot be one."""
    digits = value.removeprefix(CIO_PREFIX)
    return str(UUID(digits)) if _HEXADECIMAL.fullmatch(digits) else None
