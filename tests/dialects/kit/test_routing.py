"""Finding routes, and the way of a request that ends early."""

import asyncio

import pytest

from dialects.kit.authentication import TokenMap
from dialects.kit.errors import NoSuchRoute, WrongMethod
from dialects.kit.http import Message, Request, Response
from dialects.kit.routing import Call, Face, OpenCall, OpenRoute, PathTable, Route


async def view(call: Call) -> Response:
    """Reads the body and echoes the parameters."""
    await call.request.body(10)
    return Response(200, repr(call.parameters).encode())


ROUTES = (
    Route("GET", "/a/{x}", view, "edit"),
    Route("PUT", "/a/{x}", view, "edit"),
    Route("PUT", "/a/{x}/b/{y}", view, "edit"),
    Route("GET", "/c/d", view, "edit"),
)


@pytest.mark.parametrize(
    ("segments", "template"),
    [(["a", "1"], "/a/{x}"), (["a", "1", "b", "2"], "/a/{x}/b/{y}"), (["c", "d"], "/c/d"), (["a", ""], "/a/{x}")],
)
def test_the_number_of_segments_and_the_literals_decide(segments: list[str], template: str) -> None:
    assert PathTable(ROUTES).match(segments).template == template


@pytest.mark.parametrize("segments", [[], ["a"], ["c", "x"], ["a", "1", "c", "2"], ["x"] * 9])
def test_other_paths_are_unknown(segments: list[str]) -> None:
    with pytest.raises(NoSuchRoute):
        PathTable(ROUTES).match(segments)


def test_another_method_is_refused_with_those_that_exist() -> None:
    with pytest.raises(WrongMethod) as caught:
        PathTable(ROUTES).match(["a", "1"]).route("POST")
    assert caught.value.data == {"allow": "GET, PUT"}


def test_a_client_that_hangs_up_gets_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.dialects.kit.test_authentication import RIGHTS

    async def find(_self: TokenMap, _credentials: bytes) -> object:
        return RIGHTS

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    def answer_error(_request: Request, error: Exception) -> Response:
        raise AssertionError from error

    sent: list[Message] = []
    monkeypatch.setattr(TokenMap, "find", find)
    face = Face("test", ROUTES, TokenMap("test"), answer_error)
    scope = {"type": "http", "method": "PUT", "path": "/a/1", "headers": [(b"authorization", b"Basic YTpi")]}
    asyncio.run(face(scope, receive, send))
    assert sent == []


# --- Routes that take no credentials ----------------------------------------------------------------------


async def open_view(call: OpenCall) -> Response:
    """Says whose credentials count."""
    return Response(200, b"none" if call.rights is None else b"%d" % call.rights.workspace_id)


@pytest.mark.parametrize(
    ("known", "permission", "header", "expected"),
    [
        (True, "edit", b"Basic YTpi", b"2"),
        (True, "erase", b"Basic YTpi", b"none"),
        (False, "edit", b"Basic YTpi", b"none"),
        (True, "edit", b"Bearer YTpi", b"none"),
        (True, "edit", None, b"none"),
    ],
)
def test_an_open_route_refuses_nobody_and_knows_valid_credentials(
    monkeypatch: pytest.MonkeyPatch, known: bool, permission: str, header: bytes | None, expected: bytes
) -> None:
    from tests.dialects.kit.test_authentication import RIGHTS

    async def find(_self: TokenMap, _credentials: bytes) -> object:
        return RIGHTS if known else None

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    def answer_error(_request: Request, error: Exception) -> Response:
        raise AssertionError from error

    sent: list[Message] = []
    monkeypatch.setattr(TokenMap, "find", find)
    face = Face("test", (OpenRoute("POST", "/open", open_view, permission),), TokenMap("test"), answer_error)
    headers = [] if header is None else [(b"authorization", header)]
    asyncio.run(face({"type": "http", "method": "POST", "path": "/open/", "headers": headers}, receive, send))
    assert sent[1]["body"] == expected
