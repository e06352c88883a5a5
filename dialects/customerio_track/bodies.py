"""Bodies of requests as JSON. Raises Invalid."""

from dialects.customerio_track.errors import Invalid
from rolodesk import json
from rolodesk.json import Json, JsonError, Repeated


def document(body: bytes) -> dict[str, Json]:
    """The body's JSON, an object."""
    try:
        value = json.decode(body)
    except (JsonError, ArithmeticError) as error:
        # A JsonError says what is wrong without quoting; decimal's own errors do not.
        raise Invalid(str(error) if isinstance(error, JsonError) else "a number is out of range") from error
    if type(value) is not dict:
        raise Invalid("request body must be a JSON object")
    return value


def optional_document(body: bytes) -> dict[str, Json]:
    """The same where clients may send nothing at all."""
    return document(body) if body.strip() else {}


def refuse_repeats(body: bytes) -> None:
    """Whom an irreversible call means must not depend on which of two equal keys is read (security.md I10)."""
    if isinstance(json.mark_repeats(body), Repeated):
        raise Invalid("a key must not be repeated")


def repeated_items(body: bytes) -> frozenset[int]:
    """The items of a batch in which a key is repeated, by index."""
    items = json.mark_repeats(body)["batch"]
    return frozenset(index for index, item in enumerate(items) if isinstance(item, Repeated))
