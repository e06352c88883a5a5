"""Importing a file: rows in, operations out, and an account of every row."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from customers.directory import Directory, WorkspaceSettings
from customers.identity import Identifier
from rolodesk.database import Connection
from tracking.importing import sql
from tracking.importing.feeder import SUBMISSION_OPERATIONS, Feeder, capacity
from tracking.importing.mapping import BadRow, Mapped, Mapper
from tracking.importing.sources import BadLine, Line
from tracking.intake.operations import CUSTOMER_ID

ROUTE = "import"
DUPLICATE = "duplicate"
# Its owner is the customer's own number, so it is looked up without a kind.
NO_KIND = 0


class _Key(NamedTuple):
    """What makes two rows the same event, as far as the file alone can tell."""

    kind: str
    customer: str
    id: UUID
    micros: int | None


@dataclass(slots=True)
class Report:
    """What became of the rows; ``on_refused`` hears line and code of each that was not accepted."""

    on_refused: Callable[[int, str], object] = lambda _line, _code: None
    accepted: int = 0
    duplicate: int = 0
    malformed: int = 0
    quarantined: int = 0

    def refuse(self, line: int, code: str) -> None:
        """Count one row that does not go in."""
        if code == DUPLICATE:
            self.duplicate += 1
        else:
            self.malformed += 1
        self.on_refused(line, code)


@dataclass(slots=True)
class Importer:
    """Sends rows through the write gate, a submission at a time.

    Duplicates are told from the stored events, and from a memory of the rows that may still wait in
    the inbox; the write gate would drop them too, but could not say on which line they stood.
    """

    connection: Connection
    feeder: Feeder
    mapper: Mapper
    report: Report
    workspace: WorkspaceSettings
    _batch: list[tuple[int, Mapped]] = field(default_factory=list)
    _recent: deque[set[_Key]] = field(default_factory=deque)

    def run(self, lines: Iterable[Line], on_line: Callable[[], object]) -> None:
        """Import all lines and wait until they are applied. Raises feeder.Stalled."""
        after = sql.last_quarantined(self.connection)
        for line in lines:
            if isinstance(line, BadLine):
                self.report.refuse(line.number, line.code)
            else:
                try:
                    self._batch.append((line.number, self.mapper.map(line.row)))
                except BadRow as error:
                    self.report.refuse(line.number, error.code)
            if len(self._batch) >= SUBMISSION_OPERATIONS:
                self._send()
            on_line()
        self._send()
        self.feeder.drain()
        self.report.quarantined = sql.quarantined_since(self.connection, self.mapper.workspace_id, ROUTE, after)

    def _send(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        fresh: set[_Key] = set()
        stored = self._stored([mapped for _, mapped in batch])
        for position, (line, mapped) in enumerate(batch):
            track = mapped.track
            key = _Key(track.who.kind, track.who.value, mapped.id, track.at)
            if position in stored or key in fresh or any(key in keys for keys in self._recent):
                self.report.refuse(line, DUPLICATE)
                continue
            fresh.add(key)
            self.report.accepted += 1
            self.feeder.add(track)
        self._recent.append(fresh)
        # Whatever is older than this has been applied, since the feeder lets no more than this wait.
        while sum(map(len, self._recent)) - len(self._recent[0]) > capacity() + SUBMISSION_OPERATIONS:
            self._recent.popleft()

    def _stored(self, batch: list[Mapped]) -> set[int]:
        keys = [(position, key) for position, mapped in enumerate(batch) if (key := self._event_key(mapped))]
        found = sql.stored(self.connection, self.workspace.id, [key for _, key in keys]) if keys else set()
        return {position for ordinal, (position, _) in enumerate(keys) if ordinal in found}

    def _event_key(self, mapped: Mapped) -> sql.EventKey | None:
        who = mapped.track.who
        if who.kind == CUSTOMER_ID:
            return sql.EventKey(NO_KIND, UUID(who.value), mapped.at, mapped.id)
        identifier = Identifier.of(self.workspace, who.kind, who.value)
        return sql.EventKey(identifier.key.kind_id, identifier.key.digest, mapped.at, mapped.id) if identifier else None


def workspace_settings(connection: Connection, workspace_id: int) -> WorkspaceSettings:
    """Identifier kinds and so on of a workspace."""
    directory = Directory()
    directory.refresh(connection)
    return directory.workspaces[workspace_id]
