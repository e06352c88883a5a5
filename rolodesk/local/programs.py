"""A program of the local stack, and how it is started."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Program:
    """What to run. Services get no keys; ``user`` is the system user to drop to."""

    name: str
    command: list[str]
    priority: int
    is_service: bool = False
    user: str | None = None
    stop_signal: Literal["TERM", "INT"] = "TERM"
    stop_seconds: int = 20


def wrap(program: Program, pidfile: Path) -> list[str]:
    """The command line that starts the program through ``rolodesk.local.child``."""
    options = ["--signal", program.stop_signal]
    if program.is_service:
        options.append("--service")
    if program.user:
        options += ["--user", program.user]
    return [sys.executable, "-m", "rolodesk.local.child", os.fspath(pidfile), *options, "--", *program.command]


def manage(*arguments: str) -> list[str]:
    """A ``manage.py`` command; the folder of the repository is the working directory of everything."""
    return [sys.executable, "manage.py", *arguments]


def tool(name: str) -> str:
    """A script installed beside this Python."""
    return str(Path(sys.executable).parent / name)
