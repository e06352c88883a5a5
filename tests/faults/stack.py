"""A whole stack of our own, as ``make up`` starts it, and its processes by their pids."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rolodesk.local import checks, leftovers, postgres, static, valkey
from rolodesk.local.keys import MARK, make_environment
from rolodesk.local.paths import REPOSITORY, Paths
from rolodesk.local.up import is_healthy

START_SECONDS = 240
STOP_SECONDS = 120
# Another stack's settings, which a test run has in its environment.
THEIRS = ("DATABASE_URL", "BROKER_URL", "MAKELEVEL", "XDG_RUNTIME_DIR", "DJANGO_SETTINGS_MODULE", "PORT", MARK)
# A measured process that is killed leaves half a file of coverage behind.
PREFIXES = ("ROLODESK_", "COV", "PYTEST_")


def newcomers_environment() -> dict[str, str]:
    """The environment as a newcomer's shell has it."""
    return {name: value for name, value in os.environ.items() if name not in THEIRS and not name.startswith(PREFIXES)}


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Stack:
    """A running stack."""

    paths: Paths
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def environment(self) -> dict[str, str]:
        """What its processes have, for this one to join in."""
        return make_environment(
            self.paths, self.port, database_url=postgres.url(self.paths), broker_url=valkey.url(self.paths)
        )

    def pid(self, name: str) -> int | None:
        """The live process of a program."""
        try:
            number = int(self.paths.pid(name).read_text())
        except (OSError, ValueError):
            return None
        return number if is_alive(number) else None

    def is_healthy(self) -> bool:
        """Whether the web server answers."""
        return is_healthy(self.port)

    def logs(self) -> Iterator[tuple[str, str]]:
        """Name and text of each log."""
        for path in sorted(self.paths.log.glob("*.log*")):
            yield path.name, path.read_text("utf-8", "replace")


def is_alive(number: int) -> bool:
    """Whether a process runs; one that only waits for its parent to notice does not."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in ("Z", "X")


def children(number: int) -> list[int]:
    """The processes that a process started."""
    try:
        return [int(word) for word in Path(f"/proc/{number}/task/{number}/children").read_text().split()]
    except OSError:
        return []


@contextmanager
def running_stack() -> Iterator[Stack]:
    """Start a stack on a data folder that nobody else has; it is stopped and removed whatever happens."""
    data = Path(tempfile.mkdtemp(prefix="rolodesk-faults-"))
    paths = Paths(data / "data")
    port = free_port()
    more = {"ROLODESK_DATA": str(paths.data), "PORT": str(port), "ROLODESK_DEMO": "0", "MAKELEVEL": "1"}
    more["TMPDIR"] = str(data)  # who is killed leaves things there
    checks.make_folders(paths)
    static.remember(paths)  # nobody looks at pages here, and collecting their files takes long
    try:
        with (data / "up.log").open("wb") as output:
            # With MAKELEVEL it ends with us, however we end.
            process = subprocess.Popen(
                [sys.executable, "-m", "rolodesk.local", "up"],
                cwd=REPOSITORY,
                env=newcomers_environment() | more,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait_until_ready(data / "up.log", process)
            yield Stack(paths, port, process)
        finally:
            _stop(paths, process)
    finally:
        _remove(data)


def _wait_until_ready(log: Path, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if b"Rolodesk is ready" in log.read_bytes():
            return
        time.sleep(0.2)
    raise RuntimeError(f"the stack did not start:\n{log.read_text('utf-8', 'replace')}")


def _stop(paths: Paths, process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    leftovers.stop(paths)  # finds nothing, unless we had to kill


def _remove(data: Path) -> None:
    """Root's own folders are closed to PostgreSQL, so its cluster may lie elsewhere."""
    cluster = data / "data" / "postgres"
    if cluster.is_symlink():
        shutil.rmtree(cluster.readlink(), ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(data)
