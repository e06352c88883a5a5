"""The settings of workspaces that the write gate needs for every batch, read at most once a second."""

import time
from dataclasses import dataclass, field

from rolodesk.database import Connection

FRESH_SECONDS = 1.0
# Class 2 and 3 never enter the search line: one line serves everybody who sees class 1.
_SEARCHABLE = """
SELECT workspace_id, path FROM property_definition WHERE entity = 'customer' AND is_searchable AND data_class <= 1
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """An identifier kind of a workspace."""

    id: int
    name: str
    label: str
    data_class: int
    normaliser: str
    is_multiple: bool


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """What resolving and searching need to know about one workspace."""

    id: int
    updates_email_by_id: bool
    merges_automatically: bool
    joins_anonymous: bool
    kinds: dict[str, Kind]
    searchable: frozenset[str]


@dataclass(slots=True)
class Directory:
    """All workspaces by number; ``refresh`` before a batch."""

    workspaces: dict[int, WorkspaceSettings] = field(default_factory=dict)
    _read_at: float = float("-inf")

    def refresh(self, connection: Connection) -> None:
        """Read again unless what we have is fresh."""
        if time.monotonic() - self._read_at < FRESH_SECONDS:
            return
        kinds: dict[int, dict[str, Kind]] = {}
        for workspace_id, *kind in connection.execute(
            "SELECT workspace_id, id, name, label, data_class, normaliser, is_multiple FROM identifier_kind"
        ):
            kinds.setdefault(workspace_id, {})[kind[1]] = Kind(*kind)
        searchable: dict[int, set[str]] = {}
        for workspace_id, path in connection.execute(_SEARCHABLE):
            searchable.setdefault(workspace_id, set()).add(path)
        self.workspaces = {
            id_: WorkspaceSettings(id_, updates, merges, joins, kinds.get(id_, {}), frozenset(searchable.get(id_, ())))
            for id_, updates, merges, joins in connection.execute(
                "SELECT id, updates_email_by_id, merges_automatically, joins_anonymous FROM workspace"
            )
        }
        self._read_at = time.monotonic()


def searchable_properties(connection: Connection, workspace_id: int) -> frozenset[str]:
    """The properties of a workspace that enter the search line."""
    return frozenset(path for id_, path in connection.execute(_SEARCHABLE) if id_ == workspace_id)
