"""Calls without credentials: sections 2.13 and 2.14 of the contract."""

import uuid
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.db import DatabaseError

from customers.identifiers import delivery_digest
from customers.models import Token, Workspace
from dialects.customerio_track import open_views
from dialects.customerio_track.dialect import tokens
from dialects.kit import limits
from dialects.kit.drops import Drops
from dialects.kit.limits import Limit
from rolodesk.database import connect
from rolodesk.json import Json
from tests.contracts.client import TrackClient, basic, request
from tests.contracts.conftest import Inbox
from tracking.intake.operations import Ref, ReportDelivery, Unsubscribe
from tracking.models import DeliveryLookup

ID = "RPILAgUBcRhIBqSfeiIwdIYJKxTY=="
METRICS, PUSH, UNSUBSCRIBE = "/api/v1/metrics", "/api/v1/push/events", "/unsubscribe/RPILAgUBcRhIBqSfeiIwdIYJKxTY%3D%3D"
METRIC = {"delivery_id": ID, "metric": "opened", "recipient": "a@b.example"}
PUSHED = {"delivery_id": ID, "event": "opened", "device_id": "t", "timestamp": 1}
CALLS = [
    (METRICS, METRIC, ReportDelivery(ID, "opened", None, "", {"recipient": "a@b.example"})),
    (PUSH, PUSHED, ReportDelivery(ID, "opened", None, "push", {"recipient": "t"}, 1_000_000)),
    (UNSUBSCRIBE, {"unsubscribe": True}, Unsubscribe(ID)),
]


@pytest.fixture
def known(track: TrackClient, workspace: Workspace) -> None:
    """A message of this workspace. Whoever accepts something uses the client, which closes what that opened."""
    DeliveryLookup.objects.create(digest=delivery_digest(ID), workspace_id=workspace.pk, customer_id=uuid.uuid4())


@pytest.fixture(autouse=True)
def drops(monkeypatch: pytest.MonkeyPatch) -> Drops:
    """What was dropped in this test."""
    fresh = Drops("track")
    monkeypatch.setattr(open_views, "drops", fresh)
    return fresh


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Limit]:
    """A limit that no other test has used."""
    fresh = Limit(f"test-{uuid.uuid4()}", capacity=200, rate=100.0)
    monkeypatch.setattr(open_views, "LIMIT", fresh)
    yield fresh
    with redis.Redis.from_url(limits.url_of(settings.CELERY_BROKER_URL)) as client:
        for key in client.scan_iter(f"limit:{fresh.name}:*"):
            client.delete(key)


def rows() -> list[tuple[int, int | None]]:
    """Workspace and token of what was accepted."""
    with connect(application="test") as connection:
        return connection.execute("SELECT workspace_id, token_id FROM inbox ORDER BY id").fetchall()


def test_a_known_message_names_its_workspace(track: TrackClient, known: None, inbox: Inbox, drops: Drops) -> None:
    for path, body, _ in CALLS:
        for with_slash in (path, f"{path}/"):
            response = request("POST", with_slash, body=body)
            assert (response.status_code, response.content) == (200, b"{}\n"), path
            assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert inbox() == [operation for _, _, operation in CALLS for _ in range(2)]
    assert rows() == [(track.workspace_id, None)] * 6
    assert drops.counts == {}


def test_an_unknown_message_is_counted_and_dropped_with_the_same_answer(
    track: TrackClient, inbox: Inbox, drops: Drops
) -> None:
    for path, body, _ in CALLS:
        response = request("POST", path, body=body)
        assert (response.status_code, response.content) == (200, b"{}\n"), path
    assert inbox() == []
    routes = (METRICS, PUSH, open_views.UNSUBSCRIBE)
    assert drops.counts == {(route, "unknown_delivery"): 1 for route in routes}


def test_bad_credentials_are_never_refused(track: TrackClient, known: None, inbox: Inbox) -> None:
    wrong = ["Basic", "Basic !!!", "Bearer x", basic("site-2", track.api_key), basic(track.site_id, "wrong")]
    for path, body, _ in CALLS:
        for value in wrong:
            response = request("POST", path, body=body, headers={"authorization": value})
            assert (response.status_code, response.content) == (200, b"{}\n"), (path, value)
    Token.objects.update(scopes=["merge"])
    tokens.forget()
    for path, body, _ in CALLS:
        assert track.send("POST", path, body).status_code == 200
    assert rows() == [(track.workspace_id, None)] * 3 * (len(wrong) + 1)


def test_valid_credentials_name_the_workspace_whoever_knows_the_message(
    track: TrackClient, inbox: Inbox, drops: Drops
) -> None:
    for path, body, _ in CALLS:
        assert track.send("POST", path, body).content == b"{}\n", path
    assert rows() == [(track.workspace_id, Token.objects.get().pk)] * 3
    assert drops.counts == {}


def test_only_valid_credentials_can_make_a_message_known_by_its_recipient(
    track: TrackClient, known: None, inbox: Inbox
) -> None:
    request("POST", METRICS, body=METRIC)
    track.send("POST", METRICS, METRIC)
    assert [operation.recipient for operation in inbox() if isinstance(operation, ReportDelivery)] == [
        None,
        Ref("email", "a@b.example"),
    ]


USELESS: list[Json] = [
    {},
    {"delivery_id": ID},
    {"metric": "opened", "event": "opened"},
    {"delivery_id": ID, "metric": "sent", "event": "sent"},
    {"delivery_id": [], "metric": [], "event": {}},
]


def test_a_report_that_says_nothing_usable_is_received_and_counted(
    track: TrackClient, known: None, inbox: Inbox, drops: Drops
) -> None:
    for path in (METRICS, PUSH):
        for body in USELESS:
            for response in (request("POST", path, body=body), track.send("POST", path, body)):
                assert (response.status_code, response.content) == (200, b"{}\n"), (path, body)
    assert inbox() == []
    assert drops.counts == {(path, "unusable"): 2 * len(USELESS) for path in (METRICS, PUSH)}


def test_what_is_no_json_object_is_400_and_what_is_too_large_413(known: None, inbox: Inbox) -> None:
    for path, _, _ in CALLS:
        for content in (b"{", b"[]", b"x=1", b"\xff", b'{"a": NaN}'):
            response = request("POST", path, content=content)
            assert response.status_code == 400, (path, content)
            assert set(response.json()["meta"]) == {"error"}
        response = request("POST", path, content=b" " * (128 * 1024 + 1))
        assert (response.status_code, response.json()) == (413, {"meta": {"error": "request body is too large"}})
    assert inbox() == []


# --- Unsubscribe ------------------------------------------------------------------------------------------


def test_unsubscribing_is_what_the_call_means_unless_it_says_otherwise(known: None, inbox: Inbox) -> None:
    for content in (b"", b"{}", b'{"unsubscribe": true}', b'{"unsubscribe": "1"}', b'{"unsubscribe": false}'):
        response = request("POST", UNSUBSCRIBE, content=content, headers={"content-type": "application/json"})
        assert response.status_code == 200
    assert inbox() == [*[Unsubscribe(ID)] * 4, Unsubscribe(ID, is_unsubscribed=False)]


def test_another_form_of_id_or_word_is_400(track: TrackClient, inbox: Inbox) -> None:
    wrong: list[tuple[str, Json]] = [(id_, {}) for id_ in ("a%20b", "%00", "x" * 151, "%FF", "a%3Cb")]
    for delivery_id, body in [*wrong, ("unknown", {"unsubscribe": "x"})]:
        response = request("POST", f"/unsubscribe/{delivery_id}", body=body)
        assert response.status_code == 400, delivery_id
        assert set(response.json()["meta"]) == {"error"}
    assert inbox() == []


def test_a_form_of_a_web_page_is_400(known: None, inbox: Inbox) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = request("POST", UNSUBSCRIBE, content=b"", headers=headers)
    assert (response.status_code, response.json()) == (
        400,
        {"meta": {"error": "content type must be application/json"}},
    )
    assert inbox() == []


# --- Limits and trouble --------------------------------------------------------------------------------------


def test_strangers_are_limited_by_their_address_and_holders_of_a_key_are_not(
    track: TrackClient, known: None, inbox: Inbox, limit: Limit
) -> None:
    limit.capacity, limit.rate = 2, 0.01
    assert [request("POST", METRICS, body=METRIC).status_code for _ in range(2)] == [200, 200]
    for path, body, _ in CALLS:
        response = request("POST", path, body=body)
        assert (response.status_code, response.json()) == (429, {"meta": {"error": "too many requests"}})
        assert 0 < int(response.headers["retry-after"]) <= 100
        assert track.send("POST", path, body).status_code == 200
    assert len(inbox()) == 5


def test_without_valkey_nobody_is_limited(known: None, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> int:
        raise redis.ConnectionError("canary")

    monkeypatch.setattr(limits, "_script", lambda: refuse)
    assert request("POST", METRICS, body=METRIC).status_code == 200
    assert len(inbox()) == 1


def test_a_database_that_cannot_be_asked_is_503_and_not_a_drop(
    known: None, inbox: Inbox, drops: Drops, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_delivery_id: str) -> int:
        raise DatabaseError("canary")

    monkeypatch.setattr(open_views, "workspace_of", refuse)
    response = request("POST", METRICS, body=METRIC)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert "canary" not in response.text
    assert drops.counts == {}
