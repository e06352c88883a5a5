"""Finding customers, part of the READ GATE for people.

First the whole identifier, at once and for everybody (limited and audited where it is private); then by
part, over values that the viewer may see and over nothing else. A hidden value behaves as absent.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from customers import access, audit, definitions, profiles
from customers.access import PERSONAL, PUBLIC, Viewer
from customers.definitions import IdentifierType
from customers.folding import fold
from customers.identifiers import NORMALISERS, is_valid, lookup_digest, normalise, suppression_digest
from customers.models import Customer, CustomerIdentifier, CustomerSearch, IdentifierLookup, SuppressedIdentifier
from customers.models.customer import CustomerState
from customers.profiles import CustomerRow
from rolodesk import sealing
from rolodesk.errors import HandleRefused, TooManyLookups
from rolodesk.json import storable

PAGE = 50
# People are told exact counts up to a thousand, then "over 1,000".
COUNT_CAP = 1001
MIN_PART = 3
CURSOR_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one heading."""

    label: str
    rows: tuple[CustomerRow, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list or of search results. ``total`` stops at COUNT_CAP."""

    groups: tuple[Group, ...]
    total: int
    next_cursor: str = ""
    suppressed_at: datetime | None = None
    lookups_left: int | None = None

    @property
    def shown_count(self) -> int:
        """Rows on this page."""
        return sum(len(group.rows) for group in self.groups)


def listing(viewer: Viewer, cursor: str = "") -> Page:
    """All customers, last seen first, page by page."""
    everybody = _present(viewer)
    binding = _binding(viewer)
    after = _position(binding, cursor)
    ids = list(_after(everybody, after).order_by("-last_seen", "-id").values_list("id", "last_seen")[: PAGE + 1])
    rows = profiles.rows(viewer, [id_ for id_, _ in ids[:PAGE]])
    total = everybody.values("id")[:COUNT_CAP].count()
    return Page((Group("", tuple(rows)),), total, _next(binding, ids))


def find(viewer: Viewer, text: str, cursor: str = "") -> Page:
    """Exact identifiers first, then matches by part. Raises TooManyLookups."""
    text = storable(text).encode("utf-8", "replace").decode().strip()
    kinds = definitions.identifier_types(viewer.workspace_id)
    exact, suppressed_at = ({}, None) if cursor else _exact(viewer, text, kinds)
    partial = _partial(viewer, fold(text), kinds, leave_out=set(exact))
    binding = _binding(viewer, text)
    after = _position(binding, cursor)
    rest = [item for item in partial if after is None or (item[1], item[0]) < after]
    page = rest[: PAGE + 1]
    groups = [
        Group("Exact identifier", tuple(profiles.rows(viewer, list(exact), exact))),
        Group("Partial matches", tuple(_explained(viewer, [id_ for id_, _ in page[:PAGE]], fold(text)))),
    ]
    return Page(
        tuple(group for group in groups if group.rows),
        len(exact) + len(partial),
        _next(binding, page),
        suppressed_at,
        lookups_left(viewer),
    )


def lookups_left(viewer: Viewer) -> int | None:
    """How many whole private identifiers this viewer may still try now; None: no limit applies."""
    if viewer.sees_everywhere(PERSONAL):
        return None
    minute, day = audit.lookups_made(viewer.user_id)
    return max(0, min(settings.LOOKUPS_PER_MINUTE - minute, settings.LOOKUPS_PER_DAY - day))


# --- Exact -------------------------------------------------------------------------------------


def _exact(viewer: Viewer, text: str, kinds: dict[int, IdentifierType]) -> tuple[dict[UUID, str], datetime | None]:
    """Customers whose identifier is this very text, with the reason; and since when it is suppressed."""
    if not is_valid(text):
        return {}, None
    tried = {
        kind.id: normalise(kind.normaliser, text)
        for kind in kinds.values()
        if kind.has_lookup and NORMALISERS[kind.normaliser].is_whole(text)
    }
    _account_for(viewer, {kind_id: normal for kind_id, normal in tried.items() if kinds[kind_id].data_class > PUBLIC})
    digests = {lookup_digest(viewer.workspace_id, kind_id, normal): kind_id for kind_id, normal in tried.items()}
    found = IdentifierLookup.objects.filter(
        workspace_id=viewer.workspace_id, kind_id__in=list(tried), digest__in=list(digests)
    ).values_list("customer_id", "digest")
    reasons: dict[UUID, str] = {}
    for customer_id, digest in found:
        reasons.setdefault(customer_id, f"matched {kinds[digests[digest]].label.lower()}")
    barred = [suppression_digest(viewer.workspace_id, kind_id, normal) for kind_id, normal in tried.items()]
    suppressed_at = (
        SuppressedIdentifier.objects.filter(workspace_id=viewer.workspace_id, digest__in=barred)
        .values_list("at", flat=True)
        .first()
    )
    present = set(_present(viewer).filter(pk__in=list(reasons)).values_list("pk", flat=True))
    return {id_: reason for id_, reason in reasons.items() if id_ in present}, suppressed_at


def _account_for(viewer: Viewer, private: dict[int, str]) -> None:
    """Count and audit a look-up of private identifiers, before it is made. Raises TooManyLookups."""
    if not private:
        return
    if lookups_left(viewer) == 0:
        raise TooManyLookups
    probes = {str(kind_id): _probe(viewer, kind_id, normal) for kind_id, normal in private.items()}
    audit.record(viewer, audit.LOOKUP, classes=[PERSONAL], data=probes)


def _probe(viewer: Viewer, kind_id: int, normal: str) -> str:
    """A keyed digest of what was tried, so that the audit can tell repeats without knowing them."""
    message = f"{viewer.workspace_id}\0{kind_id}\0{normal}".encode("utf-8", "replace")
    return hmac.digest(settings.AUDIT_KEY, message, "sha256").hex()[:32]


# --- By part -----------------------------------------------------------------------------------


def _partial(
    viewer: Viewer, folded: str, kinds: dict[int, IdentifierType], leave_out: set[UUID]
) -> list[tuple[UUID, datetime]]:
    """Matches by part, last seen first, at most COUNT_CAP of them.

    Ranked here: an ORDER BY in the statement would make the server read every match of a common part.
    """
    if not folded:
        return []
    ids: set[UUID] = set()
    public = [kind.id for kind in kinds.values() if kind.data_class == PUBLIC and kind.is_searchable]
    if public:
        matching = CustomerIdentifier.objects.filter(kind_id__in=public).filter(_prefix(folded))
        ids |= _ids(_present(viewer).filter(access.sees(viewer, PUBLIC)), matching)
    if len(folded) >= MIN_PART and viewer.grants:
        lines = CustomerSearch.objects.filter(raw_line__contains=folded)
        ids |= _ids(_present(viewer).filter(access.sees(viewer, PERSONAL)), lines)
    found = Customer.objects.filter(pk__in=ids - leave_out).values_list("id", "last_seen")
    return sorted(found, key=lambda item: (item[1], item[0]), reverse=True)


def _prefix(folded: str) -> Q:
    """A range over the C collation: an index serves it, LIKE with a parameter it would not."""
    return Q(raw_folded__gte=folded, raw_folded__lt=folded + "\U0010ffff")


def _ids(people: QuerySet[Customer], matching: QuerySet[CustomerIdentifier] | QuerySet[CustomerSearch]) -> set[UUID]:
    matched: QuerySet[Any, Any] = matching.values("customer_id")
    return set(people.filter(pk__in=matched).values_list("pk", flat=True)[:COUNT_CAP])


def _explained(viewer: Viewer, ids: list[UUID], folded: str) -> list[CustomerRow]:
    """Rows with the reason of the match, told from what the viewer sees."""
    plain = profiles.rows(viewer, ids)
    return [
        CustomerRow(
            row.id, row.state, row.is_restricted, row.last_seen, row.name, row.identifiers, _reason(row, folded)
        )
        for row in plain
    ]


def _reason(row: CustomerRow, folded: str) -> str:
    hits = [one.label for one in (*row.identifiers, row.name) if not one.is_masked and folded in fold(one.value)]
    return "matched " + ", ".join(dict.fromkeys(label.lower() for label in hits)) if hits else "matched a property"


# --- Paging ------------------------------------------------------------------------------------


def _present(viewer: Viewer) -> QuerySet[Customer]:
    """Customers in the viewer's workspace that lists show."""
    return Customer.objects.filter(workspace_id=viewer.workspace_id, state=CustomerState.ACTIVE)


def _after(people: QuerySet[Customer], after: tuple[datetime, UUID] | None) -> QuerySet[Customer]:
    if after is None:
        return people
    seen, id_ = after
    # The first condition bounds the index scan; the second breaks ties.
    return people.filter(last_seen__lte=seen).filter(Q(last_seen__lt=seen) | Q(pk__lt=id_))


def _binding(viewer: Viewer, text: str = "") -> str:
    """What a cursor is bound to: this viewer's list, or his results for this text."""
    return f"list:{viewer.binding}:{text}"


def _next(binding: str, page: list[tuple[UUID, datetime]]) -> str:
    """A sealed cursor behind the page's last row, or "" at the end."""
    if len(page) <= PAGE:
        return ""
    id_, seen = page[PAGE - 1]
    return sealing.seal(settings.CURSOR_KEY, binding, [seen.isoformat(), str(id_)])


def _position(binding: str, cursor: str) -> tuple[datetime, UUID] | None:
    if not cursor:
        return None
    value = sealing.unseal(settings.CURSOR_KEY, binding, cursor, max_age=CURSOR_SECONDS)
    try:
        return datetime.fromisoformat(value[0]), UUID(value[1])
    except (TypeError, ValueError, IndexError) as error:
        raise HandleRefused from error
