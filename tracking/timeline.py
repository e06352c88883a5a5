"""READ GATE for events: a customer's timeline and what is summed up from it, masked for the viewer."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import formats, timezone

from customers import access, audit, definitions
from customers.access import Clearance, Viewer
from customers.definitions import Property
from customers.folding import fold
from customers.masking import Described, Shown, disclosed, show
from customers.models import Customer
from rolodesk import sealing
from rolodesk.errors import HandleRefused, NotFound
from tracking.models import Event, EventCounter, EventDefinition, EventKind

PAGE = 50
MAX_FACTS = 3
CURSOR_SECONDS = 24 * 3600
# Later than this is worth a remark, unless it is so late that history was imported.
LATE, IMPORTED = timedelta(hours=1), timedelta(days=30)
NEWEST, OLDEST = "newest", "oldest"
NOTHING = (Decimal(), 0)
ICONS = {EventKind.EVENT: "circle-dot", EventKind.PAGE: "file-text", EventKind.SCREEN: "smartphone"}


@dataclass(frozen=True, slots=True)
class Filters:
    """What part of a timeline is wanted; dates are days in the current time zone."""

    types: tuple[int, ...] = ()
    text: str = ""
    since: date | None = None
    until: date | None = None
    order: str = NEWEST

    @property
    def is_active(self) -> bool:
        """Whether anything narrows the timeline."""
        return bool(self.types or self.text or self.since or self.until)


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
    times: int = 1
    is_system: bool = False


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


def page(viewer: Viewer, customer_id: UUID, filters: Filters, cursor: str = "") -> Timeline:
    """A page of the timeline. Raises NotFound for unknown customers, HandleRefused for a foreign cursor."""
    customer, clearance = _find(viewer, customer_id)
    counters = _counters(customer_id, clearance)
    types = {row.pk: row for row in EventDefinition.objects.filter(pk__in=list(counters))}
    events = _read(viewer, customer, filters, cursor, types) if clearance.is_present else []
    # A worker may have committed an event of a new name since the counters were read.
    newer = EventDefinition.objects.in_bulk({event.type_id for event in events} - types.keys())
    rows = _rows(viewer, events[:PAGE], types | newer, clearance)
    audit.disclosure(viewer, [customer_id], [one for row in rows for one in row.properties])
    return Timeline(
        days=_days(rows),
        types=tuple(
            TypeCount(id_, definition.name, counters[id_], id_ in filters.types)
            for id_, definition in sorted(types.items(), key=lambda item: (-counters[item[0]], item[1].name))
        ),
        filters=filters,
        total=sum(counters.values()),
        shown_count=len(events[:PAGE]),
        next_cursor=_next(_binding(viewer, customer_id, filters), events),
    )


def type_ids(viewer: Viewer, customer_id: UUID) -> list[int]:
    """The types of events that this customer has. Raises NotFound for unknown customers."""
    return list(_counters(customer_id, _find(viewer, customer_id)[1]))


# --- Reading -----------------------------------------------------------------------------------


def _find(viewer: Viewer, customer_id: UUID) -> tuple[Customer, Clearance]:
    customer = Customer.objects.filter(workspace_id=viewer.workspace_id, pk=customer_id).first()
    clearance = access.clearances(viewer, [customer_id]).get(customer_id)
    if customer is None or clearance is None:
        raise NotFound
    return customer, clearance


def _counters(customer_id: UUID, clearance: Clearance) -> dict[int, int]:
    """How many events of each type there are to see."""
    if not clearance.is_present:
        return {}
    return dict(EventCounter.objects.filter(customer_id=customer_id).values_list("type_id", "n"))


def _read(
    viewer: Viewer, customer: Customer, filters: Filters, cursor: str, types: dict[int, EventDefinition]
) -> list[Event]:
    """One page and one more. Both ends of the range are named, so the server skips the other months."""
    found = Event.objects.filter(customer_id=customer.pk, ts__gte=customer.first_seen, ts__lte=customer.last_seen)
    if filters.since:
        found = found.filter(ts__gte=_midnight(filters.since))
    if filters.until and filters.until < date.max:  # there is no day after the last one
        found = found.filter(ts__lt=_midnight(filters.until + timedelta(days=1)))
    wanted = _wanted_types(filters, types)
    if wanted is not None:
        found = found.filter(type_id__in=wanted)
    found = _after(found, filters, _position(_binding(viewer, customer.pk, filters), cursor))
    order = ("ts", "id") if filters.order == OLDEST else ("-ts", "-id")
    return list(found.order_by(*order)[: PAGE + 1])


def _wanted_types(filters: Filters, types: dict[int, EventDefinition]) -> list[int] | None:
    if not filters.types and not filters.text:
        return None
    chosen = [id_ for id_ in types if not filters.types or id_ in filters.types]
    return [id_ for id_ in chosen if fold(filters.text) in fold(types[id_].name)]


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


def _rows(
    viewer: Viewer, events: list[Event], types: dict[int, EventDefinition], clearance: Clearance
) -> list[EventRow]:
    """Masked rows; neighbours that look alike to this viewer are one row."""
    entities = {id_: f"event:{definition.name}" for id_, definition in types.items()}
    declared = definitions.properties(viewer.workspace_id, sorted(set(entities.values())))
    money = definitions.currency(viewer.workspace_id) if events else ""
    rows: list[EventRow] = []
    for event in events:
        definition = types[event.type_id]
        row = _row(event, definition, declared[entities[event.type_id]], clearance, money)
        if rows and _looks_like(rows[-1], row):
            row = _times(rows.pop(), row)
        rows.append(row)
    return rows


def _row(
    event: Event, definition: EventDefinition, declared: dict[str, Property], clearance: Clearance, money: str
) -> EventRow:
    document = event.raw_props
    paths = [path for path in declared if path in document] + sorted(document.keys() - declared.keys())
    shown = tuple(
        show(
            declared.get(path) or definitions.undeclared(path),
            lambda path=path: document[path],  # type: ignore[misc]
            clearance,
            currency=money,
        )
        for path in paths
    )
    pinned = [one for one in shown if one.name in declared and declared[one.name].is_pinned]
    return EventRow(
        id=event.id,
        icon=definition.icon or ICONS[EventKind(definition.kind)],
        label=definition.name,
        at=event.ts,
        received_at=event.received_at,
        received_late=_late(event.received_at - event.ts),
        properties=shown,
        facts=tuple((pinned or list(shown))[:MAX_FACTS]),
    )


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
        first.properties, first.facts, first.times + again.times,
    )  # fmt: skip


def _days(rows: list[EventRow]) -> tuple[Day, ...]:
    today = timezone.localdate()
    return tuple(Day(*_heading(day, today), tuple(group)) for day, group in groupby(rows, key=_day))


def _heading(day: date, today: date) -> tuple[str, str]:
    """Heading and its second part: near days by name, far ones by date."""
    age = (today - day).days
    this_year = formats.date_format(day, "l j F")
    if age in (0, 1):
        return ("Today", "Yesterday")[age], this_year
    if 1 < age < 7:  # noqa: PLR2004  # days of a week
        return formats.date_format(day, "l"), formats.date_format(day, "j F")
    return formats.date_format(day, "j F Y"), formats.date_format(day, "l")


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
