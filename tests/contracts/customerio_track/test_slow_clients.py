"""Slow clients, last row of the input table of security.md I10. Slow: each test starts a server and waits for it."""

import contextlib
import select
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.contracts.client import TrackClient, basic
from tests.contracts.conftest import Inbox
from tests.contracts.live import live_server

pytestmark = pytest.mark.slow
BODY = b'{"plan": "gold"}'
# Plenty; nothing is said about how fast it is.
ANSWER_SECONDS = 60
SLOW = 200


Address = tuple[str, int]


@contextlib.contextmanager
def serving(application: str) -> Iterator[Address]:
    with live_server(application) as base_url:
        parts = urlsplit(base_url)
        assert parts.hostname and parts.port
        yield parts.hostname, parts.port


@pytest.fixture
def server(track: TrackClient) -> Iterator[Address]:
    """One that waits half a second for the next bytes, and one and a half for all of them."""
    with serving("tests.contracts.impatient:application") as address:
        yield address


def head(track: TrackClient, length: int = len(BODY)) -> bytes:
    return (
        "PUT /api/v1/customers/ada HTTP/1.1\r\nhost: rolodesk.test\r\ncontent-type: application/json\r\n"
        f"authorization: {basic(track.site_id, track.api_key)}\r\ncontent-length: {length}\r\n\r\n"
    ).encode()


def answer(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    connection.settimeout(ANSWER_SECONDS)
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(4096):
            found += part
    return found


def test_who_stops_sending_is_told_so_and_nothing_is_stored(server: Address, track: TrackClient, inbox: Inbox) -> None:
    with socket.create_connection(server) as connection:
        connection.sendall(head(track) + BODY[:5])
        said = answer(connection)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b'{"meta":{"error":"request body was not received in time"}}' in said
    assert inbox() == []


def test_who_sends_a_byte_now_and_then_does_not_get_for_ever(server: Address, track: TrackClient, inbox: Inbox) -> None:
    with socket.create_connection(server) as connection:
        connection.sendall(head(track, 10_000))
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                connection.sendall(b" ")
                time.sleep(0.1)
        said = answer(connection)
    assert said == b"" or said.startswith(b"HTTP/1.1 408 ")
    assert inbox() == []


def test_who_hangs_up_leaves_nothing(server: Address, track: TrackClient, inbox: Inbox) -> None:
    with socket.create_connection(server) as connection:
        connection.sendall(head(track) + BODY[:5])
    with socket.create_connection(server) as connection:
        connection.sendall(head(track) + BODY)
        connection.settimeout(ANSWER_SECONDS)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert len(inbox()) == 1


def test_two_hundred_slow_clients_do_not_stop_the_service(track: TrackClient, inbox: Inbox) -> None:
    with contextlib.ExitStack() as exits:
        address = exits.enter_context(serving("tests.contracts.patient:application"))
        slow = [exits.enter_context(socket.create_connection(address)) for _ in range(SLOW)]
        for connection in slow:
            connection.sendall(head(track) + BODY[:5])
        headers = {"authorization": basic(track.site_id, track.api_key)}
        with httpx.Client(base_url=f"http://{address[0]}:{address[1]}", timeout=ANSWER_SECONDS) as client:
            for number in range(20):
                assert client.put(f"/api/v1/customers/{number}", json={}, headers=headers).status_code == 200
        assert select.select(slow, [], [], 0)[0] == []  # none of them was answered or sent away meanwhile
        for connection in slow:
            connection.sendall(BODY[5:])
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert len(inbox()) == 20 + SLOW
