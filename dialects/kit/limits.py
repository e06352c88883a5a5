"""How much one address may send to routes that take no credentials: a token bucket in Valkey.

Ingestion fails open (security.md W9): without Valkey nobody is limited. No address is stored in clear.
"""

import time
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network

import redis
import structlog
from django.conf import settings
from django.utils.crypto import salted_hmac

from dialects.kit.http import Request

log = structlog.get_logger("rolodesk.web")

SOCKET_SECONDS = 0.25
# After a failure nobody waits for Valkey for so long.
AWAY_SECONDS = 1.0
# Who has an IPv6 address has a whole network of them.
IPV6_NETWORK = 64
UNIX_SCHEME, UNIX_SCHEME_OF_CELERY = "unix://", "redis+socket://"

# Seconds to wait, 0 when there was a token to take. By Valkey's clock, for all web processes alike.
_TAKE = """
local capacity, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local state = redis.call('HMGET', KEYS[1], 'left', 'at')
local gained = math.max(0, now - (tonumber(state[2]) or now)) * rate
local left = math.min(capacity, (tonumber(state[1]) or capacity) + gained)
local wait = 0
if left >= 1 then left = left - 1 else wait = math.ceil((1 - left) / rate) end
redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], math.ceil(capacity / rate) + 1)
return wait
"""


def address_of(request: Request) -> str:
    """Who sends: the other end of the connection, or whom the trusted proxy there names."""
    if settings.BEHIND_PROXY:
        forwarded = request.headers.get(b"x-forwarded-for", b"").decode("latin-1").rpartition(",")[2].strip()
        if forwarded:
            return forwarded
    return request.peer


def url_of(broker: str) -> str:
    """Celery's form of an address as redis-py wants it."""
    if broker.startswith(UNIX_SCHEME_OF_CELERY):
        return UNIX_SCHEME + broker.removeprefix(UNIX_SCHEME_OF_CELERY).replace("virtual_host=", "db=")
    return broker


@dataclass(slots=True)
class Limit:
    """``capacity`` calls at once, then ``rate`` a second, for each address."""

    name: str
    capacity: int
    rate: float
    _away_until: float = float("-inf")

    def take(self, address: str) -> int:
        """Seconds that this address has to wait; 0: go ahead. Blocks, so not for the event loop."""
        if time.monotonic() < self._away_until:
            return 0
        try:
            return int(_script()(keys=[self._key(address)], args=[self.capacity, self.rate]))
        except redis.RedisError as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            log.warning("limits not kept", face=self.name, error=type(error).__name__)
            return 0

    def _key(self, address: str) -> str:
        digest = salted_hmac("dialects.kit.limits", _network(address), algorithm="sha256").hexdigest()
        return f"limit:{self.name}:{digest}"


def _network(address: str) -> str:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, IPV6_NETWORK), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


@cache
def _script() -> "redis.commands.core.Script":
    client = redis.Redis.from_url(
        url_of(settings.CELERY_BROKER_URL),
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
        max_connections=16,
    )
    return client.register_script(_TAKE)
