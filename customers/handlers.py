"""What becomes of the rows about a customer when he is merged or erased: one handler for each group of tables.

A test walks all models with a customer's id and fails for a table without a handler.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from rolodesk.database import Connection


@dataclass(frozen=True, slots=True)
class Handler:
    """``merge`` (workspace, survivor, absorbed) moves rows, ``erase`` (workspace, customer) removes them.

    Both work in the caller's transaction, which holds the workspace and both customers locked, and return
    how many rows they touched.
    """

    tables: frozenset[str]
    merge: Callable[[Connection, int, UUID, UUID], int]
    erase: Callable[[Connection, int, UUID], int]
    # Lower ones first; who reads what another moves comes after it.
    position: int = 50


_handlers: list[Handler] = []


def register(*handlers: Handler) -> None:
    """Add handlers; called in ``ready``."""
    _handlers.extend(handlers)


def registered() -> list[Handler]:
    """All handlers in their order."""
    return sorted(_handlers, key=lambda handler: handler.position)


def nothing(_connection: Connection, _workspace_id: int, _into: UUID, _source: UUID) -> int:
    """For tables whose rows stay as they are in a merge, since ids of the absorbed one lead to the survivor."""
    return 0
