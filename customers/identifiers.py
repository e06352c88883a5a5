"""Normal forms of identifiers and their keyed digests."""

import hmac
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import phonenumbers
from django.conf import settings
from email_validator import EmailNotValidError, validate_email

MAX_BYTES = 150


def _exact(text: str) -> str:
    return text.strip()


def _email(text: str) -> str:
    # Accents stay: they tell two mailboxes apart, unlike case.
    return unicodedata.normalize("NFC", text.strip()).lower()


def _phone(text: str) -> str:
    """E.164 where the text is an international number, else the bare text."""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return text.strip()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _whole_email(text: str) -> bool:
    try:
        validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def _whole_phone(text: str) -> bool:
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(text, None)))
    except phonenumbers.NumberParseException:
        return False


@dataclass(frozen=True, slots=True)
class Normaliser:
    """How values of a kind are compared, and whether a text could be a whole value of it."""

    apply: Callable[[str], str]
    is_whole: Callable[[str], bool]


NORMALISERS = {
    "exact": Normaliser(_exact, lambda text: bool(text.strip())),
    "email": Normaliser(_email, _whole_email),
    "phone": Normaliser(_phone, _whole_phone),
}


def normalise(normaliser: str, text: str) -> str:
    """The form that is compared: two spellings of one identifier give the same."""
    return NORMALISERS[normaliser].apply(text)


def is_valid(text: str) -> bool:
    """Not empty, at most 150 bytes, and without characters that cannot be stored."""
    return bool(text.strip()) and "\0" not in text and len(text.encode("utf-8", "replace")) <= MAX_BYTES


def lookup_digest(workspace_id: int, kind_id: int, normal: str) -> UUID:
    """The key of ``identifier_lookup``: 128 bits of HMAC, so a miss costs what a hit costs."""
    return UUID(bytes=_hmac(settings.LOOKUP_KEY, workspace_id, kind_id, normal)[:16])


def suppression_digest(workspace_id: int, kind_id: int, normal: str) -> bytes:
    """The key of ``suppressed_identifier``; another key than the look-up's, since it outlives erasure."""
    return _hmac(settings.SUPPRESSION_KEY, workspace_id, kind_id, normal)


def _hmac(key: bytes, workspace_id: int, kind_id: int, normal: str) -> bytes:
    return hmac.digest(key, b"%d\0%d\0%s" % (workspace_id, kind_id, normal.encode("utf-8", "replace")), "sha256")


def token_digest(workspace_id: int, token: str) -> UUID:
    """The key of ``device_lookup``."""
    return UUID(
        bytes=hmac.digest(settings.LOOKUP_KEY, b"device\0%d\0%s" % (workspace_id, _bytes(token)), "sha256")[:16]
    )


def object_digest(workspace_id: int, type_id: int, key: str) -> UUID:
    """The key of ``object_lookup``."""
    message = b"object\0%d\0%d\0%s" % (workspace_id, type_id, _bytes(key))
    return UUID(bytes=hmac.digest(settings.LOOKUP_KEY, message, "sha256")[:16])


def delivery_digest(delivery_id: str) -> UUID:
    """The key of ``delivery_lookup``; without the workspace, which a report does not name."""
    return UUID(bytes=hmac.digest(settings.LOOKUP_KEY, b"delivery\0" + _bytes(delivery_id), "sha256")[:16])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
