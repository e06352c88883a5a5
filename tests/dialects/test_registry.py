"""Every dialect: its table of errors is complete, its paths are its own."""

import asyncio

import pytest
from django.conf import settings

from dialects import registry
from dialects.kit.errors import every_code
from dialects.kit.http import Application, Message, Receive, Send
from dialects.registry import Dialect
from rolodesk.asgi import make_dispatcher


@pytest.mark.parametrize("dialect", registry.registered(), ids=lambda dialect: dialect.name)
def test_every_error_has_a_row_in_the_table_of_every_dialect(dialect: Dialect) -> None:
    assert every_code() - dialect.error_table.keys() == frozenset()


@pytest.mark.parametrize("dialect", registry.registered(), ids=lambda dialect: dialect.name)
def test_every_row_is_an_error_that_exists(dialect: Dialect) -> None:
    assert dialect.error_table.keys() - every_code() == frozenset()
    assert all(400 <= row.status < 600 and row.message for row in dialect.error_table.values())


def test_the_codes_of_the_domain_and_of_requests_are_found() -> None:
    assert {"error", "overloaded", "not_found", "body_too_large", "unauthenticated"} <= every_code()


@pytest.mark.parametrize("dialect", registry.registered(), ids=lambda dialect: dialect.name)
def test_routes_lie_below_the_prefixes_of_their_dialect(dialect: Dialect) -> None:
    assert dialect.routes
    for _, template in dialect.routes:
        assert any(template.startswith(f"{prefix}/") for prefix in dialect.prefixes)


def test_two_dialects_on_one_path_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DIALECTS", [*settings.DIALECTS, *settings.DIALECTS], raising=False)
    registry.registered.cache_clear()
    with pytest.raises(ValueError, match="same path"):
        registry.registered()


def _named(name: str, calls: list[str]) -> Application:
    async def application(_scope: Message, _receive: Receive, _send: Send) -> None:
        calls.append(name)
        await asyncio.sleep(0)

    return application


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"type": "http", "path": "/api/v1/customers/5"}, "short"),
        ({"type": "http", "path": "/api/v1"}, "short"),
        ({"type": "http", "path": "/api/v1/deep/x"}, "long"),
        ({"type": "http", "path": "/api/v10/x"}, "django"),
        ({"type": "http", "path": "/"}, "django"),
        ({"type": "http", "path": "/w/shop/api/v1/"}, "django"),
        ({"type": "lifespan"}, "django"),
    ],
)
def test_the_dispatcher_goes_by_whole_segments_and_the_longer_prefix(scope: Message, expected: str) -> None:
    calls: list[str] = []
    routes = [("/api/v1", _named("short", calls)), ("/api/v1/deep", _named("long", calls))]
    dispatch = make_dispatcher(routes, _named("django", calls))

    async def nothing(*_: object) -> Message:
        return {}

    asyncio.run(dispatch(scope, nothing, nothing))  # type: ignore[arg-type]  # one stub for both directions
    assert calls == [expected]
