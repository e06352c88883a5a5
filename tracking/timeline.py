"""READ GATE for events: a customer's timeline and what is summed up from it, masked for the viewer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from customers import access, audit, days, definitions
from customers.access import Clearance, Viewer
from customers.definitions import Property
from customers.documents import show_document
from customers.folding import fold
from customers.masking import Described, Shown, disclosed, show
from customers.models import Customer
from rolodesk import sealing
from rolodesk.errors import HandleRefused, NotFound
from rolodesk.json import Json
from tracking import references
from tracking.labels import Label, label
from tracking.models import Event, EventCounter, EventDefinition, EventKind
from tracking.references import Scope

PAGE = 50
MAX_FACTS = 3
CURSOR_SECONDS = 24 * 3600
# Later than this is worth a remark, unless it is so late that history was imported.
LATE, IMPORTED = timedelta(hours=1), timedelta(days=30)
NEWEST, OLDEST = "newest", "oldest"
NOTHING = (Decimal(), 0)
# Kinds whose properties are declared for all their rows together, with the class of those that are not. What
# the console notes by itself is ids and codes only.
OWN_KINDS: dict[EventKind, Callable[[str], Described]] = {
    EventKind.MESSAGE: definitions.undeclared,
    EventKind.SYSTEM: lambda path: Described(path, path, access.PUBLIC),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What part of a timeline is wanted; dates are days in the current time zone."""

    types: tuple[int, ...] = ()
    text: str = ""
    since: date | None = None
    until: date | None = None
    order: str = NEWEST
    has_system: bool = True

    @property
    def is_active(self) -> bool:
        """Whether anything narrows the timeline."""
        return bool(self.types or self.text or self.since or self.until or not self.has_system)


@dataclass(frozen=True, slots=True)
class TypeCount:
    """An event name and how often this customer has it."""

    id: int
    label: str
    count: int
    is_selected: bool


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event, or several that look alike and follow each other (``times``)."""

    id: UUID
    icon: str
    label: str
    at: datetime
    received_at: datetime
    received_late: str
    properties: tuple[Shown, ...]
    facts: tuple[Shown, ...]
    is_system: bool
    times: int = 1


@dataclass(frozen=True, slots=True)
class Day:
    """The events of one day."""

    heading: str
    sub: str
    rows: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One page of a timeline."""

    days: tuple[Day, ...]
    types: tuple[TypeCount, ...]
    filters: Filters
    total: int
    shown_count: int
    next_cursor: str = ""

    @property
    def empty_reason(self) -> str:
        """Why there is nothing to see, or ""."""
        if self.days:
            return ""
        return "No events match these filters" if self.filters.is_active else "No events yet"


@dataclass(frozen=True, slots=True)
class Value:
    """What a customer has brought in."""

    total: Shown
    average: Shown
    orders: int


@dataclass(frozen=True, slots=True)
class _Scene:
    """A customer, and what this viewer may know of the types of his events."""

    customer: Customer
    clearance: Clearance
    types: dict[int, EventDefinition]
    labels: dict[int, Label]
    counts: dict[int, int]
    scopes: dict[int, Scope]


def page(viewer: Viewer, customer_id: UUID, filters: Filters, cursor: str = "") -> Timeline:
    """A page of the timeline. Raises NotFound for unknown customers, HandleRefused for a foreign cursor."""
    scene = _scene(viewer, customer_id)
    events = _read(viewer, scene, filters, cursor) if scene.clearance.is_present else []
    rows = _rows(viewer, events[:PAGE], _knowing(scene, events))
    audit.disclosure(viewer, [customer_id], [one for row in rows for one in row.properties])
    return Timeline(
        days=_days(rows),
        types=tuple(
            TypeCount(id_, scene.labels[id_].text, n, id_ in filters.types)
            for id_, n in sorted(scene.counts.items(), key=lambda item: (-item[1], scene.labels[item[0]].text))
        ),
        filters=filters,
        total=sum(scene.counts.values()),
        shown_count=len(events[:PAGE]),
        next_cursor=_next(_binding(viewer, customer_id, filters), events),
    )


def type_ids(viewer: Viewer, customer_id: UUID) -> list[int]:
    """The types of events that this customer has. Raises NotFound for unknown customers."""
    return list(_scene(viewer, customer_id).counts)


# --- Reading -----------------------------------------------------------------------------------


def _scene(viewer: Viewer, customer_id: UUID) -> _Scene:
    customer = Customer.objects.filter(workspace_id=viewer.workspace_id, pk=customer_id).first()
    clearance = access.clearances(viewer, [customer_id]).get(customer_id)
    if customer is None or clearance is None:
        raise NotFound
    counts: dict[int, int] = {}
    if clearance.is_present:
        counts = dict(EventCounter.objects.filter(customer_id=customer_id).values_list("type_id", "n"))
    # Types that point at something are read whether he has such events or not: how many statements it takes
    # must not tell of those that the viewer may not know of.
    rows = EventDefinition.objects.filter(Q(pk__in=list(counts)) | references.pointing(viewer.workspace_id))
    types = {row.pk: row for row in rows}
    scopes = {id_: scope for scope in references.scopes(viewer, types) for id_ in scope.types}
    known = _known_counts(customer, counts, scopes) if clearance.is_present else {}
    types = {id_: types[id_] for id_ in known}
    return _Scene(customer, clearance, types, {id_: label(row) for id_, row in types.items()}, known, scopes)


def _knowing(scene: _Scene, events: list[Event]) -> _Scene:
    """A worker may have committed an event of a new name since the counters were read."""
    newer = EventDefinition.objects.in_bulk({event.type_id for event in events} - scene.types.keys())
    labels = {id_: label(row) for id_, row in newer.items()}
    return replace(scene, types=scene.types | newer, labels=scene.labels | labels)


def _known_counts(customer: Customer, counts: dict[int, int], scopes: dict[int, Scope]) -> dict[int, int]:
    """The counts, with only what the viewer may know of counted where that is not all."""
    if not scopes:
        return counts
    pointing = _events(customer).filter(type_id__in=scopes).filter(*[scope.condition for scope in scopes.values()])
    known = pointing.values_list("type_id").annotate(n=Count("*")).order_by()
    return {id_: n for id_, n in counts.items() if id_ not in scopes} | dict(known)


def _events(customer: Customer) -> QuerySet[Event]:
    """All his events. Both ends of the range are named, so the server skips the other months."""
    return Event.objects.filter(customer_id=customer.pk, ts__gte=customer.first_seen, ts__lte=customer.last_seen)


def _read(viewer: Viewer, scene: _Scene, filters: Filters, cursor: str) -> list[Event]:
    """One page and one more."""
    found = _events(scene.customer).filter(*[scope.condition for scope in scene.scopes.values()])
    if filters.since:
        found = found.filter(ts__gte=_midnight(filters.since))
    if filters.until and filters.until < date.max:  # there is no day after the last one
        found = found.filter(ts__lt=_midnight(filters.until + timedelta(days=1)))
    wanted = _wanted_types(filters, scene)
    if wanted is not None:
        found = found.filter(type_id__in=wanted)
    found = _after(found, filters, _position(_binding(viewer, scene.customer.pk, filters), cursor))
    order = ("ts", "id") if filters.order == OLDEST else ("-ts", "-id")
    return list(found.order_by(*order)[: PAGE + 1])


def _wanted_types(filters: Filters, scene: _Scene) -> list[int] | None:
    chosen = [
        id_
        for id_, row in scene.types.items()
        if (not filters.types or id_ in filters.types)
        and fold(filters.text) in fold(scene.labels[id_].text)
        and (filters.has_system or row.kind != EventKind.SYSTEM)
    ]
    return None if len(chosen) == len(scene.types) else chosen


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _after(events: QuerySet[Event], filters: Filters, after: tuple[datetime, UUID] | None) -> QuerySet[Event]:
    """Keyset paging: a bound on the time for pruning, and the tie broken by id."""
    if after is None:
        return events
    at, id_ = after
    if filters.order == OLDEST:
        return events.filter(ts__gte=at).filter(Q(ts__gt=at) | Q(id__gt=id_))
    return events.filter(ts__lte=at).filter(Q(ts__lt=at) | Q(id__lt=id_))


def _binding(viewer: Viewer, customer_id: UUID, filters: Filters) -> str:
    """What a cursor is bound to: this viewer's page of this customer under these filters."""
    return f"timeline:{customer_id}:{viewer.binding}:{filters}"


def _next(binding: str, events: list[Event]) -> str:
    if len(events) <= PAGE:
        return ""
    last = events[PAGE - 1]
    value = [last.ts.isoformat(), str(last.id)]
    return sealing.seal(settings.CURSOR_KEY, binding, value)


def _position(binding: str, cursor: str) -> tuple[datetime, UUID] | None:
    if not cursor:
        return None
    value = sealing.unseal(settings.CURSOR_KEY, binding, cursor, max_age=CURSOR_SECONDS)
    try:
        return datetime.fromisoformat(value[0]), UUID(value[1])
    except (TypeError, ValueError, IndexError) as error:
        raise HandleRefused from error


# --- Showing -----------------------------------------------------------------------------------


def _rows(viewer: Viewer, events: list[Event], scene: _Scene) -> list[EventRow]:
    """Masked rows; neighbours that look alike to this viewer are one row."""
    entities = {id_: _entity(definition) for id_, definition in scene.types.items()}
    declared = definitions.properties(viewer.workspace_id, sorted(set(entities.values())))
    money = definitions.currency(viewer.workspace_id) if events else ""
    rows: list[EventRow] = []
    for event in events:
        row = _row(event, scene, declared[entities[event.type_id]], money)
        if rows and _looks_like(rows[-1], row):
            row = _times(rows.pop(), row)
        rows.append(row)
    return rows


def _entity(definition: EventDefinition) -> str:
    """Under what the properties of these events are declared."""
    kind = EventKind(definition.kind)
    return str(kind) if kind in OWN_KINDS else f"event:{definition.name}"


def _row(event: Event, scene: _Scene, declared: dict[str, Property], money: str) -> EventRow:
    kind, words = EventKind(scene.types[event.type_id].kind), scene.labels[event.type_id]
    shown = show_document(
        _document(event, kind, scene), declared, scene.clearance,
        currency=money, undeclared=OWN_KINDS.get(kind, definitions.undeclared),
    )  # fmt: skip
    if kind == EventKind.SYSTEM:
        facts = tuple(one for one in shown if one.name == words.detail)
    else:
        pinned = tuple(one for one in shown if one.name in declared and declared[one.name].is_pinned)
        facts = (pinned or shown)[:MAX_FACTS]
    return EventRow(
        id=event.id,
        icon=words.icon,
        label=words.text,
        at=event.ts,
        received_at=event.received_at,
        received_late=_late(event.received_at - event.ts),
        properties=shown,
        facts=facts,
        is_system=kind == EventKind.SYSTEM,
    )


def _document(event: Event, kind: EventKind, scene: _Scene) -> dict[str, Json]:
    """The stored properties; what only repeats the name of the row is left out."""
    document: dict[str, Json] = event.raw_props
    if event.type_id in scene.scopes:
        document = scene.scopes[event.type_id].named(document)
    return {path: value for path, value in document.items() if kind not in OWN_KINDS or path != kind}


def _late(delay: timedelta) -> str:
    if not LATE < delay < IMPORTED:
        return ""
    return f"received {delay.days} d later" if delay.days else f"received {delay.seconds // 3600} h later"


def _looks_like(one: EventRow, other: EventRow) -> bool:
    return (one.label, one.properties, _day(one)) == (other.label, other.properties, _day(other))


def _day(row: EventRow) -> date:
    return timezone.localtime(row.at).date()


def _times(first: EventRow, again: EventRow) -> EventRow:
    return EventRow(
        first.id, first.icon, first.label, first.at, first.received_at, first.received_late,
        first.properties, first.facts, first.is_system, first.times + again.times,
    )  # fmt: skip


def _days(rows: list[EventRow]) -> tuple[Day, ...]:
    return tuple(Day(*heading, tuple(group)) for heading, group in days.by_day(rows, lambda row: row.at))


# --- Value -------------------------------------------------------------------------------------


def values(viewer: Viewer, ids: list[UUID]) -> dict[UUID, Value]:
    """Lifetime value by customer; it has the highest class of the amounts it is made of.

    Amounts of a type that no longer names its property count for nothing: nobody knows their class.
    """
    decided = access.clearances(viewer, ids)
    money = definitions.currency(viewer.workspace_id)
    sources = EventDefinition.objects.filter(workspace_id=viewer.workspace_id).exclude(revenue_property="")
    paths = {id_: (f"event:{name}", path) for id_, name, path in sources.values_list("id", "name", "revenue_property")}
    described = Described("lifetime_value", "Lifetime value", _highest_class(viewer, set(paths.values())), "money")
    sums: dict[UUID, tuple[Decimal, int]] = {}
    counters = EventCounter.objects.filter(customer_id__in=ids, type_id__in=list(paths), revenue__isnull=False)
    for customer_id, revenue, n in counters.values_list("customer_id", "revenue", "n"):
        total, orders = sums.get(customer_id, NOTHING)
        sums[customer_id] = (total + (revenue or 0), orders + n)
    made: dict[UUID, Value] = {}
    for id_, clearance in decided.items():
        total, orders = sums.get(id_, NOTHING)
        shown = show(described, lambda total=total: total, clearance, currency=money)  # type: ignore[misc]
        mean = total / orders if orders else 0
        average = show(described, lambda mean=mean: mean, clearance, currency=money)  # type: ignore[misc]
        made[id_] = Value(shown, average, orders if not shown.is_masked else 0)
    opened = [id_ for id_, value in made.items() if disclosed([value.total])]
    audit.disclosure(viewer, opened, [value.total for value in made.values()])
    return made


def _highest_class(viewer: Viewer, paths: set[tuple[str, str]]) -> int:
    declared = definitions.properties(viewer.workspace_id, sorted({entity for entity, _ in paths}))
    found = (declared[entity].get(path) or definitions.undeclared(path) for entity, path in paths)
    return max((one.data_class for one in found), default=access.PUBLIC)
