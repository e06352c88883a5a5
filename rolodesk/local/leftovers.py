"""Processes that an earlier start left behind, known by a variable or a working directory that only ours have."""

import contextlib
import os
import signal
import time
from pathlib import Path

from rolodesk.local.keys import MARK
from rolodesk.local.paths import Paths

PROC = Path("/proc")
PATIENCE_SECONDS = 30.0


def find(paths: Paths) -> list[int]:
    """All live processes of this data folder's stack, but for ourselves and those who started us."""
    if not PROC.is_dir():
        return []
    excluded = ancestors(os.getpid())
    cluster = (paths.data / "postgres" / "cluster").resolve()
    numbers = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return [number for number in numbers if number not in excluded and is_ours(number, paths.data, cluster)]


def is_ours(number: int, data: Path, cluster: Path) -> bool:
    """Whether a process bears the mark, or is a PostgreSQL (it overwrites its environment) in our cluster."""
    folder = PROC / str(number)
    try:
        if f"{MARK}={data}".encode() in (folder / "environ").read_bytes().split(b"\0"):
            return True
        return (folder / "cwd").readlink() == cluster
    except OSError:  # it has ended, or belongs to somebody else
        return False


def ancestors(number: int) -> set[int]:
    """A process, its parent and so on."""
    found: set[int] = set()
    while number > 0 and number not in found:
        found.add(number)
        try:
            # The name, in brackets, may hold anything; the parent is the second word after it.
            number = int((PROC / str(number) / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            break
    return found


def postmaster(paths: Paths) -> int | None:
    """The pid that PostgreSQL wrote down."""
    try:
        return int((paths.data / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def stop(paths: Paths) -> None:
    """End all of them, gently first. PostgreSQL gets the signal that makes it end in order at once."""
    until = time.monotonic() + PATIENCE_SECONDS
    asked: set[int] = set()
    while left := find(paths):
        is_late = time.monotonic() > until
        server = postmaster(paths)
        for number in left:
            if is_late:
                send(number, signal.SIGKILL)
            elif number not in asked:
                send(number, signal.SIGINT if number == server else signal.SIGTERM)
                asked.add(number)
        time.sleep(0.1)


def send(number: int, kind: signal.Signals) -> None:
    """Signal a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, kind)


def clear(paths: Paths) -> None:
    """Stop what is left, then remove pid files and sockets that nobody holds."""
    stop(paths)
    for folder in {paths.run, paths.sockets}:
        for pattern in ("*.pid", "*.sock", "*.sock.*"):
            for path in folder.glob(pattern):
                path.unlink(missing_ok=True)
