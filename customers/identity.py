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

ANONYMOUS_ID = "anonymous_id"


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


@dataclass(slots=True)
class Resolver:
    """Resolves operations one after the other and collects what must be created, attached and taken away."""

    known: Known
    created: list[NewCustomer] = field(default_factory=list)
    attached: list[Attachment] = field(default_factory=list)
    detached: list[Attachment] = field(default_factory=list)
    conflicts: int = 0

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
        """Match or create by the decision table, and give the customer the free identifiers."""
        others = list(others)
        if any(item.key in self.known.suppressed for item in (who, *others)):
            return Refusal.SUPPRESSED
        person = self.known.owners.get(who.key)
        if person is None:
            person = self._match(others)
            if person is not None:
                self._give(person, who, may_replace=False)
            elif not may_create:
                return Refusal.IGNORED
            else:
                person = self._create(who)
        for item in others:
            may_replace = workspace.updates_email_by_id and (who.kind.name, item.kind.name) == ("external_id", "email")
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

    def _match(self, others: Iterable[Identifier]) -> UUID | None:
        """The owner of the first known identifier. An anonymous id does not name a person."""
        for item in others:
            owner = self.known.owners.get(item.key)
            if owner is not None and item.kind.name != ANONYMOUS_ID:
                return owner
        return None

    def _create(self, who: Identifier) -> UUID:
        new = NewCustomer(uuids.uuid7(), who.key.workspace_id)
        self.created.append(new)
        self._attach(new.id, who)
        return new.id

    def _give(self, person: UUID, item: Identifier, *, may_replace: bool) -> None:
        """Attach a free identifier; a conflict is counted and changes nothing."""
        owner = self.known.owners.get(item.key)
        if owner == person:
            return
        held = self.known.held.get(person, {}).get(item.kind.id, set())
        if owner is not None or (held and not item.kind.is_multiple and not may_replace):
            self.conflicts += 1
            return
        if not item.kind.is_multiple:
            for key in list(held):
                self._detach(person, item, key)
        self._attach(person, item)

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
