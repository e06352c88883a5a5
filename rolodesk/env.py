"""Typed settings from the environment.

Every value is read here and nowhere else, so that a missing or malformed one stops the process at
start with its name. A secret may also come from a file: ``ROLODESK_SECRET_KEY_FILE=/run/secrets/key``.
"""

import base64
import binascii
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

_env = environ.FileAwareEnv()

KEY_BYTES = 32


def text(name: str, default: str | None = None) -> str:
    """A string; without a default the variable must be set."""
    return str(_env.str(name) if default is None else _env.str(name, default=default))


def flag(name: str, *, default: bool) -> bool:
    """A yes/no value: 1, true, yes, on and their opposites."""
    return bool(_env.bool(name, default=default))


def number(name: str, *, default: int) -> int:
    """A whole number."""
    return int(_env.int(name, default=default))


def words(name: str, *, default: list[str]) -> list[str]:
    """A list separated by commas."""
    return [str(word) for word in _env.list(name, default=default)]


def folder(name: str, *, default: Path) -> Path:
    """A path; it need not exist yet."""
    return Path(text(name, str(default))).resolve()


def key(name: str) -> bytes:
    """A secret of 32 bytes in URL-safe base64. There is no default: a guessable key is worse than none."""
    try:
        value = base64.urlsafe_b64decode(text(name))
    except (binascii.Error, ValueError) as error:
        message = f"{name} is not URL-safe base64."
        raise ImproperlyConfigured(message) from error
    if len(value) != KEY_BYTES:
        message = f"{name} must hold {KEY_BYTES} bytes, it holds {len(value)}."
        raise ImproperlyConfigured(message)
    return value
