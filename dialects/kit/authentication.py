"""Credentials of the dialects, checked against a map in memory that follows the database.

The map is keyed by the SHA-256 of the whole credentials: looking it up tells nothing about how close a
guess came, so no comparison needs to take care of its timing.
"""

import asyncio
import binascii
import hashlib
import time
from concurrent.futures import Future, ThreadPoolExecutor

import structlog
from django.db import Error, close_old_connections

from customers.services.tokens import TokenRights, live_tokens
from rolodesk.errors import IntakeUnavailable

log = structlog.get_logger("rolodesk.web")

# Read again in the background at most this often, so a revoked token works for a second at most …
FRESH_SECONDS = 1.0
# … and never trust a map that old: the first request after a quiet time waits for the reading.
STALE_SECONDS = 5.0

_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


def basic_credentials(header: bytes | None) -> bytes | None:
    """``user:password`` of a Basic header, or None. Either base64 alphabet, padded or not: clients differ."""
    if header is None:
        return None
    scheme, _, encoded = header.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return None
    encoded = encoded.strip().rstrip(b"=").translate(_STANDARD_ALPHABET)
    try:
        plain = binascii.a2b_base64(encoded + b"=" * (-len(encoded) % 4), strict_mode=True)
    except binascii.Error:
        return None
    return plain if b":" in plain else None


class TokenMap:
    """The live tokens of one face. The hot path never waits for the database while requests keep coming."""

    def __init__(self, face: str) -> None:
        self._face = face
        self._rights: dict[bytes, TokenRights] = {}
        self._read_at = self._began_at = float("-inf")
        self._reading: Future[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{face} tokens")

    async def find(self, credentials: bytes) -> TokenRights | None:
        """The rights behind these credentials. Raises IntakeUnavailable if the tokens cannot be read."""
        key = hashlib.sha256(credentials).digest()
        age = time.monotonic() - self._read_at
        if age > FRESH_SECONDS:
            reading = self._refresh()
            # An unknown token may be a new one: look before refusing it.
            if age > STALE_SECONDS or key not in self._rights:
                await self._wait(reading)
        return self._rights.get(key)

    def forget(self) -> None:
        """Read again on the next request."""
        self._rights, self._read_at, self._began_at = {}, float("-inf"), float("-inf")

    def _refresh(self) -> Future[None]:
        """The reading under way or just done; a new one if the last began more than a second ago."""
        now = time.monotonic()
        if self._reading is None or (self._reading.done() and now - self._began_at > FRESH_SECONDS):
            self._began_at = now
            self._reading = self._thread.submit(self._load, now)
        return self._reading

    @staticmethod
    async def _wait(reading: Future[None]) -> None:
        try:
            await asyncio.shield(asyncio.wrap_future(reading))
        except Error as error:
            raise IntakeUnavailable(retry_after=1) from error

    def _load(self, began_at: float) -> None:
        try:
            self._rights = live_tokens(self._face)
            self._read_at = began_at
        except Error as error:
            log.error("tokens not readable", face=self._face, error=type(error).__name__)
            raise
        finally:
            # As after a request of Django's: the connection goes back to the pool.
            close_old_connections()
