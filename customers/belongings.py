"""READ GATE for what belongs to a customer: devices, objects and consent, masked for the viewer.

Devices have classes of their own under the entity ``device`` (the token under the path ``token``); objects
under ``object:<type number>`` (their key under ``key``) and what ties a customer to them under
``relationship:<type number>``. What is not declared is personal. The number of statements never grows with
the rows.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from customers import access, audit, definitions, paging
from customers.access import PUBLIC, Clearance, Viewer
from customers.definitions import Property
from customers.documents import show_document
from customers.masking import Described, Shown, show
from customers.models import Device, Object, ObjectType, Relationship, Subscription, Topic
from customers.models.subscription import EVERYTHING
from rolodesk.errors import NotFound

DEVICE, TOKEN, KEY = "device", "token", "key"
MAX_FACTS = 3
PLATFORM = Described("platform", "Platform", PUBLIC)
PLATFORMS = {"ios": "iOS"}
# Class 0, for support must be able to tell a customer which messages he gets, and must not have to ask for
# personal data to do it. Of a restricted customer it is hidden like everything else.
CONSENT = Described("consent", "Consent", PUBLIC)
ALL_MESSAGES = "All messages"
WORDS = {True: "Subscribed", False: "Unsubscribed", None: ""}


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device of a customer."""

    token: Shown
    platform: Shown
    last_used: datetime
    attributes: tuple[Shown, ...]

    @property
    def facts(self) -> tuple[Shown, ...]:
        """What stands in the first line."""
        return (self.token, *self.attributes)[:MAX_FACTS]


@dataclass(frozen=True, slots=True)
class Devices:
    """A page of devices, last used first."""

    rows: tuple[DeviceRow, ...]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """An object that a customer belongs to, with the attributes of that."""

    id: UUID
    type_name: str
    key: Shown
    properties: tuple[Shown, ...]
    attributes: tuple[Shown, ...]
    since: datetime
    updated_at: datetime

    @property
    def facts(self) -> tuple[Shown, ...]:
        """What stands in the first line."""
        return (self.key, *self.properties)[:MAX_FACTS]


@dataclass(frozen=True, slots=True)
class Objects:
    """A page of objects, the newest relationship first."""

    rows: tuple[ObjectRow, ...]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """What a customer said about one topic; ``said`` is empty where he said nothing."""

    label: str
    description: str
    said: Shown
    at: datetime | None = None
    source: str = ""

    @property
    def is_subscribed(self) -> bool:
        """Whether he said yes, as far as the viewer may know."""
        return self.said.value == WORDS[True]

    @property
    def is_unsubscribed(self) -> bool:
        """Whether he said no, as far as the viewer may know."""
        return self.said.value == WORDS[False]


@dataclass(frozen=True, slots=True)
class Consent:
    """What a customer said about messages altogether, and about each topic of the workspace."""

    everything: Word
    topics: tuple[Word, ...]

    @property
    def subscribed_count(self) -> int:
        """To how many topics he said yes."""
        return sum(one.is_subscribed for one in self.topics)


def _clearance(viewer: Viewer, customer_id: UUID) -> Clearance:
    found = access.clearances(viewer, [customer_id]).get(customer_id)
    if found is None:
        raise NotFound
    return found


# --- Devices -----------------------------------------------------------------------------------


def devices(viewer: Viewer, customer_id: UUID, cursor: str = "") -> Devices:
    """A page of devices. Raises NotFound for unknown customers, HandleRefused for a foreign cursor."""
    clearance = _clearance(viewer, customer_id)
    if not clearance.is_present:
        return Devices(())
    found, next_cursor = paging.newest_first(
        Device.objects.filter(customer_id=customer_id), "last_used", "digest",
        binding=f"devices:{customer_id}:{viewer.binding}", cursor=cursor,
    )  # fmt: skip
    declared = definitions.properties(viewer.workspace_id, [DEVICE])[DEVICE]
    money = definitions.currency(viewer.workspace_id)
    rows = tuple(_device(one, declared, clearance, money) for one in found)
    audit.disclosure(
        viewer, [customer_id], [shown for row in rows for shown in (row.token, row.platform, *row.attributes)]
    )
    return Devices(rows, next_cursor)


def _device(row: Device, declared: dict[str, Property], clearance: Clearance, money: str) -> DeviceRow:
    return DeviceRow(
        token=show(declared.get(TOKEN) or Described(TOKEN, "Token", 1), lambda: row.raw_token, clearance),
        platform=show(PLATFORM, lambda: PLATFORMS.get(row.platform) or row.platform.capitalize(), clearance),
        last_used=row.last_used,
        attributes=show_document(row.raw_attributes, declared, clearance, currency=money),
    )


# --- Objects -----------------------------------------------------------------------------------


def objects(viewer: Viewer, customer_id: UUID, cursor: str = "") -> Objects:
    """A page of the objects that a customer belongs to. Raises NotFound and HandleRefused.

    An object is judged like the customer by whom the viewer came to it: it is no person, and has nobody's
    clearance of its own.
    """
    clearance = _clearance(viewer, customer_id)
    if not clearance.is_present:
        return Objects(())
    links, next_cursor = paging.newest_first(
        Relationship.objects.filter(customer_id=customer_id), "created_at", "object_id",
        binding=f"objects:{customer_id}:{viewer.binding}", cursor=cursor,
    )  # fmt: skip
    known = Object.objects.filter(workspace_id=viewer.workspace_id).in_bulk([one.object_id for one in links])
    types = ObjectType.objects.filter(workspace_id=viewer.workspace_id).in_bulk({one.type_id for one in known.values()})
    entities = [f"{part}:{one.number}" for one in types.values() for part in ("object", "relationship")]
    declared = definitions.properties(viewer.workspace_id, entities)
    money = definitions.currency(viewer.workspace_id)
    pairs = [(link, known[link.object_id]) for link in links if link.object_id in known]
    rows = tuple(
        _object(link, row, types[row.type_id], declared, clearance, money)
        for link, row in pairs
        if row.type_id in types
    )
    shown = [one for row in rows for one in (row.key, *row.properties, *row.attributes)]
    audit.disclosure(viewer, [customer_id], shown)
    return Objects(rows, next_cursor)


def _object(
    link: Relationship,
    row: Object,
    type_: ObjectType,
    declared: dict[str, dict[str, Property]],
    clearance: Clearance,
    money: str,
) -> ObjectRow:
    of_object, of_link = declared[f"object:{type_.number}"], declared[f"relationship:{type_.number}"]
    return ObjectRow(
        id=row.pk,
        type_name=type_.name,
        key=show(of_object.get(KEY) or Described(KEY, "Key", 1), lambda: row.raw_key, clearance),
        properties=show_document(row.raw_props, of_object, clearance, currency=money),
        attributes=show_document(link.raw_attributes, of_link, clearance, currency=money),
        since=link.created_at,
        updated_at=max(row.updated_at, link.updated_at),
    )


# --- Consent -----------------------------------------------------------------------------------


def consent(viewer: Viewer, customer_id: UUID) -> Consent:
    """What a customer said about messages. Raises NotFound for unknown customers."""
    clearance = _clearance(viewer, customer_id)
    said = {}
    if clearance.is_present:
        said = {row.topic: row for row in Subscription.objects.filter(customer_id=customer_id)}
    topics = {row.number: row for row in Topic.objects.filter(workspace_id=viewer.workspace_id)}
    made = Consent(
        _word(ALL_MESSAGES, "", said.get(EVERYTHING), clearance),
        tuple(_word(row.name, row.description, said.get(number), clearance) for number, row in topics.items()),
    )
    audit.disclosure(viewer, [customer_id], [one.said for one in (made.everything, *made.topics)])
    return made


def _word(label: str, description: str, row: Subscription | None, clearance: Clearance) -> Word:
    shown = show(CONSENT, lambda: WORDS[row.is_subscribed if row else None], clearance)
    return Word(label, description, shown, row.at if row else None, row.source if row else "")
