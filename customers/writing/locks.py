"""The lock between those who add to customers and those who join or remove them.

Ingestion shares it, many at once; whoever merges, deletes or suppresses holds it alone for the length of
one transaction. So an operation is applied before, and then moved or removed, or it comes after and finds
the survivor or the bar (security.md S2, M7).
"""

from collections.abc import Iterable

from rolodesk.database import Connection
from rolodesk.staging import array

# Keeps our locks apart from other users of advisory locks.
SPACE = 0x526F6C6F  # "Rolo"

_SHARE = "SELECT pg_advisory_xact_lock_shared(%s, w) FROM unnest(%s::int[]) AS w"
_OWN = "SELECT pg_advisory_xact_lock(%s, w) FROM unnest(%s::int[]) AS w"


def share(connection: Connection, workspace_ids: Iterable[int]) -> None:
    """Add to customers of these workspaces until the transaction ends."""
    connection.execute(_SHARE, [SPACE, array(sorted(workspace_ids))])


def own(connection: Connection, workspace_ids: Iterable[int]) -> None:
    """Be alone in these workspaces until the transaction ends; never asked for while sharing, or two wait forever."""
    connection.execute(_OWN, [SPACE, array(sorted(workspace_ids))])
