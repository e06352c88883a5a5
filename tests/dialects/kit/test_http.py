"""Reading requests: paths, bodies and their limits."""

import asyncio
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.kit import http
from dialects.kit.errors import BodyTimeout, BodyTooLarge, UnsupportedEncoding
from dialects.kit.http import ClientGone, Message, Request, Response


async def never() -> Message:
    """A client that sends nothing."""
    await asyncio.sleep(3600)
    return {}


def request_for(
    raw_path: bytes = b"/", headers: dict[bytes, bytes] | None = None, *messages: Message | float
) -> Request:
    """A request whose body comes in these messages; a number is a pause in seconds."""
    waiting = list(messages)

    async def receive() -> Message:
        while waiting:
            message = waiting.pop(0)
            if isinstance(message, (int, float)):
                await asyncio.sleep(message)
            else:
                return message
        return await never()

    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/",
        "raw_path": raw_path,
        "headers": list((headers or {}).items()),
    }
    return Request(scope, receive)


def scope_request(**scope: object) -> Request:
    """A request of which only some facts matter."""
    return Request({"method": "POST", "path": "/", "headers": [], **scope}, never)


def part(body: bytes, *, more: bool = False) -> Message:
    """One message of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


# --- Paths ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw_path", "segments"),
    [
        (b"/", []),
        (b"/a", ["a"]),
        (b"/a/", ["a"]),
        (b"/a//b", ["a", "", "b"]),
        (b"/a%2Fb/c", ["a/b", "c"]),
        (b"/a%2fb", ["a/b"]),
        (b"/%61", ["a"]),
        (b"/a+b", ["a+b"]),
        (b"/100%", ["100%"]),
        (b"/%zz%4", ["%zz%4"]),
        (b"/%FF", ["\ufffd"]),
        ("/\u00fc".encode(), ["\u00fc"]),
        (b"/../x", ["..", "x"]),
    ],
)
def test_a_path_is_split_before_it_is_decoded(raw_path: bytes, segments: list[str]) -> None:
    assert request_for(raw_path).segments() == segments


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_whatever_a_client_encodes_comes_back(parts: list[str]) -> None:
    raw_path = "/" + "/".join(quote(text, safe="") for text in parts)
    assert request_for(raw_path.encode()).segments() == parts


@given(st.binary())
def test_no_path_breaks_the_decoding(tail: bytes) -> None:
    assert all(isinstance(text, str) for text in request_for(b"/" + tail).segments())


def test_without_a_raw_path_the_decoded_one_serves() -> None:
    assert Request({"method": "GET", "path": "/a b/\u00fc", "headers": []}, never).segments() == ["a b", "\u00fc"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"", None),
        (b"id_type=email", "email"),
        (b"a=1&id_type=id&id_type=cio_id", "cio_id"),
        (b"id_type=", ""),
        (b"id_type=%63io_id", "cio_id"),
        (b"id_types=email", None),
        (b"id_type=%FF", "\ufffd"),
        (b"\xff&&=", None),
    ],
)
def test_a_parameter_of_the_query_is_decoded_and_the_last_one_counts(query: bytes, expected: str | None) -> None:
    assert scope_request(query_string=query).query("id_type") == expected


def test_the_other_end_of_the_connection_may_have_no_address() -> None:
    assert scope_request(client=("192.0.2.1", 4711)).peer == "192.0.2.1"
    assert scope_request(client=None).peer == scope_request().peer == ""
    assert scope_request().query("id_type") is None


# --- Bodies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "messages"),
    [
        ({}, [part(b"abc")]),
        ({}, [part(b"a", more=True), part(b"bc", more=True), part(b"")]),
        # Complete by its length: no further message is waited for.
        ({b"content-length": b"3"}, [part(b"abc", more=True)]),
        ({b"content-length": b"3"}, [part(b"ab", more=True), part(b"c", more=True)]),
        ({b"content-length": b"nonsense"}, [part(b"abc")]),
        ({b"content-encoding": b" Identity"}, [part(b"abc")]),
        ({b"content-encoding": b""}, [part(b"abc")]),
    ],
)
def test_a_body_is_read_whole(headers: dict[bytes, bytes], messages: list[Message]) -> None:
    assert asyncio.run(request_for(b"/", headers, *messages).body(3)) == b"abc"


def test_a_request_without_a_body_has_an_empty_one() -> None:
    assert asyncio.run(request_for(b"/", {}, {"type": "http.request"}).body(3)) == b""


@pytest.mark.parametrize(
    ("headers", "messages"),
    [
        ({b"content-length": b"4"}, []),
        ({}, [part(b"abcd")]),
        # An endless body is refused while it comes.
        ({}, [part(b"ab", more=True)] * 2),
    ],
)
def test_a_body_over_the_limit_is_refused_before_it_is_complete(
    headers: dict[bytes, bytes], messages: list[Message]
) -> None:
    with pytest.raises(BodyTooLarge):
        asyncio.run(request_for(b"/", headers, *messages).body(3))


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"gzip, identity"])
def test_a_compressed_body_is_refused(encoding: bytes) -> None:
    with pytest.raises(UnsupportedEncoding):
        asyncio.run(request_for(b"/", {b"content-encoding": encoding}, part(b"abc")).body(3))


def test_a_client_that_hangs_up_is_noticed() -> None:
    with pytest.raises(ClientGone):
        asyncio.run(request_for(b"/", {}, part(b"a", more=True), {"type": "http.disconnect"}).body(3))


def test_a_client_that_stops_sending_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "IDLE_SECONDS", 0.01)
    with pytest.raises(BodyTimeout):
        asyncio.run(request_for(b"/", {}, part(b"a", more=True)).body(3))


def test_a_client_that_trickles_is_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.1)
    trickle = [message for _ in range(100) for message in (0.01, part(b"a", more=True))]
    with pytest.raises(BodyTimeout):
        asyncio.run(request_for(b"/", {}, *trickle).body(1000))


def test_a_slow_but_steady_client_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "IDLE_SECONDS", 0.1)
    steady = [message for _ in range(6) for message in (0.03, part(b"a", more=True))]
    assert asyncio.run(request_for(b"/", {}, *steady, part(b"")).body(1000)) == b"aaaaaa"


def test_a_response_is_sent_with_its_length() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Response(200, b"{}\n", ((b"x-a", b"1"),)).send(send))
    assert sent == [
        {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1"), (b"content-length", b"3")]},
        {"type": "http.response.body", "body": b"{}\n"},
    ]


def test_a_response_without_content_has_no_length() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Response(204, b"").send(send))
    assert sent == [
        {"type": "http.response.start", "status": 204, "headers": []},
        {"type": "http.response.body", "body": b""},
    ]
