"""Range partitions: months of events and changes, days of remembered client ids.

A partition is built beside its parent and then attached, because ``CREATE … PARTITION OF`` would
lock out every reader of the parent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from psycopg import errors, sql

from rolodesk.database import Connection


@dataclass(frozen=True, slots=True)
class Parent:
    """A partitioned table; ``days`` is how long a partition is kept (None: for ever)."""

    table: str
    by_day: bool = False
    days: int | None = None
    # Rows arrive in the newest partition: vacuum early, the covering index needs its visibility map.
    storage: str = "autovacuum_vacuum_insert_scale_factor = 0.02"

    def start(self, day: date) -> date:
        """First day of the partition that holds ``day``."""
        return day if self.by_day else day.replace(day=1)

    def end(self, day: date) -> date:
        """First day of the next partition."""
        start = self.start(day)
        return start + timedelta(days=1) if self.by_day else (start + timedelta(days=32)).replace(day=1)

    def name(self, day: date) -> str:
        """Name of the partition that holds ``day``."""
        return f"{self.table}_{self.start(day):%Y%m%d}" if self.by_day else f"{self.table}_{day:%Y%m}"


EVENT = Parent("event")
PROPERTY_CHANGE = Parent("property_change")
SEGMENT_CHANGE = Parent("segment_change")
EVENT_SEEN = Parent("event_seen", by_day=True, days=8)
PARENTS = (EVENT, PROPERTY_CHANGE, SEGMENT_CHANGE, EVENT_SEEN)

AHEAD = 3


def existing(connection: Connection, parent: Parent) -> set[str]:
    """Names of the attached partitions."""
    rows = connection.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass",
        [parent.table],
    )
    return {name for (name,) in rows}


def make(connection: Connection, parent: Parent, days: Iterable[date]) -> int:
    """Make the partitions that hold these days; returns how many were new. Safe to run twice at once."""
    wanted = {parent.name(day): day for day in days}
    missing = sorted(wanted.keys() - existing(connection, parent))
    return sum(_make_one(connection, parent, wanted[name]) for name in missing)


def make_ahead(connection: Connection, today: date) -> int:
    """Make this partition and the next ones of every table."""
    made = 0
    for parent in PARENTS:
        days = [today - timedelta(days=1), today]
        for _ in range(AHEAD):
            days.append(parent.end(days[-1]))
        made += make(connection, parent, days)
    return made


def drop_old(connection: Connection, today: date) -> int:
    """Drop partitions past their keeping; returns how many went."""
    dropped = 0
    for parent in PARENTS:
        if parent.days is None:
            continue
        oldest = parent.name(today - timedelta(days=parent.days))
        for name in sorted(existing(connection, parent)):
            if name < oldest:
                connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
                dropped += 1
    return dropped


def _make_one(connection: Connection, parent: Parent, day: date) -> bool:
    name, table = sql.Identifier(parent.name(day)), sql.Identifier(parent.table)
    try:
        with connection.transaction():
            # One at a time: two makers of one partition would wait for each other's locks.
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [parent.table])
            connection.execute(
                sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL) WITH ({})").format(
                    name,
                    table,
                    sql.SQL(parent.storage),  # a constant of ours
                )
            )
            connection.execute(
                sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
                    table, name, sql.Literal(f"{parent.start(day)}"), sql.Literal(f"{parent.end(day)}")
                )
            )
    except errors.DuplicateTable:
        return False
    return True
