"""The keys of an installation and the environment of its processes."""

import base64
import json
import os
import secrets
from pathlib import Path

from rolodesk.local.errors import CannotStart
from rolodesk.local.paths import Paths

NAMES = ("SECRET_KEY", "LOOKUP_KEY", "SUPPRESSION_KEY", "AUDIT_KEY", "CURSOR_KEY", "APP_KEY")
KEY_BYTES = 32
# Set for processes of ours and for no others, so that a later start knows what an earlier one left.
MARK = "ROLODESK_STACK"


def load_keys(path: Path) -> dict[str, str]:
    """The keys kept in this file; those that are missing are made and written."""
    try:
        keys: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    except ValueError as error:
        message = f"{path} is not JSON; restore it, what it protects cannot be read without it."
        raise CannotStart(message) from error
    missing = [f"ROLODESK_{name}" for name in NAMES if f"ROLODESK_{name}" not in keys]
    if missing:
        keys |= {name: base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode() for name in missing}
        write_secret(path, json.dumps(keys, indent=2) + "\n")
    return keys


def write_secret(path: Path, text: str) -> None:
    """Write a file that only we may read, whole or not at all."""
    part = path.with_name(path.name + ".new")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def make_environment(paths: Paths, port: int, *, database_url: str, broker_url: str) -> dict[str, str]:
    """The environment of all processes. What the caller set himself wins, but for the places of files."""
    defaults = load_keys(paths.keys) | {
        "DATABASE_URL": database_url,
        "BROKER_URL": broker_url,
        "ROLODESK_BASE_URL": f"http://127.0.0.1:{port}",
        "ROLODESK_EMBEDDED": "1",
        "DJANGO_SETTINGS_MODULE": "rolodesk.settings",
    }
    fixed = {
        "ROLODESK_DATA": str(paths.data),
        "ROLODESK_STATIC_ROOT": str(paths.static),
        "XDG_RUNTIME_DIR": str(paths.run),
        "PYTHONUNBUFFERED": "1",
        MARK: str(paths.data),
    }
    return defaults | {name: value for name, value in os.environ.items() if value} | fixed
