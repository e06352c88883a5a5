"""Applying operations: resolve, create, events, counters, properties — set based, in one transaction.

Whatever the size of the batch the number of statements is the same. Row locks that workers contend for
(profiles, counters, customers) come last, each table's in one statement and in the order of their keys, so
workers cannot deadlock.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import uuid_utils.compat as uuids

from customers import sql as people
from customers.directory import Directory
from customers.identity import Identifier, Known, Refusal, Resolver
from rolodesk import json, partitions, staging
from rolodesk.database import Connection
from tracking.intake import sql
from tracking.intake.definitions import Definitions, key_of
from tracking.intake.operations import CUSTOMER_ID, Identify, Operation, Track
from tracking.intake.sql import Claimed, EventRow, Totals
from tracking.intake.times import EPOCH, SENT_AT, AbsurdTime, Moment, moment, stated_time

MAX_REVENUE = Decimal(10) ** 13
ATTEMPTS = 5


class Raced(Exception):
    """Another writer took an identifier first; the batch must be resolved again."""


class Rejected(Exception):
    """An operation that can never be applied; ``reason`` goes to the quarantine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Item:
    """One operation and the request it came in."""

    claimed: Claimed
    operation: Operation


@dataclass(slots=True)
class _Ready:
    """An operation whose identifiers are in normal form and whose time is known."""

    item: Item
    who: Identifier | UUID
    others: list[Identifier]
    at: datetime
    moment: Moment | None = None


@dataclass(slots=True)
class Applier:
    """Applies batches on one connection; ``side`` makes definitions and partitions outside of the batch."""

    connection: Connection
    side: Connection
    directory: Directory = field(default_factory=Directory)
    definitions: Definitions = field(default_factory=Definitions)
    _months: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        people.prepare_stages(self.connection)
        sql.prepare_stages(self.connection)

    def prepare(self, items: list[Item]) -> list[_Ready]:
        """Everything that can be decided without the batch's transaction. Raises Rejected for a lone bad item."""
        self.directory.refresh(self.side)
        ready = [self._ready(item) for item in items]
        tracks = [(one.item.claimed.workspace_id, one.item.operation) for one in ready]
        self.definitions.ensure(self.side, {key_of(w, op) for w, op in tracks if isinstance(op, Track)})
        self._ensure_partitions(ready)
        return ready

    def apply(self, items: list[Item]) -> dict[int, Totals]:
        """Write the operations inside the caller's transaction; returns totals by workspace."""
        ready = self.prepare(items)
        for _ in range(ATTEMPTS):
            try:
                with self.connection.transaction():
                    return self._write(ready)
            except Raced:
                continue
        raise Rejected("contended_identifier")

    # --- Before the transaction ------------------------------------------------------------------

    def _ready(self, item: Item) -> _Ready:
        operation, received_at = item.operation, item.claimed.received_at
        workspace = self.directory.workspaces.get(item.claimed.workspace_id)
        if workspace is None:
            raise Rejected("unknown_workspace")
        who: Identifier | UUID | None
        if operation.who.kind == CUSTOMER_ID:
            who = _uuid(operation.who.value)
        else:
            who = Identifier.of(workspace, operation.who.kind, operation.who.value)
        if who is None:
            raise Rejected("unknown_identifier_kind")
        try:
            if isinstance(operation, Track):
                when = moment(operation, workspace.id, received_at)
                return _Ready(item, who, [], when.ts, when)
            at = _identified_at(operation, received_at)
        except AbsurdTime as error:
            raise Rejected("absurd_time") from error
        given = (Identifier.of(workspace, kind, value) for kind, value in operation.identifiers.items())
        return _Ready(item, who, [one for one in given if one is not None], at)

    def _ensure_partitions(self, ready: list[_Ready]) -> None:
        now = datetime.now(UTC)
        wanted = {partitions.EVENT.name(one.at.date()): one.at.date() for one in ready if one.moment}
        if wanted.keys() - self._months:
            partitions.make(self.side, partitions.EVENT, wanted.values())
            self._months |= wanted.keys()
        today = f"{now:%Y%m%d}"
        if today not in self._months:
            partitions.make_ahead(self.side, now.date())
            self._months.add(today)

    # --- Inside the transaction ------------------------------------------------------------------

    def _write(self, ready: list[_Ready]) -> dict[int, Totals]:
        now = datetime.now(UTC)
        totals: dict[int, Totals] = {}
        # A batch that is applied by halves: the second must not write again what the first staged.
        staging.empty(self.connection, (*people.STAGES, *sql.STAGES))
        resolver, owners = self._resolve_all(ready)
        applied: list[tuple[_Ready, UUID]] = []
        for one, owner in zip(ready, owners, strict=True):
            tally = totals.setdefault(one.item.claimed.workspace_id, Totals())
            tally.accepted += 1
            if isinstance(owner, Refusal):
                setattr(tally, owner.value, getattr(tally, owner.value) + 1)
            else:
                applied.append((one, owner))
        self._create(resolver, applied, now)
        self._store_events(applied, totals, now)
        changed = self._store_properties(applied, totals, now)
        self._refresh_lines(resolver, changed)
        sql.count_events(self.connection)
        receivers = resolver.receivers
        sql.note_customers(self.connection, changed.keys() | receivers, resolver.identified & receivers, now)
        touched = {owner for _, owner in applied}
        sql.mark_dirty(self.connection, [uuids.uuid7() for _ in touched], touched, now)
        return totals

    def _resolve_all(self, ready: list[_Ready]) -> tuple[Resolver, list[UUID | Refusal]]:
        """Whom each operation means.

        Customers who are to get identifiers are locked and all is looked up again: two workers might each
        find a customer without an e-mail and give him one. Most batches have none.
        """
        locked: set[UUID] = set()
        while True:
            resolver = Resolver(self._look_up(ready))
            owners = [self._resolve(resolver, one) for one in ready]
            unlocked = resolver.receivers - locked
            if not unlocked:
                return resolver, owners
            people.lock_receivers(self.connection, unlocked)
            locked |= unlocked

    def _look_up(self, ready: list[_Ready]) -> Known:
        """Four statements at most, whatever the size of the batch."""
        identifiers = [i for one in ready for i in (one.who, *one.others) if isinstance(i, Identifier)]
        keys = {identifier.key for identifier in identifiers}
        known = Known(owners=people.read_owners(self.connection, keys))
        ids = [one.who for one in ready if isinstance(one.who, UUID)]
        if ids:
            known.live = people.read_live(self.connection, ids)
        if people.has_suppressions(self.connection):
            digests = {people.suppression_key(identifier): identifier.key for identifier in identifiers}
            known.suppressed = people.read_suppressed(self.connection, digests)
        receivers = {known.owners[i.key] for one in ready for i in self._may_receive(one) if i.key in known.owners}
        receivers.update(known.live.values())
        if receivers:
            people.read_held(self.connection, known, receivers)
        return known

    @staticmethod
    def _may_receive(one: _Ready) -> list[Identifier]:
        """Identifiers whose owner may get another one by this operation."""
        if not one.others:
            return []
        return [*one.others, one.who] if isinstance(one.who, Identifier) else one.others

    def _resolve(self, resolver: Resolver, one: _Ready) -> UUID | Refusal:
        workspace = self.directory.workspaces[one.item.claimed.workspace_id]
        operation = one.item.operation
        if isinstance(one.who, UUID):
            person = resolver.by_id(workspace.id, one.who)
            if isinstance(person, Refusal) or isinstance(operation, Track):
                return person
            return resolver.identify_by_id(person, one.others)
        if isinstance(operation, Track):
            return resolver.by_identifier(one.who)
        return resolver.identify(workspace, one.who, one.others, may_create=operation.may_create)

    def _create(self, resolver: Resolver, applied: list[tuple[_Ready, UUID]], now: datetime) -> None:
        if resolver.detached:
            people.release_identifiers(self.connection, resolver.detached)
        if resolver.attached and not people.claim_identifiers(self.connection, resolver.attached):
            raise Raced
        if resolver.created:
            since: dict[UUID, datetime] = {}
            for one, owner in applied:
                since[owner] = min(one.at, since.get(owner, one.at))
            people.create_customers(self.connection, resolver.created, resolver.identified, since, now)
        if resolver.attached:
            people.store_identifiers(self.connection, now)

    def _store_events(self, applied: list[tuple[_Ready, UUID]], totals: dict[int, Totals], now: datetime) -> None:
        rows = [(self._event(one, owner), one.moment) for one, owner in applied if one.moment]
        if not rows:
            return
        events = [row for row, when in rows if when and when.is_fixed]
        loose = [row for row, when in rows if when and not when.is_fixed]
        if loose:
            events += sql.remember_ids(self.connection, loose, now)
        stored = sql.store_events(self.connection, events) if events else {}
        workspaces = {row.type_id: row.workspace_id for row, _ in rows}
        for type_id, n in stored.items():
            totals[workspaces[type_id]].applied += n
        for row, _ in rows:
            totals[row.workspace_id].duplicate += 1
        for type_id, n in stored.items():
            totals[workspaces[type_id]].duplicate -= n

    def _event(self, one: _Ready, owner: UUID) -> EventRow:
        track, workspace_id, when = one.item.operation, one.item.claimed.workspace_id, one.moment
        assert isinstance(track, Track) and when is not None  # noqa: S101  # narrows for the type checker
        definition = self.definitions.known[key_of(workspace_id, track)]
        props = dict(track.properties)
        if track.kind != "event":
            props.setdefault(track.kind, track.name)
        if when.claimed is not None:
            props[SENT_AT] = when.claimed.isoformat()
        revenue = _revenue(props.get(definition.revenue_property)) if definition.revenue_property else None
        received_at = one.item.claimed.received_at
        return EventRow(workspace_id, owner, when.ts, when.id, definition.id, received_at, revenue, props)

    def _store_properties(
        self, applied: list[tuple[_Ready, UUID]], totals: dict[int, Totals], now: datetime
    ) -> dict[UUID, list[str]]:
        writes: list[people.PropertyWrite] = []
        for one, owner in applied:
            operation = one.item.operation
            if not isinstance(operation, Identify):
                continue
            totals[one.item.claimed.workspace_id].applied += 1
            micros = _micros(one.at)
            writes += [
                people.PropertyWrite(owner, name, None if value == "" else value, micros, seq, one.item.claimed.route)
                for seq, (name, value) in enumerate(operation.properties.items(), len(writes))
            ]
        return people.set_properties(self.connection, writes, now) if writes else {}

    def _refresh_lines(self, resolver: Resolver, changed: dict[UUID, list[str]]) -> None:
        searchable = {id_: workspace.searchable for id_, workspace in self.directory.workspaces.items()}
        names = frozenset[str]().union(*searchable.values())
        customers = {id_ for id_, paths in changed.items() if not names.isdisjoint(paths)}
        customers |= {item.customer_id for item in (*resolver.attached, *resolver.detached)}
        if customers:
            people.refresh_search_lines(self.connection, customers, searchable)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _identified_at(operation: Identify, received_at: datetime) -> datetime:
    """When the update counts as made: never later than it was received, or nothing could ever beat it."""
    return received_at if operation.at is None else min(stated_time(operation.at, received_at), received_at)


def _micros(at: datetime) -> int:
    elapsed = at - EPOCH
    return (elapsed.days * 86400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def _revenue(value: json.Json) -> Decimal | None:
    """The amount of an event; anything that is no sensible number counts as none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        return None
    return amount if amount.is_finite() and abs(amount) < MAX_REVENUE else None
