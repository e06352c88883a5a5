"""Where two worlds are put on, one after the other: the same rows, keys and times, with other hidden values."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from customers.folding import fold
from customers.identifiers import lookup_digest, normalise
from customers.models import (
    Customer,
    CustomerIdentifier,
    CustomerProfile,
    CustomerSearch,
    Device,
    IdentifierKind,
    IdentifierLookup,
    Object,
    ObjectType,
    PropertyChange,
    PropertyDefinition,
    Relationship,
    User,
    Workspace,
)
from rolodesk import partitions
from rolodesk.database import connect
from rolodesk.json import Json
from segments.models import Segment, SegmentMember
from tests.cast import Cast
from tests.factories import declare, grant, grant_on_segment, make_segment, make_user
from tests.security import reference
from tests.security.worlds import (
    AMOUNT,
    BELONGINGS,
    CLASSES,
    EVENT_CLASSES,
    EVENTS,
    ROLES,
    SEARCHED,
    Happening,
    Pair,
    Person,
    World,
)
from tracking.intake.operations import Ref, Track, encode
from tracking.models import Delivery, Event, EventCounter, EventDefinition, QuarantinedItem

ENTERED = "segment_entered"
# What a world is made of; written anew for the other one.
MODELS: tuple[Any, ...] = (
    *(CustomerProfile, CustomerIdentifier, IdentifierLookup, CustomerSearch, PropertyChange),
    *(Device, Relationship, Delivery, Event, EventCounter),
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
    kinds: dict[str, IdentifierKind] = field(init=False)
    object_type: ObjectType = field(init=False)

    def __post_init__(self) -> None:
        self.kinds = {kind.name: kind for kind in IdentifierKind.objects.filter(workspace=self.workspace)}
        self.object_type = ObjectType.objects.get(workspace=self.workspace)

    def customer_id(self, index: int) -> UUID:
        """The same in both worlds and in every run."""
        return UUID(int=(index + 1) << 96 | (index + 1) << 8)

    def item_id(self, index: int) -> int:
        """The operation about this person that was set aside."""
        return 1_000_000 + index

    def sees(self, person: Person, data_class: int) -> bool:
        """Whether the role sees values of this class of the person."""
        if person.is_gone:
            return False
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
        self._join(self.queue, self._where(lambda person: person.is_queued))
        QuarantinedItem.objects.bulk_create(
            QuarantinedItem(
                id=self.item_id(index), workspace_id=self.workspace.pk, route="track", received_at=self.now,
                at=self.now, reason="absurd_time", raw_body="[]",
            )
            for index in range(len(self.world.people))
        )  # fmt: skip

    def show(self, number: int) -> None:
        """Put the values of one world where those of the other were."""
        ids = [self.customer_id(index) for index in range(len(self.world.people))]
        for model in MODELS:
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
        # A segment above the viewer's class does not exist for him: who is in it is hidden too.
        is_hidden = ROLES[self.role][0] < self.debtors.data_class
        debtors = self._where(lambda person: person.is_debtor[number if is_hidden else 0])
        SegmentMember.objects.filter(segment_id=self.debtors.pk).delete()
        self._join(self.debtors, debtors)
        self._store_events(number, debtors)
        for index, person in enumerate(self.world.people):
            self._store_belongings(index, person, number)
            self._store_aside(index, person, number)

    def _where(self, condition: Callable[[Person], bool]) -> list[int]:
        return [index for index, person in enumerate(self.world.people) if condition(person)]

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

    def _store_events(self, number: int, debtors: list[int]) -> None:
        types = dict(EventDefinition.objects.filter(workspace=self.workspace).values_list("name", "pk"))
        events: list[Event] = []
        sums: dict[tuple[int, str], list[Event]] = {}
        for index, person in enumerate(self.world.people):
            for happening in person.events:
                event = self._event(index, person, happening, types[happening.name], number)
                event.id = UUID(int=len(events) + 1)
                events.append(event)
                sums.setdefault((index, happening.name), []).append(event)
        for segment, members in ((self.queue, self._where(lambda one: one.is_queued)), (self.debtors, debtors)):
            for index in members:
                event = self._entered(index, segment, types[ENTERED])
                events.append(event)
                sums.setdefault((index, ENTERED), []).append(event)
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

    def _entered(self, index: int, segment: Segment, type_id: int) -> Event:
        ts = self.now - timedelta(minutes=self.world.people[index].minutes + 1)
        return Event(
            id=UUID(int=1 << 64 | index << 32 | segment.pk), customer_id=self.customer_id(index), ts=ts,
            type_id=type_id, received_at=ts, raw_props={"segment_id": segment.pk},
        )  # fmt: skip

    def _store_belongings(self, index: int, person: Person, number: int) -> None:
        """A device, an object, a message and two changes; their keys are the same in both worlds."""
        id_, key, now = self.customer_id(index), UUID(int=index + 1), self.now
        value = {name: self.pick(person, BELONGINGS[name], pair, number) for name, pair in person.belongings.items()}
        attributes = {name: value[name] for name in ("os", "model")}
        Device.objects.create(
            customer_id=id_,
            digest=key,
            raw_token=value["token"],
            platform="ios",
            last_used=now,
            raw_attributes=attributes,
        )
        Object.objects.filter(pk=key).delete()
        Object.objects.create(
            id=key,
            workspace_id=self.workspace.pk,
            type_id=self.object_type.pk,
            raw_key=value["key"],
            raw_props={name: value[name] for name in ("company", "branch")},
            created_at=now,
            updated_at=now,
        )
        Relationship.objects.create(
            customer_id=id_, object_id=key, raw_attributes={"role": value["role"]}, created_at=now, updated_at=now
        )
        Delivery.objects.create(
            customer_id=id_, digest=key, raw_delivery_id=value["delivery"], channel="email", first_at=now, last_at=now
        )
        for place, name in enumerate(("plan", "note")):
            PropertyChange.objects.create(
                customer_id=id_,
                at=now,
                id=UUID(int=index * 2 + place + 1),
                name=name,
                ts=now,
                source="track",
                raw_old=value[f"{name} before"],
                raw_new=value[f"{name} after"],
            )

    def _store_aside(self, index: int, person: Person, number: int) -> None:
        """An operation that names him and was set aside: it shows to the superuser, and not if he is restricted."""
        is_open = self.role == "root" and not person.is_restricted and not person.is_gone
        value = {name: pair[0 if is_open and name != "pin" else number] for name, pair in person.aside.items()}
        name = value.pop("name")
        (email,) = (text for at, kind, text, _ in self.identifiers(number) if (at, kind.name) == (index, "email"))
        body = encode([Track(Ref("email", email), f"{name} happened", properties=value)]).decode()
        QuarantinedItem.objects.filter(pk=self.item_id(index)).update(raw_body=body)


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
    EventDefinition.objects.create(workspace=workspace, kind="system", name=ENTERED)
    ObjectType.objects.create(workspace=workspace, number=1, name="Company")
    for entity, path in (("device", "os"), ("object:1", "company"), ("object:1", "branch")):
        declare(workspace, path, entity=entity, data_class=BELONGINGS[path])
    for path, data_class in EVENT_CLASSES.items():
        declare(workspace, path, entity="event:Purchase", data_class=data_class, is_pinned=True)
    queue = make_segment(workspace, "Queue", is_access_scope=True)
    clerk = make_user("queue")
    grant(clerk, workspace, "view_workspace")
    grant_on_segment(clerk, queue)
    with connect(application="test") as connection:
        months = [(timezone.now() - timedelta(days=days)).date() for days in (0, 31, 62)]
        partitions.make(connection, partitions.EVENT, months)
        partitions.make(connection, partitions.PROPERTY_CHANGE, months)
    return queue, make_segment(workspace, "Debtors", data_class=1), clerk
