"""Processor time of processes, from /proc."""

import os
from collections.abc import Iterable
from pathlib import Path

from rolodesk.database import Connection

PROC = Path("/proc")
_TICK = 1 / os.sysconf("SC_CLK_TCK")
# Of the words after the name in brackets: parent, then user, system, and the same of ended children.
_PARENT, _TIMES = 1, slice(11, 15)


def _words(pid: int) -> list[str]:
    try:
        # The name, in brackets, may hold anything.
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return []


def parent(pid: int) -> int:
    """The process that started this one; 0 if there is none here."""
    words = _words(pid)
    return int(words[_PARENT]) if words else 0


def own(pid: int) -> float:
    """Seconds of one process, without its children."""
    return sum(map(int, _words(pid)[_TIMES][:2])) * _TICK


def of_trees(roots: Iterable[int]) -> float:
    """Seconds of these processes and all below them, ended ones included."""
    words = {int(entry.name): _words(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit()}
    children: dict[int, list[int]] = {}
    for pid, found in words.items():
        if found:
            children.setdefault(int(found[_PARENT]), []).append(pid)
    total, waiting = 0, list(roots)
    while waiting:
        pid = waiting.pop()
        total += sum(map(int, words.get(pid, [])[_TIMES]))
        waiting += children.get(pid, [])
    return total * _TICK


def postmaster(connection: Connection) -> int:
    """The server's first process; 0 when the server runs elsewhere."""
    found = parent(connection.info.backend_pid)
    try:
        name = (PROC / str(found) / "comm").read_text().strip() if found else ""
    except OSError:
        return 0
    return found if name.startswith("postgres") else 0
