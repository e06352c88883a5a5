"""Request ids and logs, headers of every answer, and the end of sessions."""

import logging
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from rolodesk.middleware import PrivateResponseMiddleware, RequestMiddleware
from tests.pages import HTMX, is_kept_private, text_of


@pytest.fixture
def url(cast):
    return f"/w/{cast.workspace.slug}/customers/"


# --- Requests ----------------------------------------------------------------------------------


@pytest.fixture
def requests_of(caplog):
    """What our log said about requests since the test began."""
    caplog.set_level(logging.INFO, logger="rolodesk.web")

    def requests_of():
        return [record.msg for record in caplog.records if record.name == "rolodesk.web"]

    return requests_of


def test_each_request_has_an_id_of_its_own(cast, sign_in, url):
    client = sign_in(cast.lead)
    ids = {client.get(url)["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3 and all(len(one) == 32 for one in ids)


def test_an_error_page_names_the_request(cast, sign_in):
    response = sign_in(cast.lead).get("/w/nowhere/customers/")
    assert response["X-Request-Id"] in text_of(response)


def test_a_request_is_logged_by_route_and_never_by_path(cast, sign_in, url, anna, requests_of):
    response = sign_in(cast.lead).get(f"{url}{anna}/properties/?v=canary")
    (line,) = requests_of()
    assert line["route"] == "w/<slug:workspace>/customers/<uuid:customer>/<slug:tab>/"
    assert (line["method"], line["status"], line["user_id"]) == ("GET", 200, cast.lead.pk)
    assert line["request_id"] == response["X-Request-Id"] and isinstance(line["ms"], int)
    assert str(anna) not in str(line) and cast.workspace.slug not in str(line) and "canary" not in str(line)


def test_a_path_without_a_route_is_not_logged_either(client, db, requests_of):
    client.get("/anna.canary@fjord.example/")
    (line,) = requests_of()
    assert (line["route"], line["status"], line["user_id"]) == ("(no route)", 404, None)
    assert "canary" not in str(line)


def test_a_request_that_never_met_a_user_is_logged(requests_of):
    request = RequestFactory().get("/")
    response = RequestMiddleware(lambda _request: HttpResponse(status=204))(request)
    (line,) = requests_of()
    assert (line["status"], line["user_id"], response["X-Request-Id"]) == (204, None, line["request_id"])


# --- Headers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/health/", "/accounts/login/", "/nowhere/", "/admin/", "/w/nowhere/customers/"])
def test_every_answer_is_kept_by_nobody(client, db, path):
    assert is_kept_private(client.get(path))


@pytest.mark.parametrize("path", ["/health/", "/accounts/login/", "/nowhere/"])
def test_every_answer_bars_what_pages_need_not_do(client, db, path):
    response = client.get(path)
    policy = {part.strip().partition(" ")[0]: part.strip() for part in response["Content-Security-Policy"].split(";")}
    assert policy["default-src"] == "default-src 'none'" and policy["script-src"] == "script-src 'self'"
    assert policy["frame-ancestors"] == "frame-ancestors 'none'" and policy["base-uri"] == "base-uri 'none'"
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff" and response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin" and "camera=()" in response["Permissions-Policy"]


def test_a_failed_page_is_kept_by_nobody_and_says_nothing(cast, sign_in, url, monkeypatch):
    def fail(*_args):
        raise RuntimeError("canary")

    monkeypatch.setattr("customers.views.search.listing", fail)
    client = sign_in(cast.lead)
    client.raise_request_exception = False
    response = client.get(url)
    assert response.status_code == 500 and is_kept_private(response)
    assert "Something failed" in text_of(response) and "canary" not in text_of(response)


def test_static_files_may_be_cached(rf, db):
    request = rf.get("/static/css/tokens.css")
    request.user = type("Nobody", (), {"is_authenticated": False})()
    response = PrivateResponseMiddleware(lambda _request: HttpResponse(headers={"Cache-Control": "max-age=60"}))(
        request
    )
    assert response["Cache-Control"] == "max-age=60" and "Vary" not in response


def test_signing_out_clears_what_the_browser_kept(cast, sign_in):
    response = sign_in(cast.lead).post("/accounts/logout/")
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in sign_in(cast.lead).get("/health/")


# --- Sessions ----------------------------------------------------------------------------------


def is_signed_in(client):
    """The front door leads either into a workspace or to the sign-in page."""
    return client.get("/")["Location"].startswith("/w/")


def later(time_machine, **delta):
    time_machine.move_to(timezone.now() + timedelta(**delta), tick=False)


def test_half_an_hour_without_a_request_ends_the_session(cast, sign_in, time_machine):
    client = sign_in(cast.lead)
    assert is_signed_in(client)
    later(time_machine, minutes=29)
    assert is_signed_in(client)
    later(time_machine, minutes=31)
    assert not is_signed_in(client)


def test_an_ended_session_does_not_come_back(cast, sign_in, settings, time_machine):
    client = sign_in(cast.lead)
    assert is_signed_in(client)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    later(time_machine, minutes=31)
    assert not is_signed_in(client)
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    assert not is_signed_in(client) and not Session.objects.exists()


def test_twelve_hours_end_a_session_however_busy(cast, sign_in, time_machine):
    client = sign_in(cast.lead)
    assert is_signed_in(client)
    for _ in range(35):
        later(time_machine, minutes=20)
        assert is_signed_in(client)
    later(time_machine, minutes=21)
    assert not is_signed_in(client)


def test_a_new_sign_in_begins_anew(cast, sign_in, time_machine):
    assert is_signed_in(sign_in(cast.lead))
    later(time_machine, hours=13)
    client = sign_in(cast.lead)
    assert is_signed_in(client)
    later(time_machine, minutes=29)
    assert is_signed_in(client)


def test_the_session_is_written_at_most_once_a_minute(cast, sign_in, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    client = sign_in(cast.lead)

    def seen():
        assert is_signed_in(client)
        session = Session.objects.get().get_decoded()
        return session["seen_at"] - session["began_at"]

    assert seen() == 0
    later(time_machine, seconds=59)
    assert seen() == 0
    time_machine.shift(1)
    assert seen() == 60


def test_who_is_not_signed_in_has_no_session(client, db):
    for headers in ({}, HTMX):
        client.get("/health/", headers=headers)
        client.get("/", headers=headers)
    assert not Session.objects.exists()
