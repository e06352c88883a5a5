"""Opaque text for cursors and stored searches: encrypted, authenticated, bound to its viewer, expiring."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken

from rolodesk import json
from rolodesk.errors import HandleRefused


def _box(key: bytes, binding: str) -> Fernet:
    """A box that opens only for the same key and binding."""
    derived = hashlib.blake2b(binding.encode(), key=key, digest_size=32).digest()
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(key: bytes, binding: str, value: json.Json) -> str:
    """Seal a JSON value; ``binding`` says for whom and what (never stored)."""
    return _box(key, binding).encrypt(json.encode(value)).decode()


def unseal(key: bytes, binding: str, text: str, *, max_age: int | None) -> json.Json:
    """Open a sealed value. Raises HandleRefused when it is forged, foreign, or older than ``max_age`` seconds."""
    try:
        return json.decode(_box(key, binding).decrypt(text.encode("ascii", "replace"), ttl=max_age))
    except (InvalidToken, json.JsonError) as error:
        raise HandleRefused from error
