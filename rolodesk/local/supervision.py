"""The process supervisor: its configuration, its start and what we ask of it."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xmlrpc.client import Error, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from rolodesk.local.errors import CannotStart
from rolodesk.local.paths import REPOSITORY, Paths
from rolodesk.local.programs import Program, wrap

APPS = "apps"
APPS_PRIORITY = 100
AT_ONCE = False  # the supervisor would else answer when all have started
START_SECONDS = 20.0
# It stops the apps, then Valkey, then PostgreSQL; each has its own time.
STOP_SECONDS = 120.0


def socket(paths: Paths) -> Path:
    """Where the supervisor listens for us."""
    return paths.sockets / "supervisor.sock"


def render(paths: Paths, programs: Iterable[Program]) -> str:
    """The configuration file."""
    listed = list(programs)
    apps = [program.name for program in listed if not program.is_service]
    owner = ["user=root"] if os.geteuid() == 0 else []
    parts = [
        section("unix_http_server", [f"file={escape(str(socket(paths)))}", "chmod=0700"]),
        section(
            "supervisord",
            [
                f"logfile={escape(str(paths.log / 'supervisor.log'))}",
                f"pidfile={escape(str(paths.run / 'supervisord.pid'))}",
                f"directory={escape(str(REPOSITORY))}",
                "logfile_maxbytes=10MB",
                "logfile_backups=3",
                "silent=true",
                *owner,
            ],
        ),
        section(
            "rpcinterface:supervisor",
            ["supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface"],
        ),
        section(f"group:{APPS}", [f"programs={','.join(apps)}", f"priority={APPS_PRIORITY}"]),
        *(render_program(paths, program) for program in listed),
    ]
    return "\n".join(parts)


def section(name: str, lines: list[str]) -> str:
    """A section of an INI file."""
    return "\n".join([f"[{name}]", *lines, ""])


def escape(text: str) -> str:
    """Supervisor expands percent signs."""
    return text.replace("%", "%%")


def render_program(paths: Paths, program: Program) -> str:
    """The section of one program. Celery's children belong to it, so signals go to the whole group."""
    is_celery = program.name in {"celery", "beat"}
    pidfile = paths.pid(program.name)
    return section(
        f"program:{program.name}",
        [
            f"command={escape(shlex.join(wrap(program, pidfile)))}",
            f"priority={program.priority}",
            f"autostart={str(program.is_service).lower()}",
            "autorestart=true",
            "startsecs=1",
            "startretries=20",
            f"stopsignal={program.stop_signal}",
            f"stopwaitsecs={program.stop_seconds}",
            f"stopasgroup={str(is_celery).lower()}",
            f"killasgroup={str(not program.is_service).lower()}",
            "redirect_stderr=true",
            f"stdout_logfile={escape(str(paths.log / program.name))}.log",
            "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=3",
        ],
    )


class Supervisor:
    """A supervisord of ours, from start to end."""

    def __init__(self, paths: Paths, programs: Iterable[Program], environment: dict[str, str]) -> None:
        """Write the configuration and start it with the services; the apps wait for ``start_apps``."""
        self.paths = paths
        configuration = paths.run / "supervisord.conf"
        configuration.write_text(render(paths, programs))
        supervisord = Program(
            "up-supervisord",
            [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(configuration)],
            priority=0,
        )
        with (paths.log / "supervisord.out.log").open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603  # our own command
                wrap(supervisord, paths.pid(supervisord.name)),
                cwd=REPOSITORY,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us alone; we stop things in order
            )

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def start_apps(self) -> None:
        """Start web, workers, Celery and beat, without waiting for them."""
        self.call("startProcessGroup", APPS, AT_ONCE)

    def call(self, method: str, *arguments: object) -> Any:  # the answer's form depends on the method
        """Ask the supervisor something; it may need a moment before it listens."""
        until = time.monotonic() + START_SECONDS
        while True:
            transport = SupervisorTransport(None, None, f"unix://{socket(self.paths)}")
            try:
                with ServerProxy("http://127.0.0.1", transport=transport) as server:
                    return getattr(server.supervisor, method)(*arguments)
            except (OSError, Error) as error:
                if not self.is_alive() or time.monotonic() > until:
                    message = f"The process supervisor does not answer; see {self.paths.log / 'supervisor.log'}."
                    raise CannotStart(message) from error
                time.sleep(0.1)

    def stop(self) -> None:
        """Stop everything in order."""
        if self.is_alive():
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
