"""A database of our own beside the one that the environment names; made anew, and dropped at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rolodesk.database import Connection

# What ingestion and the pages read at every turn; after a start it is on disk.
WARM = """
SELECT pg_prewarm(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'i') AND n.nspname = 'public' ORDER BY c.relkind = 'i'
"""


@contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """The address of an empty database on the same server."""
    name = f"{conninfo_to_dict(url)['dbname']}_bench"
    try:
        _drop(url, name)
        _execute(url, "CREATE DATABASE {}", name)
        yield make_conninfo(url, dbname=name)
    finally:
        _drop(url, name)


def _drop(url: str, name: str) -> None:
    _execute(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _execute(url: str, statement: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def settle(connection: Connection) -> None:
    """Leave the database as after a quiet hour: vacuumed, written out, its pages in memory."""
    connection.execute("VACUUM (ANALYZE)")
    try:
        connection.execute("CHECKPOINT")
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
        connection.execute(WARM)
    except (errors.InsufficientPrivilege, errors.FeatureNotSupported, errors.UndefinedFile):
        pass  # a server of somebody else's: then it is as warm as it is


def version(connection: Connection) -> str:
    """The server's version, such as 18.1."""
    row = connection.execute("SHOW server_version").fetchone()
    return str(row[0]).split()[0] if row else ""


def is_durable(connection: Connection) -> bool:
    """Whether a commit waits for the disk."""
    row = connection.execute(
        "SELECT current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off'"
    )
    return bool((row.fetchone() or (False,))[0])


def memory_gigabytes() -> int:
    """Of this machine, from /proc."""
    total = Path("/proc/meminfo").read_text().split()[1]
    return round(int(total) / 1024**2)
