"""The customer list, and the stored searches behind its address."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from customers.models import AuditEntry, Customer, SearchHandle
from tests.factories import grant, make_customer, make_segment, make_user
from tests.pages import HTMX, PERSONAL_VALUES, WHOLE_PAGE, given_away, is_kept_private, is_whole, lasting, text_of


def url_of(workspace):
    return f"/w/{workspace.slug}/customers/"


@pytest.fixture
def url(cast):
    return url_of(cast.workspace)


def make_crowd(workspace, count):
    now = timezone.now()
    return [make_customer(workspace, last_seen=now - timedelta(minutes=n)) for n in range(count)]


def next_url(response):
    """The address behind "Load more"."""
    _before, mark, rest = text_of(response).partition('hx-get="')
    return rest.partition('"')[0].replace("&amp;", "&") if mark and "Load more" in rest else ""


# --- What is shown -----------------------------------------------------------------------------


def test_a_lead_sees_values(cast, sign_in, url, anna):
    page = text_of(sign_in(cast.lead).get(url))
    for value in ("NL-204118", "anna.canary@fjord.example", "Anna Canarius", anna.hex[-6:], "1 customer"):
        assert value in page


def test_support_sees_masks_and_never_a_value(cast, sign_in, url, anna):
    for headers in ({}, HTMX):
        response = sign_in(cast.support).get(url, headers=headers)
        assert not given_away(response)
        assert "******" in text_of(response) and "NL-204118" in text_of(response)


def test_nothing_of_a_restricted_customer_is_shown_even_to_a_lead(cast, sign_in, url, anna):
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    response = sign_in(cast.lead).get(url)
    assert not given_away(response, (*PERSONAL_VALUES, "NL-204118"))
    assert "Restricted" in text_of(response) and anna.hex[-6:] in text_of(response)


def test_customers_of_another_workspace_are_not_listed(cast, sign_in, url, anna):
    page = text_of(sign_in(cast.outsider).get(url_of(cast.elsewhere)))
    assert str(anna) not in page and "No customers yet" in page


def test_an_empty_workspace_shows_how_to_send_the_first_customer(cast, sign_in, url):
    page = text_of(sign_in(cast.support).get(url))
    assert "curl -u SITE_ID:API_KEY" in page and 'id="q"' not in page


def test_a_row_shows_two_segments_and_how_many_there_are(cast, sign_in, url, anna):
    for name in ("Regulars", "Newsletter", "Winter"):
        make_segment(cast.workspace, name, anna)
    page = text_of(sign_in(cast.support).get(url))
    assert page.count('<span class="tag"') == 2 and '<span class="count">3</span>' in page


def test_no_value_stands_in_the_title(cast, sign_in, url, anna):
    assert "<title>Customers · Rolodesk</title>" in text_of(sign_in(cast.lead).get(url))


# --- The audit ---------------------------------------------------------------------------------


def test_what_a_lead_is_shown_is_in_the_audit_with_route_and_request(cast, sign_in, url, anna):
    response = sign_in(cast.lead).get(url)
    entry = AuditEntry.objects.get(action="personal.shown")
    assert (entry.user_id, entry.workspace_id, entry.customer_ids) == (cast.lead.pk, cast.workspace.pk, [anna])
    assert (entry.face, entry.route, entry.request_id) == ("ui", "customers:list", response["X-Request-Id"])


def test_a_page_of_masks_leaves_no_trace_in_the_audit(cast, sign_in, url, anna):
    sign_in(cast.support).get(url)
    assert not AuditEntry.objects.exists()


def test_nothing_is_shown_when_the_audit_cannot_be_written(cast, sign_in, url, anna, monkeypatch):
    def refuse(**_fields):
        raise RuntimeError("audit unavailable")

    monkeypatch.setattr(AuditEntry.objects, "create", refuse)
    client = sign_in(cast.lead)
    client.raise_request_exception = False
    response = client.get(url)
    assert response.status_code == 500 and not given_away(response)


# --- Page or region ----------------------------------------------------------------------------


def test_htmx_gets_the_results_alone(cast, sign_in, url, anna):
    response = sign_in(cast.support).get(url, headers=HTMX)
    assert response.status_code == 200 and not is_whole(response)
    assert text_of(response).strip().startswith('<div id="results"')


@pytest.mark.parametrize("headers", WHOLE_PAGE)
def test_everybody_else_gets_the_whole_page(cast, sign_in, url, anna, headers):
    response = sign_in(cast.support).get(url, headers=headers)
    assert is_whole(response) and 'id="results"' in text_of(response)


def test_answers_are_kept_by_nobody_and_differ_for_htmx(cast, sign_in, url, anna):
    for headers in ({}, HTMX):
        response = sign_in(cast.support).get(url, headers=headers)
        assert is_kept_private(response)
        assert "ETag" not in response


def test_only_reading_is_allowed(cast, sign_in, url):
    assert sign_in(cast.lead).post(url).status_code == 405


# --- Paging ------------------------------------------------------------------------------------


def test_load_more_appends_the_rows_that_follow(cast, sign_in, url):
    everybody = make_crowd(cast.workspace, 51)
    client = sign_in(cast.support)
    more = next_url(client.get(url))
    response = client.get(more, headers=HTMX)
    assert text_of(response).count("<tr>") == 1 and str(everybody[-1]) in text_of(response)
    assert "<table" not in text_of(response) and "That is everybody." in text_of(response)


def test_load_more_without_script_is_a_page(cast, sign_in, url):
    everybody = make_crowd(cast.workspace, 51)
    client = sign_in(cast.support)
    response = client.get(next_url(client.get(url)))
    assert is_whole(response) and str(everybody[-1]) in text_of(response) and str(everybody[0]) not in text_of(response)


def test_the_last_page_offers_no_more(cast, sign_in, url):
    make_crowd(cast.workspace, 50)
    response = sign_in(cast.support).get(url)
    assert not next_url(response) and "50 customers" in text_of(response)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_cursor_that_was_not_given_to_this_person_is_refused(cast, sign_in, url, headers):
    make_crowd(cast.workspace, 51)
    more = next_url(sign_in(cast.support).get(url))
    assert sign_in(cast.lead).get(more, headers=headers).status_code == 410
    assert sign_in(cast.lead).get(f"{url}?after=forged", headers=headers).status_code == 410


# --- Stored searches ---------------------------------------------------------------------------


def stored_search(client, url, text):
    """The address of a search, as the browser has it afterwards."""
    return client.post(f"{url}search/", {"q": text})["Location"]


def test_the_address_of_a_search_brings_its_results_back(cast, sign_in, url, anna):
    make_crowd(cast.workspace, 2)
    client = sign_in(cast.lead)
    page = text_of(client.get(stored_search(client, url, "canarius")))
    assert "1 found" in page and str(anna) in page and 'value="canarius"' in page


def test_paging_through_a_search_names_handle_and_cursor_only(cast, sign_in, url):
    for n in range(51):
        make_customer(cast.workspace, properties={"name": f"Lindqvist {n}"})
    client = sign_in(cast.lead)
    more = next_url(client.get(stored_search(client, url, "lindqvist")))
    assert more.startswith(f"{url}?v=") and "lindqvist" not in more.casefold()
    assert text_of(client.get(more, headers=HTMX)).count("<tr>") == 1


def refused_addresses(client, cast, url):
    """Addresses of searches that are not, or no longer, this person's."""
    mine = stored_search(client, url, "canarius")
    yield f"{url}?v=unknown"
    yield f"{url}?v=%00"
    yield f"{url}?v={'x' * 3000}"
    grant(cast.lead, cast.elsewhere, "view_workspace")
    yield mine.replace(cast.workspace.slug, cast.elsewhere.slug)
    SearchHandle.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    yield mine


def test_unknown_expired_and_misplaced_handles_are_refused_alike(cast, sign_in, url, anna):
    client = sign_in(cast.lead)
    for address in refused_addresses(client, cast, url):
        response = client.get(address)
        assert response.status_code == 410, address
        assert "This view belongs to another person" in text_of(response) and not given_away(response)


def test_the_handle_of_somebody_else_is_refused_with_a_way_to_start_fresh(cast, sign_in, url, anna):
    address = stored_search(sign_in(cast.lead), url, "anna.canary@fjord.example")
    response = sign_in(cast.privacy).get(address)
    assert response.status_code == 410 and is_whole(response) and not given_away(response)
    assert f'href="{url}">Start fresh' in text_of(response)
    panel = sign_in(cast.privacy).get(address, headers=HTMX)
    assert panel.status_code == 410 and not is_whole(panel) and 'role="alert"' in text_of(panel)


# --- Who is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_who_is_not_signed_in_goes_to_the_sign_in_page(client, cast, url, anna, headers):
    response = client.get(url, headers=headers)
    assert response.status_code == 302 and response["Location"] == f"/accounts/login/?next={url}"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_foreign_workspace_looks_like_one_that_does_not_exist(cast, sign_in, url, anna, headers):
    client = sign_in(cast.outsider)
    foreign, unknown = client.get(url, headers=headers), client.get("/w/nowhere/customers/", headers=headers)
    assert foreign.status_code == unknown.status_code == 404
    assert lasting(foreign) == lasting(unknown)
    assert foreign.headers.keys() == unknown.headers.keys() and is_kept_private(foreign)


def test_rights_without_the_right_to_open_the_workspace_open_nothing(cast, sign_in, url, anna):
    user = make_user()
    grant(user, cast.workspace, "view_personal", "view_sensitive", "edit")
    assert sign_in(user).get(url).status_code == 404


def test_a_revoked_grant_closes_the_list_at_once(cast, sign_in, url, anna):
    client = sign_in(cast.support)
    assert client.get(url).status_code == 200
    cast.support.workspaceusergrant_set.all().delete()
    assert client.get(url).status_code == 404


def test_the_number_of_statements_does_not_grow_with_the_rows(cast, sign_in, url, django_assert_max_num_queries):
    client = sign_in(cast.lead)
    for rows in (1, 10, 40):
        for n in range(rows):
            make_customer(
                cast.workspace, identifiers={"email": f"{rows}.{n}@{uuid4().hex}.example"}, properties={"name": "N"}
            )
        with django_assert_max_num_queries(30):
            assert client.get(url).status_code == 200
