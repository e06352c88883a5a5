"""Event definitions by name, made on first sight. Read and made outside of the apply transaction.

A definition made inside it would hold a lock on a small shared table until the batch commits, and a
rollback would leave the cache with a number that does not exist.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from rolodesk.database import Connection
from tracking.intake.operations import Track

FRESH_SECONDS = 2.0
# All views of pages share one definition: their names are addresses, and without number.
SHARED_NAMES = {"page": "Page view", "screen": "Screen view"}


class DefinitionKey(NamedTuple):
    """What tells definitions apart."""

    workspace_id: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Definition:
    """Number of the definition, and the property that holds an amount ("" for none)."""

    id: int
    revenue_property: str


def key_of(workspace_id: int, track: Track) -> DefinitionKey:
    """The definition that an event belongs to."""
    return DefinitionKey(workspace_id, track.kind, SHARED_NAMES.get(track.kind, track.name))


@dataclass(slots=True)
class Definitions:
    """Known definitions; read again every two seconds, so that a changed setting takes effect."""

    known: dict[DefinitionKey, Definition] = field(default_factory=dict)
    _read_at: float = float("-inf")

    def ensure(self, connection: Connection, keys: Iterable[DefinitionKey]) -> None:
        """Know all of these, making those that are new."""
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            self.known = {}
        missing = sorted(set(keys) - self.known.keys())
        if not missing and self.known:
            return
        for key in missing:
            connection.execute(
                "INSERT INTO event_definition (workspace_id, kind, name, icon, revenue_property)"
                " SELECT %(w)s, %(k)s, %(n)s, '', '' WHERE NOT EXISTS (SELECT FROM event_definition"
                " WHERE workspace_id = %(w)s AND kind = %(k)s AND name = %(n)s) ON CONFLICT DO NOTHING",
                {"w": key.workspace_id, "k": key.kind, "n": key.name},
            )
        self.known = {
            DefinitionKey(workspace_id, kind, name): Definition(id_, revenue_property)
            for workspace_id, kind, name, id_, revenue_property in connection.execute(
                "SELECT workspace_id, kind, name, id, revenue_property FROM event_definition"
            )
        }
        self._read_at = time.monotonic()
