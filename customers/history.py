"""READ GATE for the history of a customer: what was changed about him when, and what could not be.

Values have the class of the property or identifier kind that they are of. That something was set, changed
or removed shows to everybody; keys and times are no secret (security.md D3).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.utils import timezone

from customers import access, audit, days, definitions, paging
from customers.access import Clearance, Viewer
from customers.belongings import ALL_MESSAGES, CONSENT, WORDS
from customers.masking import Described, Shown, show
from customers.models import Customer, PropertyChange, Topic
from customers.models.customer import ChangedPart
from customers.models.subscription import EVERYTHING
from rolodesk.errors import NotFound
from rolodesk.json import Json

# The clocks of two workers may differ; a change may then be older than its customer.
MARGIN = timedelta(days=1)
# What happened longer before it was stored is worth a remark.
LATE = timedelta(hours=1)
ICONS = {ChangedPart.PROPERTY: "pencil", ChangedPart.IDENTIFIER: "fingerprint-pattern", ChangedPart.CONSENT: "mail"}
SEVERAL = "list"
# Why a change was not made. Codes of the write gate; an unknown one reads as it is.
FAILURES = {"taken": "Not set: it belongs to another customer, or this one has another of its kind"}


@dataclass(frozen=True, slots=True)
class Change:
    """One change; ``old`` and ``new`` are None where there was or is nothing."""

    id: UUID
    part: ChangedPart
    label: str
    old: Shown | None
    new: Shown | None
    failure: str
    happened_at: datetime | None

    @property
    def verb(self) -> str:
        """What was done, in a word."""
        if self.failure:
            return "refused"
        if self.new is None:
            return "removed"
        return "set" if self.old is None else "changed"


@dataclass(frozen=True, slots=True)
class Moment:
    """What was changed at once, and what changed it."""

    at: datetime
    source: str
    changes: tuple[Change, ...]

    @property
    def icon(self) -> str:
        """That of its part, or of several."""
        return ICONS[self.changes[0].part] if len(self.changes) == 1 else SEVERAL


@dataclass(frozen=True, slots=True)
class Day:
    """The changes of one day."""

    heading: str
    sub: str
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class History:
    """A page of changes, newest first."""

    days: tuple[Day, ...]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class _Names:
    """What masking knows of everything that can change."""

    properties: dict[str, Described]
    identifiers: dict[str, Described]
    topics: dict[str, str]

    def describe(self, row: PropertyChange) -> Described:
        """Label, class and type of what this row is about."""
        if row.part == ChangedPart.CONSENT:
            return Described(CONSENT.name, self.topics.get(row.name, f"Topic {row.name}"), CONSENT.data_class)
        known = self.identifiers if row.part == ChangedPart.IDENTIFIER else self.properties
        return known.get(row.name) or definitions.undeclared(row.name)


def changes(viewer: Viewer, customer_id: UUID, cursor: str = "") -> History:
    """A page of changes. Raises NotFound for unknown customers, HandleRefused for a foreign cursor."""
    customer = Customer.objects.filter(workspace_id=viewer.workspace_id, pk=customer_id).first()
    clearance = access.clearances(viewer, [customer_id]).get(customer_id)
    if customer is None or clearance is None:
        raise NotFound
    if not clearance.is_present:
        return History(())
    rows, next_cursor = paging.newest_first(
        # Both ends of the range are named, so the server skips the other months.
        PropertyChange.objects.filter(
            customer_id=customer_id, at__gte=customer.created_at - MARGIN, at__lte=timezone.now() + MARGIN
        ),
        "at", "id", binding=f"changes:{customer_id}:{viewer.binding}", cursor=cursor,
    )  # fmt: skip
    names, money = _names(viewer.workspace_id), definitions.currency(viewer.workspace_id)
    moments = [
        Moment(at, source, tuple(_change(row, names.describe(row), clearance, money) for row in group))
        for (at, source), group in groupby(rows, key=lambda row: (row.at, row.source))
    ]
    shown = [one for moment in moments for change in moment.changes for one in (change.old, change.new)]
    audit.disclosure(viewer, [customer_id], filter(None, shown))
    grouped = days.by_day(moments, lambda moment: moment.at)
    return History(tuple(Day(*heading, tuple(group)) for heading, group in grouped), next_cursor)


def _names(workspace_id: int) -> _Names:
    topics = {str(row.number): row.name for row in Topic.objects.filter(workspace_id=workspace_id)}
    return _Names(
        dict(definitions.properties(workspace_id, [definitions.CUSTOMER])[definitions.CUSTOMER]),
        {kind.name: kind for kind in definitions.identifier_types(workspace_id).values()},
        topics | {str(EVERYTHING): ALL_MESSAGES},
    )


def _change(row: PropertyChange, described: Described, clearance: Clearance, money: str) -> Change:
    def shown(value: Json) -> Shown | None:
        if value is None:
            return None
        is_consent = row.part == ChangedPart.CONSENT
        return show(described, lambda: WORDS[bool(value)] if is_consent else value, clearance, currency=money)

    return Change(
        id=row.id,
        part=ChangedPart(row.part),
        label=described.label,
        old=shown(row.raw_old),
        new=shown(row.raw_new),
        failure=FAILURES.get(row.failure, row.failure),
        happened_at=row.ts if row.at - row.ts > LATE else None,
    )
