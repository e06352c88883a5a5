"""Identity resolution: which customer a set of identifiers means. Plain Python over what was looked up.

The rules are the decision table of the Customer.io Track contract (2.1), which is the strictest of the
wires; operations are resolved in their order, so that an earlier one of the same batch counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple
from uuid import UUID

import uuid_utils.compat as uuids

from customers.directory import Kind, WorkspaceSettings
from customers.identifiers import lookup_digest, normalise

ANONYMOUS_ID, EXTERNAL_ID, EMAIL = "anonymous_id", "external_id", "email"


class Key(NamedTuple):
    """The key of an identifier in the look-up table."""

    workspace_id: int
    kind_id: int
    digest: UUID


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier of an operation, in the spelling given and in normal form."""

    kind: Kind
    value: str
    normal: str
    key: Key

    @classmethod
    def of(cls, workspace: WorkspaceSettings, kind_name: str, value: str) -> "Identifier | None":
        """None when the workspace does not know the kind or nothing is left of the value."""
        kind = workspace.kinds.get(kind_name)
        if kind is None:
            return None
        normal = normalise(kind.normaliser, value)
        if not normal:
            return None
        return cls(
            kind, value.strip(), normal, Key(workspace.id, kind.id, lookup_digest(workspace.id, kind.id, normal))
        )


class Refusal(Enum):
    """Why an operation has no effect; both are answered like a success on the wire."""

    SUPPRESSED = "suppressed"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to be created."""

    id: UUID
    workspace_id: int


class JoinNeeded(Exception):
    """Operation number ``index`` shows that two records are one person; they must be merged first."""

    def __init__(self, index: int, one: UUID, other: UUID) -> None:
        super().__init__(index)
        self.index, self.one, self.other = index, one, other


@dataclass(frozen=True, slots=True)
class Attachment:
    """An identifier that a customer gets."""

    customer_id: UUID
    identifier: Identifier


@dataclass(slots=True)
class Known:
    """What the database knows about the identifiers of a batch."""

    owners: dict[Key, UUID] = field(default_factory=dict)
    suppressed: set[Key] = field(default_factory=set)
    # Customer -> kind -> keys it holds; only filled where an operation may add an identifier.
    held: dict[UUID, dict[int, set[Key]]] = field(default_factory=dict)
    # The customer's own id -> the live customer (itself, or the survivor of a merge), with its workspace.
    live: dict[tuple[int, UUID], UUID] = field(default_factory=dict)
    # Owners that are anonymous so far; only asked for where an operation may make somebody of them.
    anonymous: set[UUID] = field(default_factory=set)


@dataclass(slots=True)
class Resolver:
    """Resolves operations one after the other and collects what must be created, attached and taken away."""

    known: Known
    created: list[NewCustomer] = field(default_factory=list)
    attached: list[Attachment] = field(default_factory=list)
    detached: list[Attachment] = field(default_factory=list)
    # Identifiers that could not be given.
    conflicts: list[Attachment] = field(default_factory=list)
    index: int = 0

    @property
    def receivers(self) -> set[UUID]:
        """Customers who exist already and whose identifiers change."""
        changing = {item.customer_id for item in (*self.attached, *self.detached)}
        return changing - {new.id for new in self.created}

    @property
    def identified(self) -> set[UUID]:
        """Customers who get an identifier that names a person, unlike an anonymous id."""
        return {item.customer_id for item in self.attached if item.identifier.kind.name != ANONYMOUS_ID}

    def by_identifier(self, who: Identifier) -> UUID | Refusal:
        """The customer of an event; an unknown identifier makes a new one."""
        if who.key in self.known.suppressed:
            return Refusal.SUPPRESSED
        return self.known.owners.get(who.key) or self._create(who)

    def by_id(self, workspace_id: int, customer_id: UUID) -> UUID | Refusal:
        """The customer named by his own id; never creates."""
        return self.known.live.get((workspace_id, customer_id), Refusal.IGNORED)

    def identify(
        self, workspace: WorkspaceSettings, who: Identifier, others: Iterable[Identifier], *, may_create: bool
    ) -> UUID | Refusal:
        """Match or create by the decision table, and give the customer the free identifiers.

        Raises JoinNeeded when two customers turn out to be one.
        """
        others = list(others)
        if any(item.key in self.known.suppressed for item in (who, *others)):
            return Refusal.SUPPRESSED
        person = self.known.owners.get(who.key)
        if person is not None:
            self._join_if_one(workspace, person, who, others)
        else:
            person = self._match(workspace, others)
            if person is not None:
                self._give(person, who, may_replace=False)
            elif not may_create:
                return Refusal.IGNORED
            else:
                person = self._create(who)
        for item in others:
            may_replace = workspace.updates_email_by_id and (who.kind.name, item.kind.name) == (EXTERNAL_ID, EMAIL)
            self._give(person, item, may_replace=may_replace)
        return person

    def identify_by_id(self, person: UUID, others: Iterable[Identifier]) -> UUID | Refusal:
        """Update the customer named by his own id; this way may overwrite his identifiers."""
        others = list(others)
        if any(item.key in self.known.suppressed for item in others):
            return Refusal.SUPPRESSED
        for item in others:
            self._give(person, item, may_replace=True)
        return person

    def _match(self, workspace: WorkspaceSettings, others: list[Identifier]) -> UUID | None:
        """The owner of the first known identifier.

        An anonymous id names nobody who is known, but who was anonymous so far may turn out to be this person.
        """
        owners = [(self.known.owners.get(item.key), item) for item in others]
        for owner, item in owners:
            if owner is not None and item.kind.name != ANONYMOUS_ID:
                self._join_if_one(workspace, owner, item, others)
                return owner
        if not workspace.joins_anonymous:
            return None
        return next((owner for owner, _ in owners if owner in self.known.anonymous), None)

    def _join_if_one(
        self, workspace: WorkspaceSettings, person: UUID, who: Identifier, others: list[Identifier]
    ) -> None:
        """Somebody anonymous turns out to be this person, or two records complete each other."""
        for item in others:
            owner = self.known.owners.get(item.key)
            if owner is None or owner == person:
                continue
            if ANONYMOUS_ID in (who.kind.name, item.kind.name):
                is_one = workspace.joins_anonymous and not self.known.anonymous.isdisjoint((person, owner))
            else:
                is_one = workspace.merges_automatically and self._complete_each_other(person, who, owner, item)
            if is_one:
                raise JoinNeeded(self.index, person, owner)

    def _complete_each_other(self, one: UUID, of_one: Identifier, other: UUID, of_other: Identifier) -> bool:
        """One is known by id and has no e-mail, the other by e-mail and has no id."""
        if {of_one.kind.name, of_other.kind.name} != {EXTERNAL_ID, EMAIL}:
            return False
        held = self.known.held
        return not held.get(one, {}).get(of_other.kind.id) and not held.get(other, {}).get(of_one.kind.id)

    def _create(self, who: Identifier) -> UUID:
        new = NewCustomer(uuids.uuid7(), who.key.workspace_id)
        self.created.append(new)
        if who.kind.name == ANONYMOUS_ID:
            self.known.anonymous.add(new.id)
        self._attach(new.id, who)
        return new.id

    def _give(self, person: UUID, item: Identifier, *, may_replace: bool) -> None:
        """Attach a free identifier; a conflict is counted and changes nothing."""
        owner = self.known.owners.get(item.key)
        if owner == person:
            return
        held = self.known.held.get(person, {}).get(item.kind.id, set())
        if owner is not None or (held and not item.kind.is_multiple and not may_replace):
            self.conflicts.append(Attachment(person, item))
            return
        if not item.kind.is_multiple:
            for key in list(held):
                self._detach(person, item, key)
        self._attach(person, item)
        if item.kind.name != ANONYMOUS_ID:
            self.known.anonymous.discard(person)

    def _attach(self, person: UUID, item: Identifier) -> None:
        self.known.owners[item.key] = person
        self.known.held.setdefault(person, {}).setdefault(item.kind.id, set()).add(item.key)
        self.attached.append(Attachment(person, item))

    def _detach(self, person: UUID, item: Identifier, key: Key) -> None:
        self.known.owners.pop(key, None)
        self.known.held[person][item.kind.id].discard(key)
        fresh = [one for one in self.attached if one.identifier.key == key]
        if fresh:  # given by an earlier operation of this batch: it never reaches the tables
            self.attached.remove(fresh[0])
        else:
            self.detached.append(Attachment(person, Identifier(item.kind, "", "", key)))
