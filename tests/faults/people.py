"""What clients know: the people of one connection, and what each operation must have done to them.

Each connection has people of its own and sends one request at a time, again and again until it is accepted.
So the model can follow: an operation counts as done when it is made. What somebody was left with when a
connection gave up is not judged.

Tokens such as ``fp3x00017y`` stand in all that is said about somebody, so a scan can find what was left of him.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

TOKEN = r"f[pv]\d+x\d+y"
EXTERNAL_ID, EMAIL, ANONYMOUS_ID = "external_id", "email", "anonymous_id"

# Kind and value of an identifier.
Name = tuple[str, str]
Json = Any


@dataclass(slots=True, eq=False)
class Record:
    """A customer, as far as the model knows; ``into`` is whom he was merged into."""

    names: set[Name] = field(default_factory=set)
    is_anonymous: bool = False
    items: list["Item"] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    relations: dict[str, str] = field(default_factory=dict)
    is_uncertain: bool = False
    into: "Record | None" = None

    @property
    def root(self) -> "Record":
        """Who he is now."""
        found = self
        while found.into is not None:
            found = found.into
        return found


@dataclass(slots=True, eq=False)
class Item:
    """One operation as the client knows it, and how its sending went: the history.

    ``effect`` is where it shows: event, property, quarantine, or state for what only changes what is there.
    """

    marker: str
    effect: str
    about: str = ""
    is_repeatable: bool = True
    is_gone: bool = False
    record: Record | None = None
    name: str = ""
    ok: int = 0
    unknown: int = 0
    refused: int = 0
    has_given_up: bool = False

    @property
    def least(self) -> int:
        """How often its effect must be there."""
        return 0 if self.is_gone or not self.ok else 1

    @property
    def most(self) -> int:
        """How often it may be there: what carries no id of the client's is as often there as it was sent."""
        if self.is_gone:
            return 0
        return 1 if self.is_repeatable else self.ok + self.unknown


@dataclass(frozen=True, slots=True)
class Operation:
    """An item in the forms in which it can be sent: within version 2, or as a request of version 1."""

    item: Item
    entity: Json = None
    request: tuple[str, str, Json] | None = None
    is_valid: bool = True
    is_serial: bool = False


@dataclass(slots=True)
class People:
    """The people of one connection."""

    number: int
    workspace_id: int
    owners: dict[Name, Record] = field(default_factory=dict)
    # Barred name -> all that were barred with it.
    barred: dict[Name, frozenset[Name]] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    # What the audit must have counted.
    done: Counter[str] = field(default_factory=Counter)

    # --- Who there is -----------------------------------------------------------------------------

    def new_token(self, letter: str) -> str:
        """A token that nobody had."""
        token = f"f{letter}{self.number}x{len(self.tokens):05}y"
        self.tokens.append(token)
        return token

    def new_item(self, effect: str, **fields: Any) -> Item:
        """An item with a marker of its own."""
        item = Item(f"m{self.number}x{len(self.items):06}", effect, **fields)
        self.items.append(item)
        return item

    def records(self) -> Iterator[Record]:
        """Everybody alive."""
        yield from {id(record): record for record in self.owners.values()}.values()

    def is_present(self, token: str) -> bool:
        """Whether anybody of this token is alive."""
        return any(name in self.owners for name in names_of(token))

    def is_barred(self, token: str) -> bool:
        """Whether one of his identifiers is barred."""
        return any(name in self.barred for name in names_of(token))

    def together(self, token: str) -> set[str]:
        """The tokens of everybody who is this one, as far as anybody is."""
        records = [self.owners[name] for name in names_of(token) if name in self.owners]
        groups = [self.barred[name] for name in names_of(token) if name in self.barred]
        return {token}.union(*(tokens_of(one.names) for one in records), *map(tokens_of, groups))

    # --- What operations do -------------------------------------------------------------------------

    def reach(self, name: Name) -> Record | None:
        """The customer of this name, made if he is new; None: he is barred."""
        if name in self.barred:
            return None
        record = self.owners.get(name)
        if record is None:
            record = Record({name}, is_anonymous=name[0] == ANONYMOUS_ID)
            self.owners[name] = record
        return record

    def attach(self, item: Item, name: Name) -> Record | None:
        """The item is about the customer of this name."""
        record = item.record = self.reach(name)
        if record is None:
            item.is_gone = True
        else:
            record.items.append(item)
        return record

    def identify(self, item: Item, token: str, *, email: bool = False, visitor: str = "") -> Record | None:
        """An identify call with an e-mail or an anonymous id beside the id."""
        name = (EXTERNAL_ID, token)
        others = [(EMAIL, email_of(token))] if email else []
        others += [(ANONYMOUS_ID, visitor)] if visitor else []
        if any(one in self.barred for one in (name, *others)):
            item.is_gone = True
            return None
        if name not in self.owners and visitor:
            anonymous = self.owners.get((ANONYMOUS_ID, visitor))
            if anonymous is not None and anonymous.is_anonymous:
                self._give(anonymous, name)
        record = self.attach(item, name)
        if record is None:
            return None
        record.is_anonymous = False
        for other in others:
            owner = self.owners.get(other)
            if owner is None:
                self._give(record, other)
            elif owner is not record and owner.is_anonymous:
                self.merge(record, owner)
        record.properties |= {item.name: item.marker, "last": item.marker}
        return record

    def _give(self, record: Record, name: Name) -> None:
        if name[0] == EMAIL:  # by an id, an e-mail may be replaced
            for held in [one for one in record.names if one[0] == EMAIL]:
                record.names.discard(held)
                del self.owners[held]
        record.names.add(name)
        self.owners[name] = record

    def merge(self, into: Record, source: Record) -> None:
        """The survivor keeps what he has."""
        self.done["customer.merged"] += 1
        for name in source.names:
            self.owners[name] = into
        into.names |= source.names
        into.items += source.items
        into.properties = source.properties | into.properties
        into.devices |= source.devices
        into.relations = source.relations | into.relations
        into.is_uncertain |= source.is_uncertain
        source.into = into

    def delete(self, name: Name, action: str = "customer.deleted") -> Record | None:
        """Nothing of him is left, and his names are free."""
        record = self.owners.get(name)
        if record is None:
            return None
        self.done[action] += 1
        for one in record.names:
            del self.owners[one]
        for item in record.items:
            item.is_gone = True
        return record

    def suppress(self, name: Name) -> None:
        """The same, and all his names are barred."""
        if name in self.barred:
            return
        record = self.delete(name, "customer.suppressed")
        group = frozenset(record.names if record else ()) | {name}
        self.barred |= dict.fromkeys(group, group)
        for item in self.items:  # the quarantine forgets everybody who is barred, whether he existed or not
            item.is_gone |= item.effect == "quarantine" and (EXTERNAL_ID, item.about) in group

    def unsuppress(self, name: Name) -> None:
        """All names that were barred together are free."""
        for one in self.barred.get(name, ()):
            del self.barred[one]


def email_of(token: str) -> str:
    """The only e-mail that this token ever has."""
    return f"{token}@fault.example"


def names_of(token: str) -> list[Name]:
    """All names that it can have."""
    return [(EXTERNAL_ID, token), (EMAIL, email_of(token)), (ANONYMOUS_ID, token)]


def tokens_of(names: Iterable[Name]) -> set[str]:
    """The tokens in names."""
    return {value.partition("@")[0] for _, value in names}
