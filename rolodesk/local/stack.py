"""What the stack consists of: services that are embedded unless the caller has his own, and the apps."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from rolodesk.local import postgres, valkey
from rolodesk.local.checks import HOST
from rolodesk.local.keys import make_environment
from rolodesk.local.paths import Paths, make_private
from rolodesk.local.postgres import Postgres
from rolodesk.local.programs import Program, manage, tool

INGEST_SLOTS = 2


@dataclass(frozen=True)
class Stack:
    """Services and environment of one data folder."""

    paths: Paths
    postgres: Postgres | None
    services: list[Program]
    environment: dict[str, str]

    def wait(self, is_alive: Callable[[], bool]) -> None:
        """Wait for the embedded PostgreSQL, if there is one."""
        if self.postgres:
            postgres.wait(self.postgres, is_alive)


def make_stack(paths: Paths, port: int, *, durable: bool) -> Stack:
    """Prepare the services that the environment does not name."""
    make_private(paths.sockets)
    own_database = None if os.environ.get("DATABASE_URL") else postgres.prepare(paths)
    services = [own_database.program(durable=durable)] if own_database else []
    if not os.environ.get("BROKER_URL"):
        services.append(valkey.program(paths))
    environment = make_environment(
        paths, port, database_url=own_database.url if own_database else "", broker_url=valkey.url(paths)
    )
    return Stack(paths, own_database, services, environment)


def app_programs(paths: Paths, port: int) -> list[Program]:
    """Web server, ingest workers, Celery's worker and beat."""
    celery = [tool("celery"), "-A", "rolodesk"]
    beat = ["beat", "-l", "warning", "-s", str(paths.run / "celerybeat"), "--pidfile="]
    return [
        Program("web", web_command(paths, port), 100),
        *(Program(f"ingest{slot}", manage("ingest_worker", "--slot", str(slot)), 100) for slot in range(INGEST_SLOTS)),
        Program("celery", [*celery, "worker", "-c", "1", "-l", "warning"], 100),
        Program("beat", [*celery, *beat], 100),
    ]


def web_command(paths: Paths, port: int) -> list[str]:
    """Granian, which hands out static files itself; there is no access log, for addresses hold identifiers."""
    options = {
        "--interface": "asginl",
        "--workers": "1",
        "--loop": "uvloop",
        "--host": HOST,
        "--port": str(port),
        "--static-path-route": "/static",
        "--static-path-mount": str(paths.static),
        "--workers-kill-timeout": "10",
    }
    flat = [part for pair in options.items() for part in pair]
    return [tool("granian"), *flat, "--no-ws", "--no-access-log", "rolodesk.asgi:application"]
