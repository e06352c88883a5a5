"""Reading and writing ``demo.json``: readable by its owner only, and never half written."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAME = "demo.json"
MODE = 0o600


class CannotWrite(Exception):
    """The data folder does not take the file; ``str(error)`` says why in one line."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file's folder for ourselves; the lock ends with the process, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise _cannot(path, error) from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def read(path: Path) -> dict[str, Any]:
    """What the file holds; nothing if it is missing or no longer JSON."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def section(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A part of the file; people edit it, so the part may be of any kind."""
    part = document.get(name)
    return part if isinstance(part, dict) else {}


def check_writable(path: Path) -> None:
    """Raise CannotWrite before anything is changed that only this file would tell."""
    try:
        _create_beside(path, "").unlink()
    except OSError as error:
        raise _cannot(path, error) from error


def write(path: Path, document: dict[str, Any]) -> None:
    """Replace the file in one step. Raises CannotWrite."""
    fresh: Path | None = None
    try:
        fresh = _create_beside(path, json.dumps(document, indent=2) + "\n")
        fresh.replace(path)
    except OSError as error:
        raise _cannot(path, error) from error
    finally:
        if fresh is not None:
            fresh.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """The same for a file of another form."""
    _create_beside(path, text).replace(path)


def _create_beside(path: Path, text: str) -> Path:
    """A new file in the same folder, private from its first byte and safely on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def _cannot(path: Path, error: OSError) -> CannotWrite:
    return CannotWrite(f"Cannot write {path}: {error.strerror or 'unknown error'}.")
