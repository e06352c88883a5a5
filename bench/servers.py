"""Servers of ours for as long as a measurement lasts: started, waited for and stopped by their process."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from bench.load import HOST, LoadFailed
from rolodesk.local.paths import Paths
from rolodesk.local.programs import Program, manage, tool, wrap
from rolodesk.local.stack import INGEST_SLOTS, web_command

START_SECONDS = 30.0
STOP_SECONDS = 15.0


@dataclass(slots=True)
class Server:
    """A web server with the workers that belong to it."""

    port: int
    pids: list[int] = field(default_factory=list)


@contextmanager
def product(
    *, workers: int = INGEST_SLOTS, backlog_cap: int | None = None, settings_module: str = "rolodesk.settings"
) -> Iterator[Server]:
    """The product as ``make up`` starts it: one web process and the ingest workers."""
    environment = {"DJANGO_SETTINGS_MODULE": settings_module}
    if backlog_cap is not None:
        environment["ROLODESK_INTAKE_BACKLOG_CAP"] = str(backlog_cap)
    with ExitStack() as exits:
        server = exits.enter_context(bare("rolodesk.asgi:application", **environment))
        for slot in range(workers):
            command = manage("ingest_worker", "--slot", str(slot))
            server.pids.append(exits.enter_context(_process(f"ingest{slot}", command, environment)))
        yield server


@contextmanager
def bare(application: str, **environment: str) -> Iterator[Server]:
    """Another application on the product's own command line."""
    port = _free_port()
    command = [*web_command(Paths(settings.DATA_DIR), port)[:-1], application]
    with _process("web", command, environment) as pid:
        _wait(port, pid)
        yield Server(port, [pid])


@contextmanager
def threaded(application: str, *, workers: int, **environment: str) -> Iterator[Server]:
    """A WSGI application in so many processes."""
    port = _free_port()
    options = ["--interface", "wsgi", "--workers", str(workers), "--host", HOST, "--port", str(port)]
    command = [tool("granian"), *options, "--no-ws", "--no-access-log", application]
    with _process("naive", command, environment) as pid:
        _wait(port, pid)
        yield Server(port, [pid])


@contextmanager
def _process(name: str, command: list[str], environment: dict[str, str]) -> Iterator[int]:
    with TemporaryDirectory(prefix="rolodesk-bench-") as folder, (Path(folder) / "log").open("w+b") as log:
        # The wrapper makes the kernel stop it when we die.
        line = wrap(Program(name, command, 0), Path(folder) / "pid")
        process = subprocess.Popen(line, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield process.pid
            if process.poll() is not None:
                raise LoadFailed(f"{name} ended by itself")
        except LoadFailed as error:
            log.seek(0)
            error.add_note(f"Log of {name}: {log.read()[-2000:].decode('utf-8', 'replace')}")
            raise
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def _wait(port: int, pid: int) -> None:
    """Until somebody listens. Requests then wait for the application, so the first of them are for warming up."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and Path(f"/proc/{pid}").exists():
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise LoadFailed("the server did not start")
