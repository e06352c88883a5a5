"""When an event happened, and which id it has: the rules that make a retry recognisable.

The time is part of the event's key, so a retry must arrive at the same one: from the item, from an id
that carries its time, else from the memory of client ids.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from uuid import RFC_4122, UUID

import uuid_utils.compat as uuids
from ulid import ULID

from tracking.intake.operations import Track

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
MAX_AHEAD = timedelta(hours=24)
ABSURD_AHEAD = timedelta(days=3660)
ULID_LENGTH = 26
SENT_AT = "$sent_at"


class AbsurdTime(ValueError):
    """The time cannot be meant: before 1980 or more than ten years ahead."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Time and id of an event. ``is_fixed``: a retry of the item will come to the same time by itself."""

    ts: datetime
    id: UUID
    is_fixed: bool
    claimed: datetime | None = None


def moment(track: Track, workspace_id: int, received_at: datetime) -> Moment:
    """Decide time and id. Raises AbsurdTime."""
    id_, id_time = _client_id(track.id, workspace_id, received_at)
    stated = stated_time(track.at, received_at) if track.at is not None else id_time
    if stated is None:
        return Moment(received_at, id_, is_fixed=track.id is None)
    if stated > received_at + MAX_AHEAD:
        # A clock that runs ahead: counted as of now, with the stated time kept.
        return Moment(received_at, id_, is_fixed=track.id is None, claimed=stated)
    return Moment(stated, id_, is_fixed=True)


def stated_time(micros: int, received_at: datetime) -> datetime:
    """The time that an operation states in microseconds since 1970. Raises AbsurdTime."""
    try:
        stated = EPOCH + timedelta(microseconds=micros)
    except OverflowError as error:
        raise AbsurdTime from error
    if stated < EARLIEST or stated > received_at + ABSURD_AHEAD:
        raise AbsurdTime
    return stated


def _client_id(text: str | None, workspace_id: int, received_at: datetime) -> tuple[UUID, datetime | None]:
    """The event's UUID and the time within it, where the client's id is a ULID or a UUIDv7."""
    if text is None:
        return uuids.uuid7(), None
    if len(text) == ULID_LENGTH:
        try:
            ulid = ULID.from_str(text.upper())
        except ValueError:
            return digest_id(text, workspace_id), None
        return ulid.to_uuid(), _time_within(ulid.milliseconds, received_at)
    try:
        uuid = UUID(text)
    except ValueError:
        return digest_id(text, workspace_id), None
    if uuid.variant == RFC_4122 and uuid.version == 7:  # noqa: PLR2004  # UUID version 7
        return uuid, _time_within(uuid.int >> 80, received_at)
    return uuid, None


def _time_within(milliseconds: int, received_at: datetime) -> datetime | None:
    """The time that an id carries. An absurd one means that the id only looks like one that carries any."""
    try:
        return stated_time(milliseconds * 1000, received_at)
    except AbsurdTime:
        return None


def digest_id(text: str, workspace_id: int) -> UUID:
    """A UUID for a client id of any other form; equal texts of a workspace give equal ids."""
    return UUID(bytes=blake2b(f"{workspace_id}\0{text}".encode("utf-8", "replace"), digest_size=16).digest())
