"""When an event happened and which id it has, from the item alone: a retry must come to the same."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import uuid_utils.compat as uuids
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from tests.intake import DAY, HOUR, MINUTE, NOON, SECOND, micros, ref
from tracking.intake.operations import Track
from tracking.intake.times import (
    ABSURD_AHEAD,
    EARLIEST,
    EPOCH,
    MAX_AHEAD,
    AbsurdTime,
    Moment,
    digest_id,
    moment,
    stated_time,
)

MILLISECOND, MICROSECOND = timedelta(milliseconds=1), timedelta(microseconds=1)
LATEST = NOON + ABSURD_AHEAD
YEAR_10889 = 2**48 - 1


def moment_of(*, client_id: str | None = None, at: datetime | None = None, workspace_id: int = 1) -> Moment:
    return moment(Track(ref("c1"), "Visit", id=client_id, at=None if at is None else micros(at)), workspace_id, NOON)


def ulid_of(milliseconds: int) -> str:
    """A ULID of this time; always the same, since it names a test."""
    return str(ULID(milliseconds.to_bytes(6, "big") + bytes(range(10))))


def ulid_at(at: datetime) -> str:
    return ulid_of((at - EPOCH) // MILLISECOND)


def v7(milliseconds: int) -> UUID:
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | 5)


# --- Time ----------------------------------------------------------------------------------------


def test_without_time_and_id_it_happened_on_receipt_and_each_is_another() -> None:
    first, second = moment_of(), moment_of()
    assert first.ts == second.ts == NOON
    assert first.is_fixed and second.is_fixed
    assert first.id != second.id and first.id.version == 7


def test_an_id_without_time_leaves_it_to_the_memory_of_ids() -> None:
    assert moment_of(client_id="order-5") == Moment(NOON, digest_id("order-5", 1), is_fixed=False)


@pytest.mark.parametrize("at", [EARLIEST, NOON - HOUR, NOON, NOON + MAX_AHEAD, NOON - MICROSECOND])
@pytest.mark.parametrize("client_id", [None, "order-5", ulid_at(NOON - DAY)])
def test_a_stated_time_is_taken_exactly(at: datetime, client_id: str | None) -> None:
    found = moment_of(client_id=client_id, at=at)
    assert (found.ts, found.is_fixed, found.claimed) == (at, True, None)


@pytest.mark.parametrize("at", [NOON + MAX_AHEAD + MICROSECOND, LATEST])
def test_a_time_more_than_a_day_ahead_counts_as_of_now_and_is_kept(at: datetime) -> None:
    assert moment_of(at=at).ts == NOON and moment_of(at=at).claimed == at
    # Only the memory of ids can tell a retry, which is received later.
    assert moment_of(at=at).is_fixed and not moment_of(client_id="order-5", at=at).is_fixed


@pytest.mark.parametrize("at", [EARLIEST - MICROSECOND, LATEST + MICROSECOND, EPOCH])
@pytest.mark.parametrize("client_id", [None, "order-5", ulid_at(NOON)])
def test_an_absurd_time_is_refused_whatever_the_id(at: datetime, client_id: str | None) -> None:
    with pytest.raises(AbsurdTime):
        moment_of(client_id=client_id, at=at)


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 10**30, -(10**30)])
def test_a_time_beyond_the_calendar_is_absurd(value: int) -> None:
    with pytest.raises(AbsurdTime):
        stated_time(value, NOON)


@given(st.integers(-(2**70), 2**70))
def test_every_number_is_a_time_or_absurd(value: int) -> None:
    try:
        assert micros(stated_time(value, NOON)) == value
    except AbsurdTime:
        assert not micros(EARLIEST) <= value <= micros(LATEST)


# --- Id ------------------------------------------------------------------------------------------


def test_a_ulid_carries_id_and_time() -> None:
    text = ulid_at(NOON - 5 * MINUTE)
    expected = Moment(NOON - 5 * MINUTE, ULID.from_str(text).to_uuid(), is_fixed=True)
    assert moment_of(client_id=text) == moment_of(client_id=text.lower()) == expected


def test_a_uuid_of_version_7_carries_id_and_time() -> None:
    uuid = v7((NOON - SECOND - EPOCH) // MILLISECOND)
    assert uuid.version == 7
    for text in (str(uuid), uuid.hex, str(uuid).upper()):
        assert moment_of(client_id=text) == Moment(NOON - SECOND, uuid, is_fixed=True)
    mine = uuids.uuid7()
    before = datetime.now(UTC)
    made = moment(Track(ref("c1"), "Visit", id=str(mine)), 1, before).ts
    assert before - SECOND < made <= before + SECOND


@given(st.integers((EARLIEST - EPOCH) // MILLISECOND, (NOON - EPOCH) // MILLISECOND))
def test_the_time_of_an_id_is_exact_to_the_millisecond(milliseconds: int) -> None:
    at = EPOCH + milliseconds * MILLISECOND
    assert moment_of(client_id=str(v7(milliseconds))).ts == moment_of(client_id=ulid_at(at)).ts == at


def test_other_uuids_are_ids_without_time() -> None:
    for uuid in (uuid4(), UUID(int=v7(10**12).int & ~(3 << 62)), UUID(int=0)):
        assert moment_of(client_id=str(uuid)) == Moment(NOON, uuid, is_fixed=False)


def test_the_stated_time_wins_over_that_of_the_id() -> None:
    text = ulid_at(NOON - DAY)
    assert moment_of(client_id=text, at=NOON - HOUR) == Moment(
        NOON - HOUR, ULID.from_str(text).to_uuid(), is_fixed=True
    )


@pytest.mark.parametrize(
    "client_id",
    [
        ulid_of(YEAR_10889),
        str(v7(YEAR_10889)),
        "12345678901234567890123456",  # a number of 26 digits reads as a ULID of the year 3158
        "00000000001234567890123456",  # and this one as of 1970
        str(v7(0)),
    ],
)
def test_an_id_of_an_absurd_time_only_looks_as_if_it_carried_one(client_id: str) -> None:
    found = moment_of(client_id=client_id)
    assert (found.ts, found.is_fixed, found.claimed) == (NOON, False, None)
    assert found.id == moment_of(client_id=client_id).id
    assert moment_of(client_id=client_id, at=NOON - HOUR) == Moment(NOON - HOUR, found.id, is_fixed=True)


def test_an_id_from_a_clock_that_runs_ahead_counts_as_of_now_and_is_kept() -> None:
    ahead = NOON + 2 * DAY
    found = moment_of(client_id=ulid_at(ahead))
    assert (found.ts, found.is_fixed, found.claimed) == (NOON, False, ahead)


@pytest.mark.parametrize(
    "client_id", ["8" + "Z" * 25, "abcdefghijklmnopqrstuvwxyz", "ß" * 26, "x", "x" * 150, "\udc80"]
)
def test_any_other_text_is_digested_within_its_workspace(client_id: str) -> None:
    found = moment_of(client_id=client_id)
    assert found == moment_of(client_id=client_id) == Moment(NOON, digest_id(client_id, 1), is_fixed=False)
    assert found.id != moment_of(client_id=client_id, workspace_id=2).id
    assert found.id != moment_of(client_id=client_id + "x").id
