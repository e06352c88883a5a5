"""After a restart of the database the keys that every batch looks at are cold, and a worker is many times slower.

``pg_prewarm`` reads them at once. The extension is the operator's to install (on the embedded server it is there);
without it, or without the right to read, the keys warm up by use.
"""

from datetime import UTC, datetime

import psycopg
import structlog

from rolodesk import partitions
from rolodesk.database import connect

log = structlog.get_logger("rolodesk.intake")

TABLES = ("identifier_lookup", "event_counter", "customer_profile")
TIMEOUT = "300s"

_IS_THERE = "SELECT FROM pg_extension WHERE extname = 'pg_prewarm'"
_WARM = """
SELECT coalesce(sum(pg_prewarm(i.indexrelid)), 0)::bigint FROM pg_index i
WHERE i.indisprimary AND i.indrelid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS t (name))
"""


def warm_up() -> int | None:
    """Read the keys into memory; how many pages, or None when it cannot be done."""
    tables = [*TABLES, partitions.EVENT.name(datetime.now(UTC).date())]
    try:
        with connect(application="rolodesk warming", statement_timeout=TIMEOUT) as connection:
            if connection.execute(_IS_THERE).fetchone() is None:
                log.info("keys not warmed", reason="no_extension")
                return None
            row = connection.execute(_WARM, [tables]).fetchone()
    except psycopg.Error as error:
        log.info("keys not warmed", reason="refused", sqlstate=error.sqlstate)
        return None
    return int(row[0]) if row else 0
