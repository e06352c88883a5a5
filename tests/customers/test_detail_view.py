"""The profile page and its tabs."""

from uuid import uuid4

import pytest
from django.utils import timezone

from customers.models import AuditEntry, Customer
from tests.factories import declare, grant, grant_on_segment, make_customer, make_event, make_segment, make_user
from tests.pages import (
    HTMX,
    PERSONAL_VALUES,
    PRIVATE_VALUES,
    SECRET_VALUES,
    SENSITIVE_VALUES,
    WHOLE_PAGE,
    given_away,
    is_kept_private,
    is_whole,
    lasting,
    text_of,
)
from tracking.models import EventDefinition

TABS = ["", "timeline/", "properties/", "segments/"]


@pytest.fixture
def url(cast, anna):
    return f"/w/{cast.workspace.slug}/customers/{anna}/"


def make_purchase(workspace, customer, amount):
    """A purchase whose amount everybody may see."""
    definition, _ = EventDefinition.objects.get_or_create(workspace=workspace, kind="event", name="Purchase")
    EventDefinition.objects.filter(pk=definition.pk).update(revenue_property="revenue")
    return make_event(workspace, customer, "Purchase", revenue=amount)


# --- What is shown -----------------------------------------------------------------------------


def test_a_lead_sees_personal_values_and_neither_sensitive_nor_secret_ones(cast, sign_in, url):
    for tab in ("", "properties/"):
        response = sign_in(cast.lead).get(url + tab)
        assert not given_away(response, SENSITIVE_VALUES + SECRET_VALUES)
        for value in ("NL-204118", "anna.canary@fjord.example", "+4930231250881", "Anna Canarius", "gold"):
            assert value in text_of(response), (tab, value)
        assert "2 values of this customer" in text_of(response)


def test_sensitive_rights_show_sensitive_values_and_no_secret(cast, sign_in, url):
    response = sign_in(cast.privacy).get(f"{url}properties/")
    assert "DE-CANARY-IBAN" in text_of(response) and not given_away(response, SECRET_VALUES)


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_support_sees_masks_and_never_a_value(cast, sign_in, anna, url, tab, headers):
    make_event(cast.workspace, anna, "Note", text="Anna Canarius wrote")
    response = sign_in(cast.support).get(url + tab, headers=headers)
    assert response.status_code == 200 and not given_away(response)
    assert "******" in text_of(response) or tab == "segments/"


def test_the_page_says_how_many_values_are_hidden(cast, sign_in, url):
    assert "6 values of this customer. Ask a lead if the case needs them." in text_of(sign_in(cast.support).get(url))


def test_a_page_without_hidden_values_says_nothing_about_privacy(cast, sign_in):
    customer = make_customer(cast.workspace, properties={"plan": "gold"})
    page = text_of(sign_in(cast.support).get(f"/w/{cast.workspace.slug}/customers/{customer}/"))
    assert "Personal data is hidden" not in page and "gold" in page


def test_a_grant_on_a_segment_opens_the_profiles_of_its_members(cast, sign_in, anna, url):
    grant_on_segment(cast.support, make_segment(cast.workspace, "Queue", anna, is_access_scope=True))
    assert "anna.canary@fjord.example" in text_of(sign_in(cast.support).get(url))


@pytest.mark.parametrize("tab", TABS)
def test_a_restricted_customer_is_masked_for_every_grant_on_the_workspace(cast, sign_in, anna, url, tab):
    make_purchase(cast.workspace, anna, 4711)
    declare(cast.workspace, "revenue", entity="event:Purchase", data_class=0)
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    for person in (cast.lead, cast.privacy, cast.root):
        response = sign_in(person).get(url + tab)
        assert not given_away(response, (*PRIVATE_VALUES, "NL-204118", "gold", "4,711", "4711"))
        assert "Restricted" in text_of(response)


def test_the_title_holds_the_short_id_only(cast, sign_in, anna, url):
    page = text_of(sign_in(cast.lead).get(url))
    assert f"<title>Customer {anna.hex[-6:]} · Rolodesk</title>" in page


def test_text_from_outside_is_shown_as_text(cast, sign_in):
    hostile = '"><img src=x onerror=alert(1)>'
    customer = make_customer(cast.workspace, properties={"name": hostile, hostile: hostile, "plan": hostile})
    for tab in ("", "properties/"):
        page = text_of(sign_in(cast.lead).get(f"/w/{cast.workspace.slug}/customers/{customer}/{tab}"))
        assert "<img" not in page and "onerror=alert(1)&gt;" in page


def test_the_value_card_counts_orders(cast, sign_in, anna, url):
    make_purchase(cast.workspace, anna, 100)
    make_purchase(cast.workspace, anna, 50)
    declare(cast.workspace, "revenue", entity="event:Purchase", data_class=0)
    page = text_of(sign_in(cast.support).get(url))
    assert "€150.00" in page and "2 orders, €75.00 on average" in page


def test_the_value_card_hides_amounts_that_nobody_has_declared_public(cast, sign_in, anna, url):
    make_purchase(cast.workspace, anna, 4711)
    page = text_of(sign_in(cast.support).get(url))
    assert "4,711" not in page and "1 order" not in page and "Lifetime value hidden" in page


def test_segments_stand_beside_the_profile_and_in_their_tab(cast, sign_in, anna, url):
    make_segment(cast.workspace, "Regulars", anna)
    make_segment(cast.workspace, "Strangers")
    for tab in ("", "segments/"):
        page = text_of(sign_in(cast.support).get(url + tab))
        assert "Regulars" in page and "Strangers" not in page


def test_a_customer_of_whom_nothing_is_known_has_a_page(cast, sign_in):
    base = f"/w/{cast.workspace.slug}/customers/{make_customer(cast.workspace)}/"
    client = sign_in(cast.support)
    assert "No events yet" in text_of(client.get(base)) and "None yet." in text_of(client.get(base))
    assert "No properties yet" in text_of(client.get(f"{base}properties/"))
    assert "None of the segments that you may see" in text_of(client.get(f"{base}segments/"))


# --- Gone --------------------------------------------------------------------------------------


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_merged_customer_leads_to_the_one_he_lives_on_in(cast, sign_in, anna, url, tab, headers):
    survivor = make_customer(cast.workspace)
    make_event(cast.workspace, anna, "Note", text="Anna Canarius wrote")
    Customer.objects.filter(pk=anna).update(state="merged", merged_into=survivor)
    response = sign_in(cast.privacy).get(url + tab, headers=headers)
    assert response.status_code == 200 and not given_away(response, (*PRIVATE_VALUES, "NL-204118", "gold"))
    assert (f"/customers/{survivor}/" in text_of(response)) is not bool(headers)


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_deleted_customer_has_a_page_without_values(cast, sign_in, anna, url, tab, headers):
    make_event(cast.workspace, anna, "Note", text="Anna Canarius wrote")
    make_segment(cast.workspace, "Regulars", anna)
    Customer.objects.filter(pk=anna).update(state="deleted")
    response = sign_in(cast.privacy).get(url + tab, headers=headers)
    gone = (*PRIVATE_VALUES, "NL-204118", "gold", "Regulars", "Note")
    assert response.status_code == 200 and not given_away(response, gone)
    assert ("This customer was deleted" in text_of(response)) is not bool(headers)


# --- The audit ---------------------------------------------------------------------------------


def test_what_a_lead_is_shown_is_in_the_audit(cast, sign_in, anna, url):
    response = sign_in(cast.lead).get(url)
    entry = AuditEntry.objects.get(action="personal.shown")
    assert (entry.user_id, entry.customer_ids, entry.route) == (cast.lead.pk, [anna], "customers:detail")
    assert entry.request_id == response["X-Request-Id"]
    assert not [value for value in PRIVATE_VALUES if value in str(entry.data)]


def test_the_audit_names_the_classes_that_were_shown(cast, sign_in, url):
    for person, classes in ((cast.lead, [1]), (cast.privacy, [1, 2])):
        sign_in(person).get(f"{url}properties/")
        assert AuditEntry.objects.filter(user_id=person.pk).latest("at").classes == classes


def test_a_page_of_masks_leaves_no_trace_in_the_audit(cast, sign_in, url):
    sign_in(cast.support).get(url)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("tab", TABS)
def test_nothing_is_shown_when_the_audit_cannot_be_written(cast, sign_in, url, tab, monkeypatch):
    def refuse(**_fields):
        raise RuntimeError("audit unavailable")

    monkeypatch.setattr(AuditEntry.objects, "create", refuse)
    client = sign_in(cast.lead)
    client.raise_request_exception = False
    response = client.get(url + tab)
    assert response.status_code == 500 and not given_away(response)


# --- Page or region ----------------------------------------------------------------------------


@pytest.mark.parametrize("tab", TABS)
def test_htmx_gets_the_tab_alone(cast, sign_in, url, tab):
    response = sign_in(cast.lead).get(url + tab, headers=HTMX)
    assert not is_whole(response) and text_of(response).strip().startswith('<div class="parts" id="tab">')
    assert text_of(response).count('aria-current="page"') == 1


@pytest.mark.parametrize("headers", WHOLE_PAGE)
@pytest.mark.parametrize("tab", TABS)
def test_everybody_else_gets_the_whole_page(cast, sign_in, url, tab, headers):
    response = sign_in(cast.lead).get(url + tab, headers=headers)
    assert is_whole(response) and 'id="tab"' in text_of(response) and "Identifiers</h2>" in text_of(response)


def test_each_tab_has_an_address_and_the_first_is_the_profile_itself(cast, sign_in, url):
    page = text_of(sign_in(cast.lead).get(url))
    for label, address in (("timeline", url), ("properties", f"{url}properties/"), ("segments", f"{url}segments/")):
        assert f'<a href="{address}"\n                 id="tab-{label}"' in page


def test_answers_are_kept_by_nobody_and_differ_for_htmx(cast, sign_in, url):
    for headers in ({}, HTMX):
        response = sign_in(cast.lead).get(url, headers=headers)
        assert is_kept_private(response) and "ETag" not in response


def test_only_reading_is_allowed(cast, sign_in, url):
    for tab in TABS:
        assert sign_in(cast.lead).post(url + tab).status_code == 405


# --- Who is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_who_is_not_signed_in_goes_to_the_sign_in_page(client, url, tab, headers):
    response = client.get(url + tab, headers=headers)
    assert response.status_code == 302 and response["Location"] == f"/accounts/login/?next={url}{tab}"


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_foreign_workspace_looks_like_one_that_does_not_exist(cast, sign_in, anna, url, tab, headers):
    client = sign_in(cast.outsider)
    foreign = client.get(url + tab, headers=headers)
    unknown = client.get(f"/w/nowhere/customers/{anna}/{tab}", headers=headers)
    assert foreign.status_code == unknown.status_code == 404
    assert lasting(foreign) == lasting(unknown) and not given_away(foreign)


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_foreign_customer_looks_like_one_that_does_not_exist(cast, sign_in, anna, tab, headers):
    client, base, nobody = sign_in(cast.outsider), f"/w/{cast.elsewhere.slug}/customers", uuid4()
    foreign = client.get(f"{base}/{anna}/{tab}", headers=headers)
    unknown = client.get(f"{base}/{nobody}/{tab}", headers=headers)
    assert foreign.status_code == unknown.status_code == 404
    assert is_whole(foreign) is not bool(headers) and not given_away(foreign)
    assert without(foreign, anna) == without(unknown, nobody)


def without(response, customer):
    """The page but for its own address, where preferences lead back to."""
    page = lasting(response).replace(f'name="next" value="{response.request["PATH_INFO"]}', "")
    assert str(customer) not in page
    return page


@pytest.mark.parametrize("tail", ["unknown/", "admin/", "42/"])
def test_an_unknown_tab_is_not_found(cast, sign_in, url, tail):
    assert sign_in(cast.lead).get(url + tail).status_code == 404


def test_an_id_of_another_form_is_not_found(cast, sign_in):
    for text in ("42", "anna.canary@fjord.example", uuid4().hex.upper()):
        assert sign_in(cast.lead).get(f"/w/{cast.workspace.slug}/customers/{text}/").status_code == 404


def test_rights_without_the_right_to_open_the_workspace_open_nothing(cast, sign_in, url):
    user = make_user()
    grant(user, cast.workspace, "view_personal", "view_sensitive")
    assert sign_in(user).get(url).status_code == 404


def test_a_timeline_handle_of_somebody_else_is_refused(cast, sign_in, anna, url):
    filtered = f"/w/{cast.workspace.slug}/timeline/{anna}/filter/"
    address = sign_in(cast.lead).post(filtered, {"text": "x"})["Location"]
    assert sign_in(cast.lead).get(address).status_code == 200
    for headers in ({}, HTMX):
        response = sign_in(cast.privacy).get(address, headers=headers)
        assert response.status_code == 410 and not given_away(response, PERSONAL_VALUES)
        assert is_whole(response) is not bool(headers)


def test_a_profile_older_than_today_says_when_it_was_made(cast, sign_in):
    made = timezone.now().replace(year=2024, month=3, day=5)
    customer = make_customer(cast.workspace, last_seen=made)
    page = text_of(sign_in(cast.support).get(f"/w/{cast.workspace.slug}/customers/{customer}/"))
    assert "5 Mar 2024</time>" in page
