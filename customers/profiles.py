"""READ GATE for people: every face reads a person here, masked for its viewer.

Returns frozen dataclasses only. The number of statements never grows with the rows.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from customers import access, audit, definitions
from customers.access import Clearance, Viewer
from customers.definitions import Property
from customers.masking import MASK, Shown, disclosed, show
from customers.models import Customer, CustomerIdentifier, CustomerProfile
from rolodesk.errors import NotFound
from rolodesk.json import Json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHORT_ID = 6
NAME = "name"


def short_id(customer_id: UUID) -> str:
    """The last six hex digits: for reading aloud and confirming, never a key."""
    return customer_id.hex[-SHORT_ID:]


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer in a list."""

    id: UUID
    state: str
    is_restricted: bool
    last_seen: datetime
    name: Shown
    identifiers: tuple[Shown, ...]
    match_reason: str = ""

    @property
    def short_id(self) -> str:
        """See ``short_id``."""
        return short_id(self.id)

    @property
    def primary(self) -> Shown:
        """The identifier in the first line."""
        return self.identifiers[0] if self.identifiers else Shown("", "Identifier", "")

    @property
    def secondary(self) -> tuple[Shown, ...]:
        """The others."""
        return self.identifiers[1:]


@dataclass(frozen=True, slots=True)
class Profile:
    """A customer's own page: who he is, without what he did."""

    id: UUID
    state: str
    is_restricted: bool
    merged_into: UUID | None
    created_at: datetime
    first_seen: datetime
    last_seen: datetime
    name: Shown
    identifiers: tuple[Shown, ...]
    properties: tuple[Shown, ...]
    pinned: tuple[Shown, ...]

    @property
    def short_id(self) -> str:
        """See ``short_id``."""
        return short_id(self.id)

    @property
    def hidden_count(self) -> int:
        """How many values are masked."""
        return sum(one.is_masked for one in (*self.identifiers, *self.properties))

    @property
    def sees_all(self) -> bool:
        """Whether nothing is masked."""
        return self.hidden_count == 0


def get(viewer: Viewer, customer_id: UUID) -> Profile:
    """The profile, masked. Raises NotFound for unknown ids and those of other workspaces alike."""
    row = Customer.objects.filter(workspace_id=viewer.workspace_id, pk=customer_id).first()
    clearance = access.clearances(viewer, [customer_id]).get(customer_id)
    if row is None or clearance is None:
        raise NotFound
    declared = definitions.properties(viewer.workspace_id, [definitions.CUSTOMER])[definitions.CUSTOMER]
    identifiers = _identifiers(viewer, {customer_id: clearance}).get(customer_id, ())
    properties = _properties(viewer, customer_id, clearance, declared)
    by_name = {one.name: one for one in properties}
    profile = Profile(
        id=row.pk,
        state=row.state,
        is_restricted=row.is_restricted,
        merged_into=row.merged_into,
        created_at=row.created_at,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        name=_name(declared, by_name),
        identifiers=identifiers,
        properties=properties,
        pinned=tuple(
            by_name.get(path, Shown(path, item.label, "", type=item.type))
            for path, item in declared.items()
            if item.is_pinned
        ),
    )
    audit.disclosure(viewer, [customer_id], [*profile.identifiers, *profile.properties])
    return profile


def rows(viewer: Viewer, ids: list[UUID], reasons: dict[UUID, str] | None = None) -> list[CustomerRow]:
    """List rows for these customers in this order; ids the viewer cannot see are left out."""
    found = {row.pk: row for row in Customer.objects.filter(workspace_id=viewer.workspace_id, pk__in=ids)}
    decided = access.clearances(viewer, ids)
    identifiers = _identifiers(viewer, decided)
    names = _names(viewer, decided)
    made = [
        CustomerRow(
            id=id_,
            state=found[id_].state,
            is_restricted=found[id_].is_restricted,
            last_seen=found[id_].last_seen,
            name=names[id_],
            identifiers=identifiers.get(id_, ()),
            match_reason=(reasons or {}).get(id_, ""),
        )
        for id_ in ids
        if id_ in found and id_ in decided
    ]
    open_rows = [row for row in made if disclosed([row.name, *row.identifiers])]
    shown = [one for row in open_rows for one in (row.name, *row.identifiers)]
    audit.disclosure(viewer, [row.id for row in open_rows], shown)
    return made


def _identifiers(viewer: Viewer, decided: dict[UUID, Clearance]) -> dict[UUID, tuple[Shown, ...]]:
    """Masked identifiers by customer, in the order of their kinds. Two statements."""
    kinds = definitions.identifier_types(viewer.workspace_id)
    order = {kind_id: position for position, kind_id in enumerate(kinds)}
    found: dict[UUID, list[tuple[int, Shown]]] = {}
    rows = CustomerIdentifier.objects.filter(customer_id__in=list(decided), kind_id__in=list(kinds)).order_by(
        "raw_normal"
    )
    for row in rows:
        clearance, kind = decided[row.customer_id], kinds[row.kind_id]
        if clearance.is_present:
            shown = show(kind, lambda row=row: row.raw_value, clearance, updated_at=row.last_used)  # type: ignore[misc]
            found.setdefault(row.customer_id, []).append((order[row.kind_id], shown))
    return {id_: tuple(shown for _, shown in sorted(items, key=lambda item: item[0])) for id_, items in found.items()}


def _names(viewer: Viewer, decided: dict[UUID, Clearance]) -> dict[UUID, Shown]:
    """The display name of each customer. Two statements."""
    declared = definitions.properties(viewer.workspace_id, [definitions.CUSTOMER])[definitions.CUSTOMER]
    parts = {path: item for path, item in declared.items() if item.role == NAME}
    documents = {
        row.customer_id: row.raw_props for row in CustomerProfile.objects.filter(customer_id__in=list(decided))
    }
    named: dict[UUID, Shown] = {}
    for id_, clearance in decided.items():
        document = documents.get(id_, {}) if clearance.is_present else {}
        by_name = {
            path: show(item, lambda path=path: document[path], clearance)  # type: ignore[misc]  # noqa: B023
            for path, item in parts.items()
            if path in document
        }
        named[id_] = _name(declared, by_name)
    return named


def _name(declared: dict[str, Property], shown: dict[str, Shown]) -> Shown:
    """The first property in the role of a name, or first and last name joined; masked if any part is."""
    parts = [shown[path] for path, item in declared.items() if item.role == NAME and path in shown]
    if not parts:
        return Shown(NAME, "Name", "")
    if parts[0].name == NAME:
        parts = parts[:1]
    highest = max(part.data_class for part in parts)
    if any(part.is_masked for part in parts):
        return Shown(NAME, "Name", MASK, is_masked=True, data_class=highest)
    return Shown(NAME, "Name", " ".join(part.value for part in parts), data_class=highest)


def _properties(
    viewer: Viewer, customer_id: UUID, clearance: Clearance, declared: dict[str, Property]
) -> tuple[Shown, ...]:
    """All properties with the time each was set: declared ones in their order, then the rest by name."""
    row = CustomerProfile.objects.filter(pk=customer_id).first() if clearance.is_present else None
    if row is None:
        return ()
    document, times = row.raw_props, row.props_ts
    known = [path for path in declared if path in document]
    money = definitions.currency(viewer.workspace_id)
    return tuple(
        show(
            declared.get(path) or definitions.undeclared(path),
            lambda path=path: document[path],  # type: ignore[misc]
            clearance,
            currency=money,
            updated_at=_set_at(times.get(path), row.base_ts),
        )
        for path in [*known, *sorted(document.keys() - declared.keys())]
    )


def _set_at(micros: Json, base: datetime) -> datetime:
    return base if micros is None else EPOCH + timedelta(microseconds=int(micros))
