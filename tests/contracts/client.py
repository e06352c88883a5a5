"""A client of the hot faces: requests go through the whole ASGI application, without a socket."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from rolodesk.asgi import application
from rolodesk.json import Json

HOST = "http://rolodesk.test"


def request(
    method: str,
    path: str,
    *,
    body: Json = None,
    content: bytes | AsyncIterator[bytes] | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """One request in an event loop of its own. ``body`` is sent as JSON, ``content`` as it is."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            if content is not None:
                return await client.request(method, path, content=content, headers=headers)
            return await client.request(method, path, json=body, headers=headers)

    return asyncio.run(send())


def basic(user: str, password: str) -> str:
    """The value of a Basic authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class TrackClient:
    """Speaks the Track API for one workspace."""

    workspace_id: int
    site_id: str
    api_key: str

    def send(
        self, method: str, path: str, body: Json = None, *, content: bytes | AsyncIterator[bytes] | None = None
    ) -> httpx.Response:
        """An authenticated request."""
        headers = {"authorization": basic(self.site_id, self.api_key)}
        return request(method, path, body=body, content=content, headers=headers)

    def identify(self, identifier: str, attributes: Json) -> httpx.Response:
        """``identifier`` as it stands in the path: encoded."""
        return self.send("PUT", f"/api/v1/customers/{identifier}", attributes)

    def event(self, identifier: str, event: Json) -> httpx.Response:
        """An event of a person."""
        return self.send("POST", f"/api/v1/customers/{identifier}/events", event)

    def batch(self, *operations: Json) -> httpx.Response:
        """A batch."""
        return self.send("POST", "/api/v2/batch", {"batch": list(operations)})

    def entity(self, operation: Json) -> httpx.Response:
        """One operation of version 2."""
        return self.send("POST", "/api/v2/entity", operation)
