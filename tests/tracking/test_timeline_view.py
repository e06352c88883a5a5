"""The regions of the timeline."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from customers.models import AuditEntry, Customer, SearchHandle
from tests.factories import grant, make_customer, make_event, make_history, make_user
from tests.pages import HTMX, WHOLE_PAGE, given_away, is_kept_private, is_whole, lasting, text_of
from tracking import timeline
from tracking.models import EventDefinition

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
CANARY = "canary-property"


@pytest.fixture
def url(cast, anna):
    return f"/w/{cast.workspace.slug}/timeline/{anna}/"


@pytest.fixture
def filter_url(url):
    return f"{url}filter/"


@pytest.fixture
def profile(cast, anna):
    return f"/w/{cast.workspace.slug}/customers/{anna}/"


@pytest.fixture
def events(cast, anna):
    """Two events whose properties nobody has declared."""
    make_event(cast.workspace, anna, "Login", at=NOON, device=CANARY)
    make_event(cast.workspace, anna, "Purchase", at=NOON - timedelta(days=1), item=CANARY)
    return {row.name: row.pk for row in EventDefinition.objects.filter(workspace=cast.workspace)}


@pytest.fixture
def long_history(cast, anna):
    make_history(cast.workspace, anna, timeline.PAGE + 1, since=NOON)


def older_url(response):
    rest = text_of(response).partition('id="older"')[2].partition('hx-get="')[2]
    return rest.partition('"')[0].replace("&amp;", "&")


# --- The region --------------------------------------------------------------------------------


def test_htmx_gets_the_timeline_alone(cast, sign_in, url, events):
    response = sign_in(cast.lead).get(url, headers=HTMX)
    assert response.status_code == 200 and not is_whole(response)
    assert text_of(response).strip().startswith('<section class="card timeline" id="timeline"')
    assert CANARY in text_of(response) and "2 events in all" in text_of(response)


@pytest.mark.parametrize("headers", WHOLE_PAGE)
def test_everybody_else_is_sent_to_the_profile_with_the_same_query(cast, sign_in, url, profile, headers):
    client = sign_in(cast.lead)
    assert client.get(url, headers=headers)["Location"] == profile
    assert client.get(f"{url}?t=abc&after=d%2Fe", headers=headers)["Location"] == f"{profile}?t=abc&after=d%2Fe"


def test_support_sees_masks_and_never_a_value(cast, sign_in, url, filter_url, events):
    client = sign_in(cast.support)
    for response in (client.get(url, headers=HTMX), client.post(filter_url, {"order": "oldest"}, headers=HTMX)):
        assert not given_away(response, (CANARY,)) and "******" in text_of(response)


def test_an_event_counts_its_likes_and_says_when_it_came_late(cast, sign_in, anna, url):
    for minute in (0, 1):
        event = make_event(cast.workspace, anna, "Page view", at=NOON + timedelta(minutes=minute))
    type(event).objects.filter(id=event.id).update(received_at=NOON + timedelta(hours=3))
    page = text_of(sign_in(cast.support).get(url, headers=HTMX))
    assert '<span class="times">× 2</span>' in page and "2 h later" in page


def test_a_property_without_a_value_says_so_and_text_from_outside_is_text(cast, sign_in, anna, url):
    odd: dict[str, Any] = {"<i>": 1}
    make_event(cast.workspace, anna, "<b>Order</b>", at=NOON, note="", html="<img src=x>", **odd)
    page = text_of(sign_in(cast.lead).get(url, headers=HTMX))
    assert '<span class="muted">Empty</span>' in page and "&lt;b&gt;Order" in page
    assert "<img" not in page and "<i>" not in page and "<b>Order" not in page


def test_load_older_appends_what_follows(cast, sign_in, url, profile, long_history):
    client = sign_in(cast.lead)
    older = older_url(client.get(profile))
    assert older.startswith(f"{url}?after=")
    response = client.get(older, headers=HTMX)
    assert text_of(response).count('<details class="event') == 1 and not older_url(response)
    assert 'id="timeline"' not in text_of(response) and "51 events in all" in text_of(response)


def test_load_older_without_script_is_a_page(cast, sign_in, profile, long_history):
    client = sign_in(cast.lead)
    response = client.get(older_url(client.get(profile)), follow=True)
    assert is_whole(response) and text_of(response).count('<details class="event') == 1


def test_load_older_keeps_the_filters(cast, sign_in, filter_url, long_history):
    client = sign_in(cast.lead)
    first = client.post(filter_url, {"order": "oldest"}, headers=HTMX)
    older = older_url(first)
    assert "t=" in older and "oldest" not in older
    response = client.get(older, headers=HTMX)
    assert text_of(response).count('<details class="event') == 1 and "12:50" in text_of(response)


@pytest.mark.parametrize("query", ["after=forged", "after=%00", "t=unknown", "t=%00", "t=x&after=y"])
def test_forged_cursors_and_handles_are_refused(cast, sign_in, url, events, query):
    response = sign_in(cast.lead).get(f"{url}?{query}", headers=HTMX)
    assert response.status_code == 410 and not is_whole(response) and not given_away(response, (CANARY,))


def test_the_cursor_of_another_viewer_or_customer_is_refused(cast, sign_in, anna, profile, long_history):
    older = older_url(sign_in(cast.support).get(profile))
    other = make_customer(cast.workspace)
    assert sign_in(cast.support).get(older.replace(str(anna), str(other)), headers=HTMX).status_code == 410
    assert sign_in(cast.lead).get(older, headers=HTMX).status_code == 410


@pytest.mark.parametrize("state", ["merged", "deleted"])
def test_a_customer_that_is_gone_has_no_events(cast, sign_in, anna, url, filter_url, events, state):
    Customer.objects.filter(pk=anna).update(state=state)
    client = sign_in(cast.privacy)
    for response in (client.get(url, headers=HTMX), client.post(filter_url, {"text": "Login"}, headers=HTMX)):
        assert response.status_code == 200 and not given_away(response, (CANARY, "Purchase"))


# --- Filters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"text": "log"}, ["Login"]),
        ({"since": "2026-05-04"}, ["Login"]),
        ({"until": "2026-05-03"}, ["Purchase"]),
        ({"order": "oldest"}, ["Purchase", "Login"]),
        ({"order": "newest"}, ["Login", "Purchase"]),
        ({"since": "2026-05-03", "until": "2026-05-04", "order": "oldest"}, ["Purchase", "Login"]),
        ({"until": "9999-12-31"}, ["Login", "Purchase"]),
        ({"since": "0001-01-01"}, ["Login", "Purchase"]),
    ],
)
def test_each_filter_works_and_comes_back_by_its_address(cast, sign_in, filter_url, events, data, shown):
    client = sign_in(cast.lead)
    response = client.post(filter_url, data, headers=HTMX)
    assert response.status_code == 200 and labels(response) == shown
    assert labels(client.get(response["HX-Push-Url"])) == shown


def labels(response):
    return [part.partition('"')[0] for part in text_of(response).split('class="what"\n          title="')[1:]]


def test_filter_by_types(cast, sign_in, filter_url, events):
    client = sign_in(cast.lead)
    response = client.post(filter_url, {"types": [events["Purchase"]]}, headers=HTMX)
    assert labels(response) == ["Purchase"] and "1 of 2</span>" in text_of(response)
    assert f'value="{events["Purchase"]}" checked' in text_of(response)
    assert labels(client.get(response["HX-Push-Url"])) == ["Purchase"]


def test_the_address_gets_a_handle_and_nothing_of_the_filters(cast, sign_in, filter_url, profile, events):
    response = sign_in(cast.lead).post(filter_url, {"text": "Anna", "since": "2026-05-01"}, headers=HTMX)
    row = SearchHandle.objects.get()
    assert response["HX-Push-Url"] == f"{profile}?t={row.pk}"
    assert b"Anna" not in bytes(row.sealed) and "Anna" not in str(dict(response.items()))


@pytest.mark.parametrize("headers", WHOLE_PAGE)
def test_without_htmx_a_filter_leads_to_its_address(cast, sign_in, filter_url, profile, events, headers):
    response = sign_in(cast.lead).post(filter_url, {"text": "Anna"}, headers=headers)
    assert response.status_code == 302 and response["Location"] == f"{profile}?t={SearchHandle.objects.get().pk}"


def test_the_plain_timeline_needs_no_handle(cast, sign_in, filter_url, profile, events):
    response = sign_in(cast.lead).post(filter_url, {"text": " ", "order": "newest"}, headers=HTMX)
    assert response["HX-Push-Url"] == profile and not SearchHandle.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {"since": "yesterday"},
        {"until": "2026-02-30"},
        {"order": "random"},
        {"types": ["x"]},
        {"types": ["99999999999999999999"]},
        {"text": "x" * 101},
        {"text": "a\0b"},
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_invalid_filter_is_told_so_in_the_region(cast, sign_in, filter_url, events, data, headers):
    response = sign_in(cast.lead).post(filter_url, data, headers=headers)
    assert response.status_code == 422 and 'role="alert"' in text_of(response)
    assert is_whole(response) is not bool(headers) and 'id="timeline"' in text_of(response)
    assert "HX-Push-Url" not in response and not SearchHandle.objects.exists()


def test_the_type_of_another_customer_is_no_choice(cast, sign_in, filter_url, events):
    make_event(cast.workspace, make_customer(cast.workspace), "Refund", at=NOON)
    refund = EventDefinition.objects.get(name="Refund").pk
    assert sign_in(cast.lead).post(filter_url, {"types": [refund]}, headers=HTMX).status_code == 422


def test_filters_that_match_nothing_offer_all_events(cast, sign_in, filter_url, profile, events):
    page = text_of(sign_in(cast.lead).post(filter_url, {"text": "nothing"}, headers=HTMX))
    assert "No events match these filters" in page and f'href="{profile}">Show all events' in page


def test_the_handle_of_somebody_else_is_refused(cast, sign_in, url, filter_url, events):
    address = sign_in(cast.lead).post(filter_url, {"text": "x"}, headers=HTMX)["HX-Push-Url"]
    handle = address.partition("t=")[2]
    response = sign_in(cast.privacy).get(f"{url}?t={handle}", headers=HTMX)
    assert response.status_code == 410 and not given_away(response, (CANARY,))


def test_a_stored_search_is_no_filter_and_shows_everything(cast, sign_in, url, events):
    client = sign_in(cast.lead)
    address = client.post(f"/w/{cast.workspace.slug}/customers/search/", {"q": "x"})["Location"]
    response = client.get(f"{url}?t={address.partition('v=')[2]}", headers=HTMX)
    assert labels(response) == ["Login", "Purchase"]


# --- Audit, headers, who is refused ------------------------------------------------------------


def test_only_what_is_shown_is_audited(cast, sign_in, anna, filter_url, events):
    response = sign_in(cast.lead).post(filter_url, {"text": "Login"}, headers=HTMX)
    entry = AuditEntry.objects.get()
    assert (entry.customer_ids, entry.data["names"]) == ([anna], ["device"])
    assert (entry.route, entry.request_id) == ("tracking:timeline_filter", response["X-Request-Id"])


def test_no_event_is_shown_when_the_audit_cannot_be_written(cast, sign_in, url, filter_url, events, monkeypatch):
    def refuse(**_fields):
        raise RuntimeError("audit unavailable")

    monkeypatch.setattr(AuditEntry.objects, "create", refuse)
    client = sign_in(cast.lead)
    client.raise_request_exception = False
    for response in (client.get(url, headers=HTMX), client.post(filter_url, {"text": "Login"}, headers=HTMX)):
        assert response.status_code == 500 and not given_away(response, (CANARY,))


def test_answers_are_kept_by_nobody_and_differ_for_htmx(cast, sign_in, url, filter_url, events):
    client = sign_in(cast.lead)
    for headers in ({}, HTMX):
        assert is_kept_private(client.get(url, headers=headers))
        assert is_kept_private(client.post(filter_url, {"text": "x"}, headers=headers))


def test_the_region_is_read_and_the_filter_is_posted(cast, sign_in, url, filter_url):
    client = sign_in(cast.lead)
    assert client.post(url).status_code == client.get(filter_url).status_code == 405


def test_a_filter_from_another_site_is_refused(cast, filter_url):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.lead, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(filter_url, {"text": "x"}).status_code == 403


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_who_is_not_signed_in_goes_to_the_sign_in_page(client, url, filter_url, headers):
    assert client.get(url, headers=headers)["Location"] == f"/accounts/login/?next={url}"
    assert client.post(filter_url, headers=headers)["Location"] == f"/accounts/login/?next={filter_url}"


def everyway(client, url, headers):
    return [client.get(url, headers=headers), client.post(f"{url}filter/", {"text": "x"}, headers=headers)]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_foreign_workspace_looks_like_one_that_does_not_exist(cast, sign_in, anna, url, events, headers):
    client = sign_in(cast.outsider)
    pairs = zip(everyway(client, url, headers), everyway(client, f"/w/nowhere/timeline/{anna}/", headers), strict=True)
    for foreign, unknown in pairs:
        assert foreign.status_code == unknown.status_code == 404 and lasting(foreign) == lasting(unknown)


def test_a_foreign_customer_looks_like_one_that_does_not_exist(cast, sign_in, anna, events):
    client, base = sign_in(cast.outsider), f"/w/{cast.elsewhere.slug}/timeline"
    for foreign, unknown in zip(
        everyway(client, f"{base}/{anna}/", HTMX), everyway(client, f"{base}/{uuid4()}/", HTMX), strict=True
    ):
        assert foreign.status_code == unknown.status_code == 404 and lasting(foreign) == lasting(unknown)
    assert not SearchHandle.objects.exists()


def test_rights_without_the_right_to_open_the_workspace_open_nothing(cast, sign_in, url, events):
    user = make_user()
    grant(user, cast.workspace, "view_personal", "view_sensitive")
    for response in everyway(sign_in(user), url, HTMX):
        assert response.status_code == 404
