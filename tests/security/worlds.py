"""Two worlds that differ only in what a viewer may not see: how they are drawn, and how they are stored."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import timezone
from hypothesis import strategies as st

from customers.folding import fold
from customers.identifiers import lookup_digest, normalise
from customers.models import (
    Customer,
    CustomerIdentifier,
    CustomerProfile,
    CustomerSearch,
    IdentifierKind,
    IdentifierLookup,
    PropertyDefinition,
    User,
    Workspace,
)
from rolodesk import partitions
from rolodesk.database import connect
from rolodesk.json import Json
from segments.models import Segment, SegmentMember
from tests.cast import Cast
from tests.factories import declare, grant, grant_on_segment, make_segment, make_user
from tests.properties.strategies import text, values
from tests.security import reference
from tracking.models import Event, EventCounter, EventDefinition

# A value in each of the two worlds.
Pair = tuple[Json, Json]

# Class of each; what is not here is undeclared, so personal.
CLASSES = {"name": 1, "plan": 0, "iban": 2, "pin": 3, "score": 1}
EVENT_CLASSES = {"shop": 0, "card": 2}
KINDS = {"external_id": 0, "email": 1, "phone": 1, "passport": 2, "anonymous_id": 1}
SEARCHED = ("name", "plan")
EVENTS = ("Purchase", "Visit", "Call")
# Highest class granted on the workspace, and on the members of the queue.
ROLES = {"support": (0, 0), "queue": (0, 1), "lead": (1, 0), "privacy": (2, 0), "root": (2, 0)}
AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of a person, so many minutes before he was last seen."""

    name: str
    minutes: int
    properties: dict[str, Pair]
    amount: tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Person:
    """A customer of both worlds."""

    identifiers: dict[str, tuple[str, str]]
    properties: dict[str, Pair]
    events: list[Happening]
    minutes: int
    is_restricted: bool
    is_queued: bool
    is_debtor: tuple[bool, bool]
    state: str


@dataclass(frozen=True, slots=True)
class World:
    """Both worlds. ``amount_class`` None: undeclared; ``has_revenue`` False: nothing says any more what adds up."""

    people: list[Person]
    amount_class: int | None
    has_revenue: bool


words = st.text("abn", min_size=1, max_size=4)
contents = values | text | st.sampled_from(["anna", "Banana nab", 7, ["a"], {"a": "b"}])
happenings = st.builds(
    Happening,
    name=st.sampled_from(EVENTS),
    minutes=st.integers(0, 60 * 24 * 40),
    properties=st.dictionaries(st.sampled_from(["shop", "card", "remark"]), st.tuples(contents, contents), max_size=3),
    amount=st.tuples(*[st.none() | st.integers(1, 10_000) | st.integers(1, 10_000)] * 2),
)
people = st.builds(
    Person,
    identifiers=st.fixed_dictionaries(
        {kind: st.tuples(words, words) for kind in ("external_id", "email", "phone")},
        optional={kind: st.tuples(words, words) for kind in ("passport", "anonymous_id")},
    ),
    properties=st.fixed_dictionaries(
        {name: st.tuples(contents, contents) for name in ("name", "plan")},
        optional={name: st.tuples(contents, contents) for name in ("iban", "pin", "score", "note")},
    ),
    events=st.lists(happenings, min_size=1, max_size=4),
    minutes=st.integers(0, 60 * 24 * 3),
    is_restricted=st.sampled_from([False, False, True]),
    is_queued=st.booleans(),
    is_debtor=st.tuples(st.booleans(), st.booleans()),
    state=st.sampled_from([*["active"] * 7, "merged", "deleted", "anonymous"]),
)
worlds = st.builds(
    World,
    people=st.lists(people, min_size=2, max_size=5),
    amount_class=st.sampled_from([None, 0, 1, 2]),
    has_revenue=st.booleans(),
)


@dataclass(slots=True)
class Stage:
    """The workspace that worlds are stored in, as one role sees it."""

    workspace: Workspace
    queue: Segment
    debtors: Segment
    world: World
    role: str
    now: datetime
    kinds: dict[str, IdentifierKind] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kinds = {kind.name: kind for kind in IdentifierKind.objects.filter(workspace=self.workspace)}

    def customer_id(self, index: int) -> UUID:
        """The same in both worlds and in every run."""
        return UUID(int=(index + 1) << 96 | (index + 1) << 8)

    def sees(self, person: Person, data_class: int) -> bool:
        """Whether the role sees values of this class of the person."""
        p, s = ROLES[self.role]
        return reference.sees(
            data_class, p=p, s=s * person.is_queued, is_root=self.role == "root", is_restricted=person.is_restricted
        )

    def pick(self, person: Person, data_class: int, pair: Pair, number: int) -> Json:
        """The value in this world: hidden ones differ, visible ones are those of the first."""
        return pair[0] if self.sees(person, data_class) else pair[number]

    def identifiers(self, number: int) -> Iterator[tuple[int, IdentifierKind, str, bool]]:
        """Person, kind, value and whether it is hidden, for every identifier of this world."""
        for index, person in enumerate(self.world.people):
            for name, pair in person.identifiers.items():
                kind = self.kinds[name]
                is_hidden = not self.sees(person, kind.data_class)
                which = number if is_hidden else 0
                for spelled in spellings(name, pair[which], f"{index}{which}"):
                    yield index, kind, spelled, is_hidden

    # --- Storing -------------------------------------------------------------------------------

    def store(self) -> None:
        """What both worlds share: rows, keys and times."""
        revenue = AMOUNT if self.world.has_revenue else ""
        EventDefinition.objects.filter(workspace=self.workspace, name="Purchase").update(revenue_property=revenue)
        if self.world.amount_class is not None:
            declare(self.workspace, AMOUNT, entity="event:Purchase", type="money", data_class=self.world.amount_class)
        Customer.objects.bulk_create(
            Customer(
                id=self.customer_id(index), workspace_id=self.workspace.pk, state=person.state,
                is_restricted=person.is_restricted, created_at=self.now - timedelta(days=60), updated_at=self.now,
                first_seen=self.now - timedelta(days=60), last_seen=self.now - timedelta(minutes=person.minutes),
            )
            for index, person in enumerate(self.world.people)
        )  # fmt: skip
        self._join(self.queue, [index for index, person in enumerate(self.world.people) if person.is_queued])

    def show(self, number: int) -> None:
        """Put the values of one world where those of the other were."""
        ids = [self.customer_id(index) for index in range(len(self.world.people))]
        for model in (CustomerProfile, CustomerIdentifier, IdentifierLookup, CustomerSearch, Event, EventCounter):
            model.objects.filter(customer_id__in=ids).delete()
        documents = [
            {name: self.pick(one, CLASSES.get(name, 1), pair, number) for name, pair in one.properties.items()}
            for one in self.world.people
        ]
        CustomerProfile.objects.bulk_create(
            CustomerProfile(customer_id=id_, raw_props=document, base_ts=self.now)
            for id_, document in zip(ids, documents, strict=True)
        )
        self._store_identifiers(number, documents)
        self._store_events(number)
        # A segment above the viewer's class does not exist for him: who is in it is hidden too.
        is_hidden = ROLES[self.role][0] < self.debtors.data_class
        members = [n for n, one in enumerate(self.world.people) if one.is_debtor[number if is_hidden else 0]]
        SegmentMember.objects.filter(segment_id=self.debtors.pk).delete()
        self._join(self.debtors, members)

    def _join(self, segment: Segment, members: list[int]) -> None:
        SegmentMember.objects.bulk_create(
            SegmentMember(segment_id=segment.pk, customer_id=self.customer_id(index), entered_at=self.now)
            for index in members
        )

    def _store_identifiers(self, number: int, documents: list[dict[str, Json]]) -> None:
        lines: dict[int, list[str]] = {index: [] for index in range(len(documents))}
        stored, looked_up = [], []
        for place, (index, kind, value, _) in enumerate(self.identifiers(number)):
            id_, normal = self.customer_id(index), normalise(kind.normaliser, value)
            digest = lookup_digest(self.workspace.pk, kind.pk, normal)
            looked_up.append(
                IdentifierLookup(workspace_id=self.workspace.pk, kind_id=kind.pk, digest=digest, customer_id=id_)
            )
            stored.append(
                CustomerIdentifier(
                    customer_id=id_, kind_id=kind.pk, raw_value=value, raw_normal=normal, raw_folded=fold(normal),
                    digest=digest, last_used=self.now - timedelta(days=place),
                )
            )  # fmt: skip
            if kind.data_class <= 1 and kind.name != "anonymous_id":
                lines[index].append(fold(normal))
        for index, document in enumerate(documents):
            lines[index] += [fold(str(document[name])) for name in SEARCHED if name in document]
        IdentifierLookup.objects.bulk_create(looked_up)
        CustomerIdentifier.objects.bulk_create(stored)
        CustomerSearch.objects.bulk_create(
            CustomerSearch(customer_id=self.customer_id(index), raw_line="\n".join(line))
            for index, line in lines.items()
        )

    def _store_events(self, number: int) -> None:
        types = dict(EventDefinition.objects.filter(workspace=self.workspace).values_list("name", "pk"))
        events: list[Event] = []
        sums: dict[tuple[int, str], list[Event]] = {}
        for index, person in enumerate(self.world.people):
            for happening in person.events:
                event = self._event(index, person, happening, types[happening.name], number)
                event.id = UUID(int=len(events) + 1)
                events.append(event)
                sums.setdefault((index, happening.name), []).append(event)
        Event.objects.bulk_create(events)
        EventCounter.objects.bulk_create(
            EventCounter(
                customer_id=self.customer_id(index), type_id=types[name], n=len(group),
                first_at=min(event.ts for event in group), last_at=max(event.ts for event in group),
                revenue=sum((event.revenue for event in group if event.revenue), Decimal()) or None,
            )
            for (index, name), group in sums.items()
        )  # fmt: skip

    def _event(self, index: int, person: Person, happening: Happening, type_id: int, number: int) -> Event:
        document = {
            name: self.pick(person, EVENT_CLASSES.get(name, 1) if happening.name == "Purchase" else 1, pair, number)
            for name, pair in happening.properties.items()
        }
        is_purchase = happening.name == "Purchase"
        declared = self.world.amount_class if is_purchase else None
        amount = self.pick(person, 1 if declared is None else declared, happening.amount, number)
        ts = self.now - timedelta(minutes=person.minutes + happening.minutes)
        # The sum is as private as what it is made of; without a word about that, it is personal.
        hidden = declared if self.world.has_revenue and declared is not None else 1
        revenue = self.pick(person, hidden, happening.amount, number) if is_purchase else None
        return Event(
            customer_id=self.customer_id(index), ts=ts, type_id=type_id, received_at=ts, revenue=revenue,
            raw_props=document | {AMOUNT: amount},
        )  # fmt: skip


def spellings(kind: str, word: str, unique: str) -> list[str]:
    """Identifiers of a kind made of a word; a device that is not signed in has two."""
    digits = "".join(str(ord(letter) % 10) for letter in word)
    return {
        "email": [f"{word}{unique}@fjord.example"],
        "phone": [f"+4930{digits:0<4}{unique}"],
        "anonymous_id": [f"{word}{unique}", f"{word[::-1]}-{unique}"],
    }.get(kind, [f"{word}-{unique}"])


def prepare(cast: Cast) -> tuple[Segment, Segment, User]:
    """Declare what the worlds are made of; returns the queue, the debtors, and the clerk of the queue."""
    workspace = cast.workspace
    for position, (name, data_class) in enumerate([("passport", 2), ("anonymous_id", 1)], 10):
        IdentifierKind.objects.create(
            workspace=workspace, name=name, label=name.title(), data_class=data_class, position=position,
            is_multiple=name == "anonymous_id",
        )  # fmt: skip
    declare(workspace, "score", label="Score", type="number", is_pinned=True)
    PropertyDefinition.objects.filter(workspace=workspace, path__in=SEARCHED).update(is_searchable=True)
    for name in EVENTS:
        EventDefinition.objects.create(workspace=workspace, kind="event", name=name)
    for path, data_class in EVENT_CLASSES.items():
        declare(workspace, path, entity="event:Purchase", data_class=data_class, is_pinned=True)
    queue = make_segment(workspace, "Queue", is_access_scope=True)
    clerk = make_user("queue")
    grant(clerk, workspace, "view_workspace")
    grant_on_segment(clerk, queue)
    with connect(application="test") as connection:
        months = [(timezone.now() - timedelta(days=days)).date() for days in (0, 31, 62)]
        partitions.make(connection, partitions.EVENT, months)
    return queue, make_segment(workspace, "Debtors", data_class=1), clerk
