"""Temporary tables that a batch is staged in, and the text format of COPY.

A temporary table has no statistics, and a planner that guesses a dozen rows joins two thousand by
nested loop. So each connection fills a stage once with a sample, analyses it and empties it: the
statistics stay.
"""

from collections.abc import Iterable
from uuid import UUID

from psycopg import sql

from rolodesk.database import Connection

SAMPLE_ROWS = 2000
NULL = "\\N"


def escape(text: str) -> str:
    """A text value in COPY's text format."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\t" in text or "\n" in text or "\r" in text:
        text = text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text


def copy_lines(connection: Connection, table: str, lines: Iterable[str]) -> None:
    """COPY rows that are already rendered, columns parted by tabs."""
    statement = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write("\n".join(lines))


def empty(connection: Connection, tables: Iterable[str]) -> None:
    """Drop what an earlier batch of the same transaction staged; what a commit leaves is empty anyway."""
    deletes = (sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in tables)
    connection.execute(sql.SQL("; ").join(deletes))


def array(values: Iterable[UUID | int]) -> str:
    """An array literal of values that need no quoting; far cheaper than adapting a Python list."""
    return "{" + ",".join(map(str, values)) + "}"


def prepare(connection: Connection, table: str, columns: str, sample: str) -> None:
    """Create a stage on this connection and teach the planner its shape. Safe to repeat."""
    name = sql.Identifier(table)
    shape = sql.SQL(columns)  # constants of ours
    select = sql.SQL(sample)
    known = connection.execute("SELECT to_regclass(%s)", [f"pg_temp.{table}"]).fetchone()
    if known and known[0]:
        return
    connection.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DELETE ROWS").format(name, shape))
    with connection.transaction():
        connection.execute(
            sql.SQL("INSERT INTO {} SELECT {} FROM generate_series(1, {}) g").format(name, select, SAMPLE_ROWS)
        )
        connection.execute(sql.SQL("ANALYZE {}").format(name))
