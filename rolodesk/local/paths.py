"""Where the local stack keeps its files."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rolodesk.local.errors import CannotStart

REPOSITORY = Path(__file__).resolve().parents[2]
# The kernel takes 107 bytes for a socket's path; PostgreSQL's own file name needs some of them.
LONGEST_SOCKET_FOLDER = 90


@dataclass(frozen=True)
class Paths:
    """The files below one data folder."""

    data: Path

    @property
    def run(self) -> Path:
        """Pid files, the lock and other things of one run."""
        return self.data / "run"

    @property
    def log(self) -> Path:
        """Logs of all processes."""
        return self.data / "log"

    @property
    def static(self) -> Path:
        """Static files as the web server hands them out."""
        return self.data / "static"

    @property
    def keys(self) -> Path:
        """The keys of this installation."""
        return self.data / "keys.json"

    @property
    def demo(self) -> Path:
        """Sign-ins and tokens of the demo workspace."""
        return self.data / "demo.json"

    @property
    def lock(self) -> Path:
        """Held as long as the stack of this folder runs."""
        return self.run / "lock"

    def pid(self, name: str) -> Path:
        """The pid file of a process."""
        return self.run / f"{name}.pid"

    @property
    def sockets(self) -> Path:
        """Where our own sockets lie."""
        return short_folder(self.run)


def data_folder() -> Path:
    """The data folder that the environment names, or the one in the repository."""
    return Path(os.environ.get("ROLODESK_DATA") or REPOSITORY / ".data").expanduser().resolve()


def short_folder(wanted: Path) -> Path:
    """This folder, or a stand-in below the system's temporary one when its path is too long for sockets."""
    if len(os.fsencode(wanted)) <= LONGEST_SOCKET_FOLDER:
        return wanted
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"rolodesk-{os.geteuid()}-{digest}"


def make_private(folder: Path, owner: int | None = None) -> None:
    """Make a folder of mode 700, or make sure that the one there belongs to whom it should."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        found = folder.lstat()
        if folder.is_symlink() or found.st_uid not in {os.geteuid(), owner}:
            message = f"{folder} belongs to somebody else; remove it."
            raise CannotStart(message) from None
    folder.chmod(0o700)
    if owner is not None:
        os.chown(folder, owner, -1)
