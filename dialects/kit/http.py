"""Requests and responses of the hot routes: as much HTTP as they need, straight on ASGI.

A Django request costs ten times what these routes do; see ingest-pipeline.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote_to_bytes

from dialects.kit.errors import BodyTimeout, BodyTooLarge, UnsupportedEncoding

# The ASGI specification types messages as open dictionaries.
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

IDLE_SECONDS = 10.0
TOTAL_SECONDS = 30.0
NO_CONTENT = 204


class ClientGone(Exception):
    """The client hung up before its request was complete; there is nobody to answer."""


@dataclass(frozen=True, slots=True)
class Response:
    """A complete answer; ``content-length`` is added when it is sent, but for 204, which must not have one."""

    status: int
    body: bytes
    headers: Headers = ()

    async def send(self, send: Send) -> None:
        """Send it whole."""
        length = ((b"content-length", b"%d" % len(self.body)),) if self.status != NO_CONTENT else ()
        headers = [*self.headers, *length]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class Request:
    """One request. The path is split before it is decoded, so that ``%2F`` stays within its segment."""

    __slots__ = ("_receive", "_scope", "headers", "method", "raw_path")

    def __init__(self, scope: Message, receive: Receive) -> None:
        self.method: str = scope["method"]
        # Servers need not give the raw path; what they decoded is then encoded again.
        self.raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self._receive = receive
        self._scope = scope

    def segments(self) -> list[str]:
        """The decoded parts of the path; one trailing slash does not count.

        Bytes that are no UTF-8 become U+FFFD, which no identifier may contain.
        """
        parts = self.raw_path.split(b"/")[1:]
        if parts and not parts[-1]:
            parts.pop()
        return [(unquote_to_bytes(part) if b"%" in part else part).decode("utf-8", "replace") for part in parts]

    def query(self, name: str) -> str | None:
        """A parameter of the query string, decoded; the last one if it is there several times."""
        given = parse_qs(self._scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        return given[name][-1] if name in given else None

    @property
    def peer(self) -> str:
        """The address at the other end of the connection; empty on a socket that has none."""
        client = self._scope.get("client")
        return str(client[0]) if client else ""

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises UnsupportedEncoding, BodyTooLarge, BodyTimeout or ClientGone."""
        if self.headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
            raise UnsupportedEncoding
        declared = self.headers.get(b"content-length", b"")
        expected = int(declared) if declared.isdigit() else None
        if expected is not None and expected > limit:
            raise BodyTooLarge
        try:
            return await self._read(limit, expected)
        except TimeoutError as error:
            raise BodyTimeout from error

    async def _read(self, limit: int, expected: int | None) -> bytes:
        now = asyncio.get_running_loop().time
        deadline = now() + TOTAL_SECONDS
        body, size = [], 0
        async with asyncio.timeout(IDLE_SECONDS) as timer:
            while True:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise BodyTooLarge
                body.append(chunk)
                # A complete body needs no further message to say so.
                if size == expected or not message.get("more_body"):
                    return chunk if len(body) == 1 else b"".join(body)
                timer.reschedule(min(now() + IDLE_SECONDS, deadline))
