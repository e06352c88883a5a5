"""READ GATE for operations that were set aside because they could not be applied.

What an operation holds has no class yet: nobody has looked at it. So its values are shown only to who sees
sensitive data in the whole workspace, and not even to him when it names somebody restricted, suppressed or
gone. That a key is there shows to everybody who may work here (security.md D3).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from django.db.models import Count
from django.db.models.functions import Left

from customers import access, audit, definitions, paging
from customers.access import SECRET, SENSITIVE, Clearance, Viewer
from customers.definitions import IdentifierType
from customers.identifiers import delivery_digest, lookup_digest, normalise, suppression_digest
from customers.masking import Described, Shown, show
from customers.models import IdentifierLookup, PropertyDefinition, SuppressedIdentifier
from customers.models.customer import CustomerState
from rolodesk.errors import NotAllowed, NotFound
from rolodesk.json import Json
from tracking.intake import operations
from tracking.intake.operations import CUSTOMER_ID, Operation, Ref
from tracking.models import DeliveryLookup, QuarantinedItem

# More than this are "1,000+" in the navigation: a count must not take longer than the page.
TALLY_CAP = 1000
# An operation begins with its kind; a list need not read the rest.
HEAD = 40
_KIND = re.compile(r'\[\{"op":"([a-z]+)"')
# Times of operations are microseconds since 1970.
TIMES = frozenset({"at", "last_used"})

KINDS = {
    "identify": "Create or change a customer",
    "track": "Event",
    "delete": "Delete a customer",
    "suppress": "Suppress a customer",
    "unsuppress": "Free a suppressed identifier",
    "merge": "Merge two customers",
    "putdevice": "Add or change a device",
    "dropdevice": "Remove a device",
    "relate": "Relate a customer to objects",
    "putobject": "Create or change an object",
    "relatepeople": "Relate an object to customers",
    "dropobject": "Remove an object",
    "changemembers": "Change who is in a segment",
    "reportdelivery": "Report of a message",
    "unsubscribe": "Unsubscribe",
    "submitform": "Form submitted",
}
UNREADABLE = "Not readable"
REASONS = {
    "unreadable": "It is none of the operations that this version knows",
    "unknown_workspace": "Its workspace does not exist",
    "unknown_identifier_kind": "It names a customer by a kind of identifier that the workspace does not have",
    "absurd_time": "Its time lies outside of all sense",
    "contended_identifier": "Several writers wanted the same identifier at once, again and again",
    "not_applicable": "It could not be understood while it was applied",
}


@dataclass(frozen=True, slots=True)
class Item:
    """An operation that was set aside."""

    id: int
    kind: str
    reason: str
    code: str
    route: str
    received_at: datetime
    set_aside_at: datetime


@dataclass(frozen=True, slots=True)
class Reason:
    """Why operations were set aside, and how many."""

    code: str
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of operations, set aside last first; all reasons of the workspace, the most frequent first."""

    items: tuple[Item, ...]
    reasons: tuple[Reason, ...]
    next_cursor: str = ""

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(one.count for one in self.reasons)


@dataclass(frozen=True, slots=True)
class Node:
    """A key of an operation, with its value or with what is below it."""

    label: str
    shown: Shown | None = None
    children: tuple["Node", ...] = ()

    def values(self) -> Iterator[Shown]:
        """All values from here on down."""
        if self.shown is not None:
            yield self.shown
        for child in self.children:
            yield from child.values()


@dataclass(frozen=True, slots=True)
class Detail:
    """One operation with its keys and, for who may see them, its values; without nodes it is not readable.

    ``size`` is in bytes; None where values are hidden, for it would tell how long they are.
    """

    item: Item
    size: int | None
    nodes: tuple[Node, ...]
    is_hidden: bool


def page(viewer: Viewer, cursor: str = "") -> Page:
    """A page of what was set aside in the workspace. Raises NotAllowed, and HandleRefused for a foreign cursor."""
    _admit(viewer)
    here = QuarantinedItem.objects.filter(workspace_id=viewer.workspace_id)
    found, next_cursor = paging.newest_first(
        here.annotate(head=Left("raw_body", HEAD)).defer("raw_body"), "at", "id",
        binding=f"quarantine:{viewer.binding}", cursor=cursor,
    )  # fmt: skip
    counted = here.values_list("reason").annotate(n=Count("pk")).order_by("-n", "reason")
    return Page(
        tuple(_item(row, cast("Any", row).head) for row in found),  # annotated above
        tuple(Reason(code, words_for(code), n) for code, n in counted),
        next_cursor,
    )


def detail(viewer: Viewer, item_id: int) -> Detail:
    """One operation. Raises NotAllowed, and NotFound for what is not there or belongs to another workspace."""
    _admit(viewer)
    row = QuarantinedItem.objects.filter(workspace_id=viewer.workspace_id, pk=item_id).first()
    if row is None:
        raise NotFound
    body = row.raw_body
    named = read(body)
    kinds = {kind.name: kind for kind in definitions.identifier_types(viewer.workspace_id).values()}
    people = _people(viewer, named, kinds)
    tree = _Tree(_clearance(viewer, people), kinds, _secrets(viewer.workspace_id, kinds))
    nodes = tuple(node for one in named for node in tree.fields(one, ""))
    shown = [value for node in nodes for value in node.values()]
    audit.disclosure(viewer, people or (), shown)
    is_hidden = any(one.is_masked for one in shown)
    is_told = viewer.sees_everywhere(SENSITIVE) and not is_hidden
    return Detail(_item(row, body[:HEAD]), len(body.encode()) if is_told else None, nodes, is_hidden)


def tally(viewer: Viewer) -> str:
    """How many there are, for the navigation; "" for none."""
    n = QuarantinedItem.objects.filter(workspace_id=viewer.workspace_id)[: TALLY_CAP + 1].count()
    return f"{TALLY_CAP:,}+" if n > TALLY_CAP else str(n or "")


def read(body: str) -> list[Operation]:
    """The operations of a body; none if it cannot be read."""
    try:
        return operations.decode(body)
    except msgspec.MsgspecError:
        return []


def words_for(code: str) -> str:
    """A reason as people read it; a code holds no value."""
    if code.startswith("sql_"):
        return f"The database refuses one of its values (code {code.removeprefix('sql_')})"
    return REASONS.get(code) or code.replace("_", " ").capitalize()


def _admit(viewer: Viewer) -> None:
    if not viewer.may("edit"):
        raise NotAllowed


def _item(row: QuarantinedItem, head: str) -> Item:
    match = _KIND.match(head)
    kind = KINDS.get(match[1], UNREADABLE) if match else UNREADABLE
    return Item(row.pk, kind, words_for(row.reason), row.reason, row.route, row.received_at, row.at)


# --- Who is named, and may be shown --------------------------------------------------------------


def _people(viewer: Viewer, named: list[Operation], kinds: dict[str, IdentifierType]) -> list[UUID] | None:
    """The customers that the operations name. None: one of the names is suppressed, or there is nothing to read."""
    refs = [ref for one in named for ref in operations.named_by(one)]
    pairs = [(kinds[ref.kind], normalise(kinds[ref.kind].normaliser, ref.value)) for ref in refs if ref.kind in kinds]
    barred = [suppression_digest(viewer.workspace_id, kind.id, normal) for kind, normal in pairs]
    here = {"workspace_id": viewer.workspace_id}
    if not named or SuppressedIdentifier.objects.filter(**here, digest__in=barred).exists():
        return None
    digests = [lookup_digest(viewer.workspace_id, kind.id, normal) for kind, normal in pairs]
    found = set(IdentifierLookup.objects.filter(**here, digest__in=digests).values_list("customer_id", flat=True))
    messages = [delivery_digest(one.delivery_id) for one in named if hasattr(one, "delivery_id")]
    found |= set(DeliveryLookup.objects.filter(**here, digest__in=messages).values_list("customer_id", flat=True))
    return sorted(found | {id_ for ref in refs if (id_ := _own_id(ref))})


def _own_id(ref: Ref) -> UUID | None:
    if ref.kind != CUSTOMER_ID:
        return None
    try:
        return UUID(ref.value)
    except ValueError:
        return None


def _clearance(viewer: Viewer, people: list[UUID] | None) -> Clearance:
    """What may be seen of operations about these customers: all but secrets, or nothing."""
    is_open = people is not None and viewer.sees_everywhere(SENSITIVE)
    if is_open and people:
        is_open = all(one.shows(SENSITIVE) for one in access.clearances(viewer, people).values())
    classes = range(SECRET) if is_open else ()
    return Clearance(CustomerState.ACTIVE, None, is_restricted=False, classes=frozenset(classes))


def _secrets(workspace_id: int, kinds: dict[str, IdentifierType]) -> frozenset[str]:
    """Names of properties and kinds whose values nobody ever sees."""
    paths = PropertyDefinition.objects.filter(workspace_id=workspace_id, data_class__gte=SECRET)
    return frozenset(paths.values_list("path", flat=True)) | {
        one.name for one in kinds.values() if one.data_class >= SECRET
    }


# --- The tree ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Tree:
    """Makes nodes of operations. What a property holds is one value, however deep it goes."""

    clearance: Clearance
    kinds: dict[str, IdentifierType]
    secrets: frozenset[str]

    def fields(self, value: msgspec.Struct, path: str) -> Iterator[Node]:
        """The fields of an operation or of a part of it, those left out that say nothing."""
        for field in msgspec.structs.fields(value):
            child = getattr(value, field.name)
            if child not in (None, "", {}, [], field.default):
                yield self.node(field.name, child, f"{path}{field.name}")

    def node(self, name: str, value: Json, path: str) -> Node:
        """One key."""
        if isinstance(value, Ref):
            kind = self.kinds[value.kind].label if value.kind in self.kinds else _words(value.kind)
            return Node(f"{_words(name)}: {kind}", self.value(value.kind, value.value, path))
        if isinstance(value, msgspec.Struct):
            return Node(_words(name), None, tuple(self.fields(value, f"{path}.")))
        if isinstance(value, Mapping):
            pairs = ((str(key), child) for key, child in value.items())
            return Node(_words(name), None, tuple(self.leaf(key, child, f"{path}.{key}") for key, child in pairs))
        if isinstance(value, list):
            numbered = enumerate(value, 1)
            return Node(_words(name), None, tuple(self.node(str(n), child, f"{path}.{n}") for n, child in numbered))
        return Node(_words(name), self.value(name, value // 1000 if name in TIMES else value, path))

    def leaf(self, name: str, value: Json, path: str) -> Node:
        """A property, under its own name."""
        return Node(name, self.value(name, value, path))

    def value(self, name: str, value: Json, path: str) -> Shown:
        """A value or its mask."""
        data_class = SECRET if name in self.secrets else SENSITIVE
        # The type of a hidden value is as hidden as the value.
        is_code = isinstance(value, (dict, list)) and self.clearance.shows(data_class)
        type_ = "datetime" if path in TIMES else "json" if is_code else "text"
        return show(Described(path, name, data_class, type_), lambda: value, self.clearance)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
