"""Start a program so that it ends with its parent: ``python -m rolodesk.local.child PIDFILE [options] -- cmd …``.

The kernel sends the stop signal when the parent dies, however it dies; nothing lingers after ``kill -9``.
"""

import argparse
import contextlib
import ctypes
import os
import pwd
import signal
import sys
from pathlib import Path

from rolodesk.local import leftovers
from rolodesk.local.paths import Paths

PR_SET_PDEATHSIG = 1
# All that the services need to know; the keys are none of their business.
SERVICE_VARIABLES = ("PATH", "LANG", "TZ", "TMPDIR", "ROLODESK_STACK")


def end_with_parent(number: int, parent: int) -> None:
    """Ask the kernel for this signal at the parent's death, and go at once when that came first."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def become(user: str) -> None:
    """Drop to this user for good."""
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def end_predecessor(pidfile: Path) -> None:
    """After ``kill -9`` a server's own children may live on and keep answering; they share its process group."""
    try:
        group = int(pidfile.read_text())
    except (OSError, ValueError):
        return
    for number in leftovers.find(Paths(pidfile.parent.parent)):
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(number) == group:
                os.kill(number, signal.SIGKILL)


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options before ``--`` and the command after it."""
    parser = argparse.ArgumentParser(prog="rolodesk.local.child")
    parser.add_argument("pidfile", type=Path)
    parser.add_argument("--user")
    parser.add_argument("--signal", default="TERM", choices=("TERM", "INT"))
    parser.add_argument("--service", action="store_true")
    split = arguments.index("--")
    options = parser.parse_args(arguments[:split])
    options.command = arguments[split + 1 :]
    return options


def main(arguments: list[str]) -> None:
    """Become the command."""
    parent = os.getppid()
    options = parse(arguments)
    if not options.service:  # PostgreSQL's children notice by themselves, and need to
        end_predecessor(options.pidfile)
    options.pidfile.write_text(f"{os.getpid()}\n")
    environment = dict(os.environ)
    if options.service:
        environment = {name: os.environ[name] for name in SERVICE_VARIABLES if name in os.environ}
    if options.user:
        os.chdir("/")
        become(options.user)  # before the next line: a change of user forgets the wish
    end_with_parent(signal.Signals[f"SIG{options.signal}"], parent)
    os.execvpe(options.command[0], options.command, environment)  # noqa: S606  # no shell wanted


if __name__ == "__main__":
    main(sys.argv[1:])
