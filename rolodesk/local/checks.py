"""What must hold before anything is started. Each check fails with one line that says what to do."""

import fcntl
import os
import shutil
import socket
import tempfile
from typing import TextIO

from rolodesk.local.errors import CannotStart
from rolodesk.local.paths import Paths

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
HIGHEST_PORT = 65535
FREE_BYTES = 1024**3
OPEN_MODE = 0o711  # PostgreSQL, as another user, passes through on the way to its own folder
CLOSED_MODE = 0o700


def read_port() -> int:
    """The port to listen on."""
    given = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not (given.isascii() and given.isdigit() and 0 < int(given) <= HIGHEST_PORT):
        message = f"PORT is {given!r}; it must be a number from 1 to {HIGHEST_PORT}."
        raise CannotStart(message)
    return int(given)


def make_folders(paths: Paths) -> None:
    """Make the data folder and prove that it can be written."""
    try:
        for folder in (paths.data.parent, paths.data):
            if not folder.exists():
                folder.mkdir(mode=CLOSED_MODE, parents=True)
                folder.chmod(OPEN_MODE if os.geteuid() == 0 else CLOSED_MODE)
        for folder in (paths.run, paths.log, paths.static):
            folder.mkdir(mode=CLOSED_MODE, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=paths.data):
            pass
    except OSError as error:
        message = f"The data folder {paths.data} cannot be written ({error.strerror}); set ROLODESK_DATA to another."
        raise CannotStart(message) from error


def check_space(paths: Paths) -> None:
    """Less than a gibibyte would end in the middle of something."""
    free = shutil.disk_usage(paths.data).free
    if free < FREE_BYTES:
        message = f"Only {free // 1024**2} MiB are free for the data folder {paths.data}; at least 1024 MiB are needed."
        raise CannotStart(message)


def take_lock(paths: Paths) -> TextIO:
    """Hold the data folder; the lock ends with this process, however it ends."""
    file = paths.lock.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        message = f"Rolodesk already runs on the data folder {paths.data} (process {holder})."
        raise CannotStart(message) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def check_port(port: int) -> None:
    """Somebody else may listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            message = (
                f"Port {port} cannot be used ({error.strerror}); set PORT to another, for example PORT={port + 1}."
            )
            raise CannotStart(message) from error
