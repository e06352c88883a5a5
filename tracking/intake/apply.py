"""Applying operations: resolve, create, events, counters, properties — set based, in one transaction.

Whatever the size of the batch the number of statements is the same. Row locks that workers contend for
(profiles, counters, customers) come last, each table's in one statement and in the order of their keys, so
workers cannot deadlock.

Serial operations, and those that show that two customers are one, need to be alone in their workspaces
(``customers.writing.locks``). A batch that holds one raises MustBeAlone unless it is.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID

import uuid_utils.compat as uuids

from customers import sql as people
from customers.directory import Directory
from customers.identity import ANONYMOUS_ID, Identifier, JoinNeeded, Known, Refusal, Resolver
from customers.writing import consent, merge
from rolodesk import json, partitions, staging
from rolodesk.database import Connection
from tracking.intake import effects, sql
from tracking.intake.definitions import Definitions, key_of
from tracking.intake.operations import CUSTOMER_ID, Identify, Operation, Ref, Track, is_serial
from tracking.intake.sql import Claimed, EventRow, Totals
from tracking.intake.times import EPOCH, SENT_AT, AbsurdTime, Moment, moment, stated_time

MAX_REVENUE = Decimal(10) ** 13
ATTEMPTS = 5


class MustBeAlone(Exception):
    """The batch joins or removes customers and was not told that it is alone; nothing was written."""


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
    _topics: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        people.prepare_stages(self.connection)
        consent.prepare_stages(self.connection)
        sql.prepare_stages(self.connection)

    def prepare(self, items: list[Item]) -> list[_Ready]:
        """Everything that can be decided without the batch's transaction. Raises Rejected for a lone bad item."""
        self.directory.refresh(self.side)
        ready = [self._ready(item) for item in items]
        tracks = [(one.item.claimed.workspace_id, one.item.operation) for one in ready]
        self.definitions.ensure(self.side, {key_of(w, op) for w, op in tracks if isinstance(op, Track)})
        self._ensure_topics({(w, topic) for w, op in tracks if isinstance(op, Identify) for topic in op.consent})
        self._ensure_partitions(ready)
        return ready

    def apply(self, items: list[Item], *, is_alone: bool = False) -> dict[int, Totals]:
        """Write the operations inside the caller's transaction; returns totals by workspace.

        Raises MustBeAlone, and Rejected for a lone operation that can never be applied.
        """
        totals: dict[int, Totals] = {}
        if is_alone:
            for are_serial, run in groupby(items, lambda item: is_serial(item.operation)):
                if are_serial:
                    for item in run:
                        self._apply_serial(item, totals)
                else:
                    self.apply_joining(list(run), totals)
        elif any(is_serial(item.operation) for item in items):
            raise MustBeAlone
        else:
            try:
                self._apply_many(self.prepare(items), totals)
            except JoinNeeded as error:
                raise MustBeAlone from error
        return totals

    def apply_joining(self, items: list[Item], totals: dict[int, Totals]) -> list[UUID | Refusal]:
        """Identify and track, merging customers that turn out to be one; returns whom each was about."""
        ready = self.prepare(items)
        owners: list[UUID | Refusal] = []
        while ready:
            try:
                return owners + self._apply_many(ready, totals)
            except JoinNeeded as error:
                if error.index:  # customers of this very batch are not stored yet: first comes what was before
                    owners += self._apply_many(ready[: error.index], totals)
                    ready = ready[error.index :]
                else:
                    self._join(ready[0], error.one, error.other)
        return owners

    def find(self, workspace_id: int, who: Ref) -> UUID | Refusal:
        """The live customer of this name; never creates."""
        self.directory.refresh(self.side)
        one = self.named(workspace_id, who)
        if isinstance(one, UUID):
            return people.read_live(self.connection, [one]).get((workspace_id, one), Refusal.IGNORED)
        suppressed = people.read_suppressed(self.connection, {people.suppression_key(one): one.key})
        if suppressed:
            return Refusal.SUPPRESSED
        return people.read_owners(self.connection, [one.key]).get(one.key, Refusal.IGNORED)

    def is_barred(self, workspace_id: int, who: Ref) -> bool:
        """Whether this name is suppressed; what no workspace can know is not."""
        try:
            return self.find(workspace_id, who) is Refusal.SUPPRESSED
        except (Rejected, LookupError):
            return False

    def _apply_serial(self, item: Item, totals: dict[int, Totals]) -> None:
        tally = totals.setdefault(item.claimed.workspace_id, Totals())
        self.directory.refresh(self.side)
        if item.claimed.workspace_id not in self.directory.workspaces:
            raise Rejected("unknown_workspace")
        outcome = effects.apply(effects.Scene(self, item), item.operation)
        tally.accepted += 1
        tally.count(outcome)

    def _join(self, one: _Ready, first: UUID, second: UUID) -> None:
        scene = effects.Scene(self, one.item)
        anonymous = people.read_anonymous(self.connection, [first, second])
        if len(anonymous) == 1:
            (absorbed,) = anonymous
            survivor = second if absorbed == first else first
        else:
            survivor, absorbed = merge.older(self.connection, first, second)
        name = "anonymous_joined" if anonymous else "customer_merged"
        if not effects.merge_and_note(scene, survivor, absorbed, name=name, by="identify"):
            raise Rejected("contended_identifier")  # or it would be found again and again

    def _apply_many(self, ready: list[_Ready], totals: dict[int, Totals]) -> list[UUID | Refusal]:
        for _ in range(ATTEMPTS):
            written: dict[int, Totals] = {}
            try:
                with self.connection.transaction():
                    owners = self._write(ready, written)
            except Raced:
                continue
            for workspace_id, tally in written.items():
                totals.setdefault(workspace_id, Totals()).add(tally)
            return owners
        raise Rejected("contended_identifier")

    # --- Before the transaction ------------------------------------------------------------------

    def _ready(self, item: Item) -> _Ready:
        operation, received_at = item.operation, item.claimed.received_at
        workspace = self.directory.workspaces.get(item.claimed.workspace_id)
        if workspace is None:
            raise Rejected("unknown_workspace")
        assert isinstance(operation, (Identify, Track))  # noqa: S101  # narrows for the type checker
        who = self.named(workspace.id, operation.who)
        try:
            if isinstance(operation, Track):
                when = moment(operation, workspace.id, received_at)
                return _Ready(item, who, [], when.ts, when)
            at = _identified_at(operation, received_at)
        except AbsurdTime as error:
            raise Rejected("absurd_time") from error
        given = (Identifier.of(workspace, kind, value) for kind, value in operation.identifiers.items())
        return _Ready(item, who, [one for one in given if one is not None], at)

    def named(self, workspace_id: int, who: Ref) -> Identifier | UUID:
        """An identifier in normal form, or a customer's own id. Raises Rejected."""
        workspace = self.directory.workspaces.get(workspace_id)
        if workspace is None:
            raise Rejected("unknown_workspace")
        named = _uuid(who.value) if who.kind == CUSTOMER_ID else Identifier.of(workspace, who.kind, who.value)
        if named is None:
            raise Rejected("unknown_identifier_kind")
        return named

    def _ensure_topics(self, topics: set[tuple[int, int]]) -> None:
        fresh = topics - self._topics
        if fresh:
            consent.ensure_topics(self.side, fresh)
            self._topics |= fresh

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

    def _write(self, ready: list[_Ready], totals: dict[int, Totals]) -> list[UUID | Refusal]:
        # A batch that is applied in parts: a later one must not write again what an earlier one staged.
        staging.empty(self.connection, (*people.STAGES, *sql.STAGES, consent.STAGE))
        now = datetime.now(UTC)
        resolver, owners = self._resolve_all(ready)
        applied: list[tuple[_Ready, UUID]] = []
        for one, owner in zip(ready, owners, strict=True):
            tally = totals.setdefault(one.item.claimed.workspace_id, Totals())
            tally.accepted += 1
            if isinstance(owner, Refusal):
                tally.count(owner.value)
            else:
                applied.append((one, owner))
        self._create(resolver, applied, now)
        self._note_identifiers(resolver, ready, now)
        self._store_events(applied, totals, now)
        changed = self._store_properties(applied, totals, now)
        self._store_consent(applied, now)
        self._refresh_lines(resolver, changed)
        sql.count_events(self.connection)
        receivers = resolver.receivers
        sql.note_customers(self.connection, changed.keys() | receivers, resolver.identified & receivers, now)
        touched = {owner for _, owner in applied}
        sql.mark_dirty(self.connection, [uuids.uuid7() for _ in touched], touched, now)
        return owners

    def _resolve_all(self, ready: list[_Ready]) -> tuple[Resolver, list[UUID | Refusal]]:
        """Whom each operation means.

        Customers who are to get identifiers are locked and all is looked up again: two workers might each
        find a customer without an e-mail and give him one. Most batches have none.
        """
        locked: set[UUID] = set()
        while True:
            resolver = Resolver(self._look_up(ready))
            owners: list[UUID | Refusal] = []
            for resolver.index, one in enumerate(ready):
                owners.append(self._resolve(resolver, one))
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
            tried = {i.key for one in ready for i in self._may_receive(one) if i.kind.name == ANONYMOUS_ID}
            owners = {known.owners[key] for key in tried if key in known.owners}
            if owners:
                known.anonymous = people.read_anonymous(self.connection, owners)
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
        if not isinstance(operation, Identify):
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

    def _note_identifiers(self, resolver: Resolver, ready: list[_Ready], now: datetime) -> None:
        """History of what known customers got, and of what could not be given."""
        new = {one.id for one in resolver.created}
        given = [one for one in resolver.attached if one.customer_id not in new]
        if given or resolver.conflicts:
            source = ready[0].item.claimed.route
            people.note_identifiers(self.connection, given, resolver.conflicts, now, source)

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

    def _store_consent(self, applied: list[tuple[_Ready, UUID]], now: datetime) -> None:
        words: list[consent.Word] = []
        for one, owner in applied:
            operation, source = one.item.operation, one.item.claimed.route
            if not isinstance(operation, Identify):
                continue
            if operation.is_all_consent:
                words.append(consent.Word(owner, 0, None, one.at, len(words), source))
            for topic, is_subscribed in operation.consent.items():
                words.append(consent.Word(owner, topic, is_subscribed, one.at, len(words), source))
        if words:
            consent.say(self.connection, words, now)

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
