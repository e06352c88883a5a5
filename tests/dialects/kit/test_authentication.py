"""Credentials and the map of live tokens."""

import asyncio
import base64
import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError
from hypothesis import given
from hypothesis import strategies as st

from customers.services.tokens import TokenRights
from dialects.kit import authentication
from dialects.kit.authentication import TokenMap, basic_credentials
from rolodesk.errors import IntakeUnavailable

CREDENTIALS = b"site:key"
RIGHTS = TokenRights(1, 2, 3, frozenset({"edit"}), datetime(2027, 1, 1, tzinfo=UTC), frozenset({"edit"}))


@given(st.binary(), st.binary(), st.booleans(), st.booleans(), st.sampled_from([b"Basic", b"basic", b"BASIC"]))
def test_credentials_survive_either_alphabet_with_or_without_padding(
    user: bytes, password: bytes, is_safe: bool, is_padded: bool, scheme: bytes
) -> None:
    plain = user + b":" + password
    encoded = (base64.urlsafe_b64encode if is_safe else base64.standard_b64encode)(plain)
    assert basic_credentials(scheme + b" " + (encoded if is_padded else encoded.rstrip(b"="))) == plain


@given(st.binary())
def test_no_header_breaks_the_decoding(header: bytes) -> None:
    for value in (header, b"Basic " + header):
        found = basic_credentials(value)
        assert found is None or b":" in found


@pytest.mark.parametrize(
    "header",
    [None, b"", b"Basic", b"Basic ", b"Basic A", b"Basic dXNlcg==", b"Bearer c2l0ZTprZXk=", b"Basic c2l0*TprZXk="],
)
def test_what_is_no_basic_header_is_none(header: bytes | None) -> None:
    assert basic_credentials(header) is None


class Database:
    """Stands for the token table; counts how often it is read, and by which thread."""

    def __init__(self) -> None:
        self.rights: dict[bytes, TokenRights] = {hashlib.sha256(CREDENTIALS).digest(): RIGHTS}
        self.reads = 0
        self.threads: set[int] = set()
        self.is_down = False

    def read(self, _face: str) -> dict[bytes, TokenRights]:
        """What live_tokens does."""
        self.reads += 1
        self.threads.add(threading.get_ident())
        if self.is_down:
            raise DatabaseError("canary")
        return dict(self.rights)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    """A token table without a database."""
    database = Database()
    monkeypatch.setattr(authentication, "live_tokens", database.read)
    return database


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A monotonic clock that is moved by hand."""
    now = [1000.0]
    monkeypatch.setattr("dialects.kit.authentication.time.monotonic", lambda: now[0])

    def advance(seconds: float) -> None:
        now[0] += seconds

    return advance


def find(tokens: TokenMap, credentials: bytes = CREDENTIALS) -> TokenRights | None:
    """One look-up in a loop of its own."""
    return asyncio.run(tokens.find(credentials))


def settle(tokens: TokenMap) -> None:
    """Wait for a reading in the background."""
    assert tokens._reading is not None
    tokens._reading.exception()


def test_the_first_request_waits_for_the_tokens_and_the_next_do_not_ask_again(database: Database) -> None:
    tokens = TokenMap("track")
    assert [find(tokens), find(tokens), find(tokens, b"a:b")] == [RIGHTS, RIGHTS, None]
    assert database.reads == 1
    assert threading.get_ident() not in database.threads


def test_known_tokens_are_read_again_behind_the_back_of_the_request(
    database: Database, clock: Callable[[float], None]
) -> None:
    tokens = TokenMap("track")
    find(tokens)
    database.rights = {}
    clock(1.5)
    assert find(tokens) == RIGHTS
    settle(tokens)
    assert (find(tokens), database.reads) == (None, 2)


def test_after_a_quiet_time_nobody_enters_by_an_old_map(database: Database, clock: Callable[[float], None]) -> None:
    tokens = TokenMap("track")
    find(tokens)
    database.rights = {}
    clock(60)
    assert find(tokens) is None


def test_a_new_token_is_looked_for_before_it_is_refused(database: Database, clock: Callable[[float], None]) -> None:
    tokens = TokenMap("track")
    find(tokens)
    database.rights[hashlib.sha256(b"new:key").digest()] = RIGHTS
    clock(1.5)
    assert find(tokens, b"new:key") == RIGHTS


def test_guesses_make_one_read_a_second_at_most(database: Database, clock: Callable[[float], None]) -> None:
    tokens = TokenMap("track")
    for n in range(50):
        assert find(tokens, b"guess:%d" % n) is None
        clock(0.1)
    assert database.reads <= 6


def test_requests_at_once_share_one_reading(database: Database) -> None:
    tokens = TokenMap("track")

    async def many() -> list[TokenRights | None]:
        return await asyncio.gather(*(tokens.find(CREDENTIALS) for _ in range(20)))

    assert asyncio.run(many()) == [RIGHTS] * 20
    assert database.reads == 1


def test_without_the_database_known_tokens_work_for_a_while_and_then_none(
    database: Database, clock: Callable[[float], None]
) -> None:
    tokens = TokenMap("track")
    find(tokens)
    database.is_down = True
    clock(2)
    assert find(tokens) == RIGHTS
    settle(tokens)
    clock(10)
    with pytest.raises(IntakeUnavailable):
        find(tokens)
    database.is_down = False
    clock(2)
    assert find(tokens) == RIGHTS
