"""Connections outside of Django's request cycle: workers, the collector, partitions.

The same server and the same session settings as Django's, without its pool.
"""

from typing import Any

import psycopg
from django.db import DatabaseError, connections

Connection = psycopg.Connection[tuple[Any, ...]]


def connect(*, application: str, **session: str) -> Connection:
    """Open a psycopg connection in autocommit mode; ``session`` overrides settings of the session."""
    parameters: dict[str, Any] = dict(connections["default"].get_connection_params())
    for key in ("pool", "cursor_factory", "context", "server_side_binding", "prepare_threshold", "assume_role"):
        parameters.pop(key, None)
    extra = "".join(f" -c {key}={value}" for key, value in session.items())
    parameters["options"] = parameters.get("options", "") + extra
    # Parameters are bound in the client, as Django does: the planner sees how long an array is.
    return psycopg.connect(
        **parameters,
        autocommit=True,
        prepare_threshold=None,
        application_name=application,
        cursor_factory=psycopg.ClientCursor,
    )


def django_connection() -> Connection:
    """The connection of Django's current transaction, for the statements that workers use too."""
    wrapper = connections["default"]
    wrapper.ensure_connection()
    raw: Connection = wrapper.connection
    return raw


def is_reachable() -> bool:
    """Whether the database answers Django's own connections."""
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True
