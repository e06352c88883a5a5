"""Whether the collected static files are still those of the sources: collecting takes seconds of each start."""

import hashlib
import subprocess
import sys
from pathlib import Path

from rolodesk.local.paths import REPOSITORY, Paths, data_folder
from rolodesk.local.programs import manage


def fingerprint(repository: Path = REPOSITORY) -> str:
    """Changes with our own static files and with the packages that bring some."""
    digest = hashlib.sha256((repository / "requirements" / "runtime.txt").read_bytes())
    for path in sorted((repository / "static").rglob("*")):
        status = path.stat()
        digest.update(f"{path.relative_to(repository)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def is_collected(paths: Paths) -> bool:
    """Whether what lies in the data folder is up to date."""
    stamp = _stamp(paths)
    return stamp.exists() and stamp.read_text() == fingerprint()


def remember(paths: Paths) -> None:
    """Note what was collected."""
    _stamp(paths).write_text(fingerprint())


def _stamp(paths: Paths) -> Path:
    return paths.run / "static.stamp"


def main() -> int:
    """Collect them for the tests unless that is done; the exit code."""
    paths = Paths(data_folder())
    if is_collected(paths):
        return 0
    code = subprocess.run(manage("collectstatic", "--noinput", "-v0"), check=False).returncode  # noqa: S603  # our own command
    if code == 0:
        remember(paths)
    return code


if __name__ == "__main__":
    sys.exit(main())
