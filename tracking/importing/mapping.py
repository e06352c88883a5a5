"""What the columns of a file mean: from a row to an event, or to the reason why it is none.

``--map TARGET=COLUMN``. Targets: an identifier kind of the workspace (``id`` stands for
``external_id``, ``customer_id`` for our own number), ``event``, ``time``, ``event_id`` and
``property.<name>``. Columns that are not mapped become properties under their own names.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from customers.identifiers import is_valid
from rolodesk import json
from rolodesk.json import Json
from tracking.importing.moments import TimeFormat, UnreadableTime
from tracking.intake.operations import CUSTOMER_ID, Ref, Track
from tracking.intake.times import EPOCH, MAX_AHEAD, AbsurdTime, moment

Row = dict[str, Json]

PROPERTY = "property."
EVENT, TIME, EVENT_ID = "event", "time", "event_id"
ALIASES = {"id": "external_id"}
MAX_NAME = 100
# Half of the hash is enough to tell rows apart, and one is kept in memory for each.
ID_BYTES = 16
MAX_PROPERTY_NAME = 150
# A number as people write it: no leading zeros (post codes, phones), no exponent, not beyond exact doubles.
NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,6})?")


class BadMapping(ValueError):
    """The options do not fit the file or the workspace; ``str(error)`` is for the person at the keyboard."""


class BadRow(ValueError):
    """A row that is no event; ``code`` says why and holds no value."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column fills which target. ``who`` holds (kind, column) in the order of preference."""

    who: tuple[tuple[str, str], ...]
    time: str
    event: str = ""
    event_id: str = ""
    properties: tuple[tuple[str, str], ...] = ()

    @property
    def used(self) -> frozenset[str]:
        """Every column that is mapped to something."""
        mapped = {column for _, column in (*self.who, *self.properties)}
        return frozenset(mapped | {self.time, self.event, self.event_id} - {""})


def read_columns(options: Iterable[str], kinds: Collection[str], *, constant_event: str) -> Columns:
    """Read the --map options. Raises BadMapping."""
    pairs = []
    for option in options:
        target, equals, column = option.partition("=")
        if not equals or not target or not column:
            raise BadMapping(f"--map {option}: write it as TARGET=COLUMN.")
        pairs.append((ALIASES.get(target, target), column))
    targets = dict(pairs)
    if len(targets) != len(pairs):
        raise BadMapping("A target is mapped twice.")
    known = {*kinds, CUSTOMER_ID}
    who = tuple((target, column) for target, column in pairs if target in known)
    properties = tuple((target[len(PROPERTY) :], column) for target, column in pairs if target.startswith(PROPERTY))
    unknown = targets.keys() - known - {EVENT, TIME, EVENT_ID} - {PROPERTY + name for name, _ in properties}
    if unknown:
        raise BadMapping(f"Unknown target {min(unknown)}; see --help for what there is.")
    if not who:
        raise BadMapping(f"Map a column to one of {', '.join(sorted(known))}, so that each row names a customer.")
    if TIME not in targets:
        raise BadMapping("Map a column to time; without it, importing a file twice would count twice.")
    if (EVENT in targets) == bool(constant_event):
        raise BadMapping("Either map a column to event or give --event NAME.")
    return Columns(who, targets[TIME], targets.get(EVENT, ""), targets.get(EVENT_ID, ""), properties)


@dataclass(frozen=True, slots=True)
class Mapped:
    """An event read from a row, with the time and id under which it will be stored."""

    track: Track
    at: datetime
    id: UUID


@dataclass(slots=True)
class Mapper:
    """Turns rows into events of one workspace.

    A row without an id of its own gets one from its content and from how many equal rows came before
    it, so importing the file again changes nothing, and two equal purchases in it stay two.
    """

    workspace_id: int
    columns: Columns
    now: datetime
    times: TimeFormat = field(default_factory=TimeFormat)
    constant_event: str = ""
    is_only_mapped: bool = False
    is_text_only: bool = False
    _seen: Counter[bytes] = field(default_factory=Counter)

    def map(self, row: Row) -> Mapped:
        """The event of this row. Raises BadRow."""
        row = json.storable(row)
        who = self._who(row)
        at = self._time(row)
        track = Track(
            who=who,
            name=self._name(row),
            properties=self._properties(row),
            id=self._id(row),
            at=(at - EPOCH) // TimeFormat.MICROSECOND,
        )
        try:
            when = moment(track, self.workspace_id, self.now)
        except AbsurdTime as error:
            raise BadRow("time_absurd") from error
        return Mapped(track, when.ts, when.id)

    def _who(self, row: Row) -> Ref:
        for kind, column in self.columns.who:
            text = _text(row.get(column))
            if not text:
                continue
            if not is_valid(text) or (kind == CUSTOMER_ID and not _is_uuid(text)):
                raise BadRow("identifier_invalid")
            return Ref(kind, text)
        raise BadRow("identifier_missing")

    def _time(self, row: Row) -> datetime:
        value = row.get(self.columns.time)
        if value is None or value == "":
            raise BadRow("time_missing")
        try:
            at = self.times.read(value)
        except UnreadableTime as error:
            raise BadRow("time_unreadable") from error
        if at > self.now + MAX_AHEAD:
            # The write gate would count it as of now, which no second import could recognise.
            raise BadRow("time_in_future")
        return at

    def _name(self, row: Row) -> str:
        name = self.constant_event or _text(row.get(self.columns.event))
        if not name:
            raise BadRow("event_missing")
        if len(name) > MAX_NAME:
            raise BadRow("event_too_long")
        return name

    def _id(self, row: Row) -> str:
        if self.columns.event_id:
            text = _text(row.get(self.columns.event_id))
            if not text:
                raise BadRow("event_id_missing")
            if not is_valid(text):
                raise BadRow("event_id_invalid")
            return text
        content = json.encode([self.constant_event, sorted(row.items())])
        digest = hashlib.sha256(content).digest()[:ID_BYTES]
        self._seen[digest] += 1
        return f"row-{digest.hex()}-{self._seen[digest]}"

    def _properties(self, row: Row) -> dict[str, Json]:
        properties = {name: self._value(row.get(column)) for name, column in self.columns.properties}
        if not self.is_only_mapped:
            used = self.columns.used
            rest = {column: self._value(value) for column, value in row.items() if column not in used}
            properties = rest | properties
        if any(len(name) > MAX_PROPERTY_NAME for name in properties):
            raise BadRow("property_name_too_long")
        return {name: value for name, value in properties.items() if name and value is not None and value != ""}

    def _value(self, value: Json) -> Json:
        """Text that reads as a plain number becomes one; what JSON has typed stays."""
        if self.is_text_only or not isinstance(value, str) or not NUMBER.fullmatch(value.strip()):
            return value
        return Decimal(value) if "." in value else int(value)


def _text(value: Json) -> str:
    """An identifier, name or id as text; numbers of a JSON file count as their digits."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return str(value)
    return ""


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
