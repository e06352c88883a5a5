"""Searching from the page: text in the body, an opaque handle in the address."""

import logging

import pytest
from django.test import Client
from django.utils import timezone

from customers.identifiers import suppression_digest
from customers.models import AuditEntry, IdentifierKind, SearchHandle, SuppressedIdentifier
from tests.factories import make_customer
from tests.pages import HTMX, WHOLE_PAGE, given_away, is_kept_private, is_whole, lasting, text_of

EMAIL = "anna.canary@fjord.example"


@pytest.fixture
def url(cast):
    return f"/w/{cast.workspace.slug}/customers/search/"


@pytest.fixture
def listed(cast):
    return f"/w/{cast.workspace.slug}/customers/"


# --- Finding -----------------------------------------------------------------------------------


def test_htmx_gets_the_results_alone(cast, sign_in, url, anna):
    response = sign_in(cast.lead).post(url, {"q": "canarius"}, headers=HTMX)
    assert response.status_code == 200 and not is_whole(response)
    assert text_of(response).strip().startswith('<div id="results"')
    assert str(anna) in text_of(response) and "1 found" in text_of(response)


def test_the_reason_of_a_match_stands_under_the_row_and_the_match_is_marked(cast, sign_in, url, anna):
    page = text_of(sign_in(cast.lead).post(url, {"q": "canarius"}, headers=HTMX))
    assert "matched name" in page and "<mark>Canarius</mark>" in page


def test_exact_and_partial_matches_have_their_own_headings(cast, sign_in, url, anna):
    make_customer(cast.workspace, identifiers={"external_id": "NL-204118-B"})
    page = text_of(sign_in(cast.lead).post(url, {"q": "NL-204118"}, headers=HTMX))
    assert page.index("Exact identifier") < page.index(str(anna)) < page.index("Partial matches")


def test_support_finds_by_the_whole_identifier_and_still_sees_masks(cast, sign_in, url, anna):
    response = sign_in(cast.support).post(url, {"q": EMAIL}, headers=HTMX)
    page = text_of(response).replace(EMAIL, "")
    assert str(anna) in page and "matched e-mail" in page and "59 look-ups left" in page
    assert "canary" not in page.casefold() and "******" in page


@pytest.mark.parametrize("text", ["anna.canary", "Canarius", "fjord", "DE-CANARY", "canary-pin"])
def test_support_finds_nobody_by_a_part_of_a_private_value(cast, sign_in, url, anna, text):
    page = text_of(sign_in(cast.support).post(url, {"q": text}, headers=HTMX))
    assert "Nobody found" in page and str(anna) not in page


def test_who_finds_nobody_is_told_where_was_looked(cast, sign_in, url, anna):
    for person, names in ((cast.lead, True), (cast.support, False)):
        page = text_of(sign_in(person).post(url, {"q": "nobody"}, headers=HTMX))
        assert "E-mail (whole)" in page and "Customer no. (beginning)" in page and "E-mail (beginning)" not in page
        assert ("names and other searchable properties" in page) is names


def test_a_suppressed_identifier_says_since_when_and_shows_no_profile(cast, sign_in, url):
    kind = IdentifierKind.objects.get(workspace=cast.workspace, name="email")
    SuppressedIdentifier.objects.create(
        workspace_id=cast.workspace.pk, kind_id=kind.pk, at=timezone.now(),
        digest=suppression_digest(cast.workspace.pk, kind.pk, "gone@x.example"),
    )  # fmt: skip
    make_customer(cast.workspace)
    page = text_of(sign_in(cast.support).post(url, {"q": "gone@x.example"}, headers=HTMX))
    assert "This identifier is suppressed since" in page and "<table" not in page


def test_text_from_outside_is_shown_as_text(cast, sign_in, url):
    make_customer(cast.workspace, properties={"name": "<script>alert(1)</script> Eve"})
    page = text_of(sign_in(cast.lead).post(url, {"q": "<script>"}, headers=HTMX))
    assert "<script" not in page and "<mark>&lt;script&gt;</mark>alert(1)&lt;/script&gt; Eve" in page


# --- The address -------------------------------------------------------------------------------


def test_the_address_gets_a_handle_and_nothing_of_the_text(cast, sign_in, url, listed, anna):
    response = sign_in(cast.lead).post(url, {"q": EMAIL}, headers=HTMX)
    handle = SearchHandle.objects.get().pk
    assert response["HX-Push-Url"] == f"{listed}?v={handle}"
    assert "canary" not in str(dict(response.items()))


def test_what_was_searched_for_is_stored_sealed(cast, sign_in, url, anna):
    sign_in(cast.lead).post(url, {"q": EMAIL}, headers=HTMX)
    row = SearchHandle.objects.get()
    assert (row.user_id, row.workspace_id) == (cast.lead.pk, cast.workspace.pk)
    assert b"canary" not in bytes(row.sealed)


def test_two_searches_for_the_same_have_different_handles(cast, sign_in, url):
    pushed = {sign_in(cast.lead).post(url, {"q": "same"}, headers=HTMX)["HX-Push-Url"] for _ in range(3)}
    assert len(pushed) == 3


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_search_leads_back_to_the_plain_list(cast, sign_in, url, listed, anna, text):
    response = sign_in(cast.lead).post(url, {"q": text}, headers=HTMX)
    assert response["HX-Push-Url"] == listed and "1 customer" in text_of(response)
    assert not SearchHandle.objects.exists()


@pytest.mark.parametrize("headers", WHOLE_PAGE)
def test_without_htmx_a_search_leads_to_its_address(cast, sign_in, url, listed, anna, headers):
    response = sign_in(cast.lead).post(url, {"q": EMAIL}, headers=headers)
    assert response.status_code == 302 and response["Location"] == f"{listed}?v={SearchHandle.objects.get().pk}"
    assert not given_away(response)


def test_the_text_of_a_search_is_not_in_the_log(cast, sign_in, url, anna, caplog):
    with caplog.at_level(logging.DEBUG):
        sign_in(cast.lead).post(url, {"q": EMAIL}, headers=HTMX)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("rolodesk")]
    assert ours and "customers/search/" in ours[-1] and "canary" not in "".join(ours)


def test_answers_are_kept_by_nobody_and_differ_for_htmx(cast, sign_in, url, anna):
    for headers in ({}, HTMX):
        assert is_kept_private(sign_in(cast.support).post(url, {"q": "nobody"}, headers=headers))


# --- Errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["x" * 201, "a\0b"])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_invalid_search_is_told_so_in_the_form(cast, sign_in, url, anna, text, headers):
    response = sign_in(cast.lead).post(url, {"q": text}, headers=headers)
    assert response.status_code == 422 and is_whole(response) is not bool(headers)
    assert 'role="alert"' in text_of(response) and "HX-Push-Url" not in response
    assert not SearchHandle.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_who_has_used_up_the_look_ups_is_asked_to_wait(cast, sign_in, url, anna, settings, headers):
    settings.LOOKUPS_PER_MINUTE = 1
    client = sign_in(cast.support)
    client.post(url, {"q": "first@x.example"}, headers=HTMX)
    response = client.post(url, {"q": EMAIL}, headers=headers, follow=True)
    assert response.status_code == 429 and is_whole(response) is not bool(headers)
    assert "Slow down for a moment" in text_of(response) and str(anna) not in text_of(response)
    assert not given_away(response)


def test_a_look_up_that_cannot_be_audited_finds_nobody(cast, sign_in, url, anna, monkeypatch):
    def refuse(**_fields):
        raise RuntimeError("audit unavailable")

    monkeypatch.setattr(AuditEntry.objects, "create", refuse)
    client = sign_in(cast.support)
    client.raise_request_exception = False
    response = client.post(url, {"q": EMAIL}, headers=HTMX)
    assert response.status_code == 500 and str(anna) not in text_of(response) and not given_away(response)


# --- Who is refused ----------------------------------------------------------------------------


def test_a_search_is_never_a_get(cast, sign_in, url):
    assert sign_in(cast.lead).get(url, {"q": "x"}).status_code == 405


def test_a_search_from_another_site_is_refused(cast, url):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.lead, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(url, {"q": "x"}).status_code == 403
    assert not SearchHandle.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_who_is_not_signed_in_goes_to_the_sign_in_page(client, url, headers):
    response = client.post(url, {"q": EMAIL}, headers=headers)
    assert response.status_code == 302 and response["Location"] == f"/accounts/login/?next={url}"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_foreign_workspace_looks_like_one_that_does_not_exist(cast, sign_in, url, anna, headers):
    client = sign_in(cast.outsider)
    foreign = client.post(url, {"q": EMAIL}, headers=headers)
    unknown = client.post("/w/nowhere/customers/search/", {"q": EMAIL}, headers=headers)
    assert foreign.status_code == unknown.status_code == 404
    assert lasting(foreign) == lasting(unknown) and not given_away(foreign)
    assert not AuditEntry.objects.exists() and not SearchHandle.objects.exists()
