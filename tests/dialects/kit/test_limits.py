"""How much one address may send; against the stack's own Valkey."""

import itertools

import pytest
import redis
from django.conf import settings as django_settings

from dialects.kit import limits
from dialects.kit.http import Message, Request
from dialects.kit.limits import Limit, address_of, url_of

numbers = itertools.count(1)


def fresh(**fields: float) -> Limit:
    """A limit that nobody has used."""
    return Limit(f"test-{next(numbers)}", **({"capacity": 3, "rate": 0.01} | fields))  # type: ignore[arg-type]


def valkey() -> "redis.Redis":
    return redis.Redis.from_url(url_of(django_settings.CELERY_BROKER_URL))


@pytest.fixture(autouse=True)
def tidy():
    """What a test left behind goes with it."""
    yield
    with valkey() as client:
        for key in client.scan_iter("limit:test-*"):
            client.delete(key)


def request_from(peer: str | None, forwarded: str | None = None) -> Request:
    async def receive() -> Message:
        return {}

    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    client = None if peer is None else (peer, 4711)
    return Request({"method": "POST", "path": "/", "headers": headers, "client": client}, receive)


def test_an_address_may_send_so_much_and_then_has_to_wait() -> None:
    limit = fresh()
    assert [limit.take("192.0.2.1") for _ in range(3)] == [0, 0, 0]
    assert 50 < limit.take("192.0.2.1") <= 100
    assert limit.take("192.0.2.2") == 0


def test_what_was_used_comes_back_with_time() -> None:
    limit = fresh(capacity=1, rate=1_000_000)
    assert [limit.take("192.0.2.1") for _ in range(50)] == [0] * 50


def test_limits_of_two_names_do_not_count_together() -> None:
    one, other = fresh(capacity=1), fresh(capacity=1)
    assert (one.take("192.0.2.1"), other.take("192.0.2.1")) == (0, 0)


def test_a_whole_network_of_ipv6_counts_as_one_address() -> None:
    limit = fresh(capacity=1)
    assert limit.take("2001:db8:1:2::1") == 0
    assert limit.take("2001:db8:1:2:ffff::9%eth0") > 0
    assert limit.take("2001:db8:1:3::1") == 0


def test_an_ipv4_address_within_ipv6_is_itself() -> None:
    limit = fresh(capacity=1)
    assert limit.take("192.0.2.1") == 0
    assert limit.take("::ffff:192.0.2.1") > 0
    assert limit.take("::ffff:192.0.2.2") == 0


def test_what_is_no_address_is_limited_too() -> None:
    limit = fresh(capacity=1)
    assert limit.take("") == 0
    assert limit.take("") > 0


def test_no_address_stands_in_valkey_and_what_does_goes_by_itself() -> None:
    limit = fresh()
    limit.take("192.0.2.77")
    with valkey() as client:
        (key,) = client.scan_iter(f"limit:{limit.name}:*")
        assert b"192.0.2.77" not in key
        assert len(key.rpartition(b":")[2]) == 64
        assert set(client.hgetall(key)) == {b"left", b"at"}
        assert 0 < client.ttl(key) <= 301


def test_without_valkey_nobody_is_limited_and_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def refuse(**_: object) -> int:
        asked.append(1)
        raise redis.ConnectionError("canary")

    now = [1000.0]
    monkeypatch.setattr(limits, "_script", lambda: refuse)
    monkeypatch.setattr("dialects.kit.limits.time.monotonic", lambda: now[0])
    limit = fresh(capacity=1)
    assert [limit.take("192.0.2.1") for _ in range(5)] == [0] * 5
    assert len(asked) == 1, "it is not asked again at once"
    now[0] += 2
    assert limit.take("192.0.2.1") == 0
    assert len(asked) == 2
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("broker", "expected"),
    [
        ("redis+socket:///run/a%20b/valkey.sock", "unix:///run/a%20b/valkey.sock"),
        ("redis+socket:///run/valkey.sock?virtual_host=2", "unix:///run/valkey.sock?db=2"),
        ("redis://:secret@host:6379/1", "redis://:secret@host:6379/1"),
        ("rediss://host", "rediss://host"),
    ],
)
def test_the_address_of_the_broker_is_understood(broker: str, expected: str) -> None:
    assert url_of(broker) == expected
    redis.Redis.from_url(url_of(broker)).close()


def test_only_a_trusted_proxy_says_who_sends(settings) -> None:
    settings.BEHIND_PROXY = False
    assert address_of(request_from("192.0.2.1", "198.51.100.9")) == "192.0.2.1"
    assert address_of(request_from(None)) == ""
    settings.BEHIND_PROXY = True
    assert address_of(request_from("10.0.0.1", "203.0.113.5, 198.51.100.9 ")) == "198.51.100.9"
    assert address_of(request_from("10.0.0.1", "198.51.100.9")) == "198.51.100.9"
    for nothing in (None, "", "198.51.100.9, "):
        assert address_of(request_from("10.0.0.1", nothing)) == "10.0.0.1"
