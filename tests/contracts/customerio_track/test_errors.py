"""What is wrong with a request as such: sections 1.2 and 1.4 of the contract, I8, I10 and L2 of security.md."""

import asyncio
import base64
from collections.abc import AsyncIterator

import psycopg
import pytest
import structlog
from django.db import DatabaseError
from structlog.testing import LogCapture

from customers.models import Token, User, Workspace, WorkspaceUserGrant
from customers.services.tokens import issue_token
from dialects.customerio_track.dialect import tokens
from dialects.kit import authentication
from tests.contracts.client import TrackClient, basic, request
from tests.contracts.conftest import SITE_ID, Inbox
from tracking.intake import collector as collector_module
from tracking.intake import inbox as inbox_module

IDENTIFY, BATCH = ("PUT", "/api/v1/customers/5"), ("POST", "/api/v2/batch")
UNAUTHORIZED = {"meta": {"error": "Unauthorized request"}}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What is logged."""
    capture = LogCapture()
    for module in ("dialects.kit.routing", "dialects.kit.authentication", "tracking.intake.collector"):
        monkeypatch.setattr(f"{module}.log", structlog.wrap_logger(None, processors=[capture]))
    return capture.entries  # type: ignore[return-value]  # MutableMapping by name, dictionaries in fact


# --- Credentials -------------------------------------------------------------------------------------


def test_every_spelling_of_basic_credentials_is_understood(workspace: Workspace, service: User) -> None:
    site = "s?>~\u00fc"  # bytes whose encoding differs between the alphabets
    key = issue_token(
        user_id=service.pk, workspace_id=workspace.pk, face="track", name="t", scopes=["edit"], public_id=site
    )
    tokens.forget()
    plain = f"{site}:{key}".encode()
    standard, safe = base64.b64encode(plain).decode(), base64.urlsafe_b64encode(plain).decode()
    assert standard != safe
    for value in (f"Basic {standard}", f"basic {safe}", f"BASIC  {safe.rstrip('=')}", f"Basic {standard.rstrip('=')}"):
        response = request("GET", "/api/v1/accounts/region", headers={"authorization": value})
        assert response.status_code == 200, value


@pytest.mark.parametrize("route", [IDENTIFY, BATCH, ("GET", "/api/v1/accounts/region")])
def test_wrong_credentials_are_401_in_one_shape_with_a_challenge(
    track: TrackClient, inbox: Inbox, route: tuple[str, str]
) -> None:
    wrong = [
        None, "", "Basic", "Basic ", "Basic !!!!", "Basic dXNlcg==", f"Bearer {track.api_key}",
        basic(SITE_ID, ""), basic("", track.api_key), basic(SITE_ID, track.api_key + "x"),
        basic("site-2", track.api_key), basic(SITE_ID, "\u00fc\0"), "Basic " + "A" * 10_000,
    ]  # fmt: skip
    for value in wrong:
        response = request(*route, body={}, headers={} if value is None else {"authorization": value})
        assert (response.status_code, response.json()) == (401, UNAUTHORIZED), value
        assert response.headers["www-authenticate"].startswith("Basic ")
    assert inbox() == []


def test_a_token_ends_with_its_revocation_its_user_and_his_right(track: TrackClient, service: User) -> None:
    def status() -> int:
        tokens.forget()
        return track.identify("5", {}).status_code

    assert status() == 200
    Token.objects.update(scopes=["view_workspace"])
    assert status() == 401
    Token.objects.update(scopes=["edit"])
    assert status() == 200
    Token.objects.update(face="app")
    assert status() == 401
    Token.objects.update(face="track")
    User.objects.filter(pk=service.pk).update(is_active=False)
    assert status() == 401
    User.objects.filter(pk=service.pk).update(is_active=True)
    WorkspaceUserGrant.objects.all().delete()
    assert status() == 401


def test_region_tells_where_this_installation_is_and_checks_credentials(track: TrackClient) -> None:
    response = track.send("GET", "/api/v1/accounts/region")
    assert response.status_code == 200
    expected = {"url": "http://127.0.0.1:8000", "region": "us", "environment_id": track.workspace_id}
    assert response.json() == expected


# --- Paths and methods ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1",
        "/api/v1/",
        "/api/v1/customers",
        "/api/v1/customers/5/nothing",
        "/api/v1/x",
        "/unsubscribe",
        "/unsubscribe/a/b",
    ],
)
def test_unknown_paths_of_version_1_are_404_in_its_shape(path: str) -> None:
    response = request("PUT", path, body={})
    assert (response.status_code, response.json()) == (404, {"meta": {"error": "not found"}})


def test_unknown_paths_of_version_2_are_404_in_its_shape() -> None:
    response = request("POST", "/api/v2/nothing", body={})
    assert response.status_code == 404
    assert response.json() == {"errors": [{"reason": "invalid", "field": "", "message": "not found"}]}


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/api/v1/customers/5", "DELETE, PUT"),
        ("GET", "/api/v1/customers/5/events", "POST"),
        ("POST", "/api/v1/customers/5/devices", "PUT"),
        ("GET", "/api/v1/metrics", "POST"),
        ("GET", "/unsubscribe/abc", "POST"),
        ("POST", "/api/v1/accounts/region", "GET"),
        ("PUT", "/api/v2/batch", "POST"),
    ],
)
def test_a_wrong_method_is_405_and_says_which_is_right(method: str, path: str, allow: str) -> None:
    response = request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allow)


# --- Bodies ---------------------------------------------------------------------------------------------

MALFORMED = [
    b"", b"{", b"{} x", b"{'a': 1}", b"null", b"1", b"\0", b"\xef\xbb\xbf{}", b'{"a": 01}', b'{"a": "\\u12"}',
    b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": 0e99999999999999999999}',
    b'{"a": 1e%s}' % (b"9" * 400), b'{"a": %s}' % (b"9" * 5_000),
    b'{"a": "\xff"}', b'{"\xff": 1}', b'{"a": "\xed\xa0\x80"}',
    b"[" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"a":' * 34 + b"1" + b"}" * 34,
]  # fmt: skip


@pytest.mark.parametrize("path", ["/api/v1/customers/5", "/api/v1/customers/5/events", "/api/v2/batch"])
def test_bodies_that_are_no_acceptable_json_are_400_in_the_shape_of_the_face(
    track: TrackClient, inbox: Inbox, path: str
) -> None:
    method = "PUT" if path.endswith("/5") else "POST"
    for content in MALFORMED:
        response = track.send(method, path, content=content)
        assert response.status_code == 400, content[:40]
        body = response.json()
        assert body["errors"][0]["message"] if path == "/api/v2/batch" else body["meta"]["error"], content[:40]
    assert inbox() == []


@pytest.mark.parametrize(("route", "limit"), [(IDENTIFY, 512 * 1024), (BATCH, 500 * 1024 - 1)])
def test_bodies_over_the_limit_are_413_declared_or_chunked(
    track: TrackClient, inbox: Inbox, route: tuple[str, str], limit: int
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(limit // 1000 + 1):
            yield b" " * 1000

    fitting = b"{}".ljust(limit)
    assert track.send(*route, content=fitting).status_code in (200, 400)
    for content in (fitting + b" ", chunks()):
        response = track.send(*route, content=content)
        assert response.status_code == 413
        assert "request body is too large" in response.text
    assert len(inbox()) == (1 if route == IDENTIFY else 0)


def test_compressed_bodies_are_415(track: TrackClient) -> None:
    headers = {"authorization": basic(track.site_id, track.api_key), "content-encoding": "gzip"}
    assert request(*IDENTIFY, body={}, headers=headers).json() == {
        "meta": {"error": "content encoding is not supported"}
    }
    headers["content-encoding"] = "Identity"
    assert request(*IDENTIFY, body={}, headers=headers).status_code == 200


# --- When the store is in trouble ----------------------------------------------------------------------


def test_a_full_intake_is_503_with_retry_after(
    track: TrackClient, inbox: Inbox, settings: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INTAKE_BACKLOG_CAP = 0  # type: ignore[attr-defined]  # pytest-django's wrapper
    monkeypatch.setattr(collector_module, "HOLD_SECONDS", 0.01)
    for route in (IDENTIFY, BATCH):
        body = {"batch": [{"type": "person", "action": "identify", "identifiers": {"id": "5"}}]}
        response = track.send(*route, body)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert inbox() == []


def test_a_store_that_fails_is_503_with_retry_after(
    track: TrackClient, monkeypatch: pytest.MonkeyPatch, lines: list[dict[str, object]]
) -> None:
    def refuse(*_: object) -> None:
        raise psycopg.OperationalError("canary: a value of the database")

    monkeypatch.setattr(inbox_module, "write", refuse)
    response = track.identify("5", {})
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert "canary" not in response.text + repr(lines)


def test_tokens_that_cannot_be_read_are_503_and_not_401(
    track: TrackClient, monkeypatch: pytest.MonkeyPatch, lines: list[dict[str, object]]
) -> None:
    def refuse(_face: str) -> None:
        raise DatabaseError("canary")

    monkeypatch.setattr(authentication, "live_tokens", refuse)
    tokens.forget()
    assert track.identify("5", {}).status_code == 503
    assert "canary" not in repr(lines)


def test_an_error_nobody_foresaw_is_500_in_the_shape_of_the_face_and_tells_nothing(
    track: TrackClient, monkeypatch: pytest.MonkeyPatch, lines: list[dict[str, object]]
) -> None:
    async def fail(*_: object) -> None:
        await asyncio.sleep(0)
        raise LookupError("canary")

    monkeypatch.setattr(collector_module.Collector, "submit", fail)
    response = track.identify("5", {})
    assert (response.status_code, response.json()) == (500, {"meta": {"error": "internal error"}})
    assert (lines[-1]["code"], lines[-1]["log_level"]) == ("LookupError", "error")
    assert "canary" not in repr(lines)


# --- Logs ---------------------------------------------------------------------------------------------


def test_a_failed_request_leaves_one_line_without_path_or_values_and_success_none(
    track: TrackClient, lines: list[dict[str, object]]
) -> None:
    track.identify("canary%40fjord.example", {"plan": "canary"})
    assert lines == []
    track.identify("canary%40fjord.example", {"canary": "canary" * 200})
    track.event("canary", {"name": "canary" * 20})
    track.send("POST", "/api/v1/canary", {})
    track.batch({"type": "canary"})
    request("PUT", "/api/v1/customers/canary", headers={"authorization": basic("canary", "canary")})
    assert "canary" not in repr(lines)
    assert [(line["route"], line["status"], line["workspace_id"]) for line in lines] == [
        ("/api/v1/customers/{identifier}", 400, track.workspace_id),
        ("/api/v1/customers/{identifier}/events", 400, track.workspace_id),
        ("(no route)", 404, None),
        ("/api/v2/batch", 207, track.workspace_id),
        ("/api/v1/customers/{identifier}", 401, None),
    ]
    assert all({"face", "method", "code", "ms"} <= line.keys() for line in lines)
