"""The tabs of the profile, and the card about consent."""

import re

import pytest

from customers import paging, panels
from customers.models import AuditEntry, Customer
from tests.factories import (
    make_change,
    make_customer,
    make_delivery,
    make_device,
    make_object,
    make_relationship,
    make_subscription,
    make_topic,
)
from tests.pages import HTMX, WHOLE_PAGE, given_away, is_kept_private, is_whole, text_of

TABS = ["messages", "subscriptions", "devices", "objects", "changes"]
PAGED = ["messages", "devices", "objects", "changes"]
CANARIES = ["canary-token", "canary-model", "canary-key", "canary-seat", "canary-role", "canary-delivery", "canary-old"]
EMPTY = {
    "messages": "No messages", "devices": "No devices", "objects": "Belongs to no object",
    "changes": "No changes yet", "subscriptions": "No topics yet",
}  # fmt: skip


@pytest.fixture
def url(cast, anna):
    return f"/w/{cast.workspace.slug}/customers/{anna}/"


@pytest.fixture
def full(cast, anna):
    """Something in every tab."""
    make_device(anna, "canary-token", raw_attributes={"model": "canary-model"})
    row = make_object(cast.workspace, "canary-key", seat="canary-seat")
    make_relationship(anna, row, role="canary-role")
    make_delivery(anna, "canary-delivery", channel="sms", last_metric="clicked")
    make_topic(cast.workspace, 1, "News", description="Monthly")
    make_topic(cast.workspace, 2, "Offers")
    make_subscription(anna, 0, is_subscribed=False)
    make_subscription(anna, 1, is_subscribed=True)
    make_change(anna, "note", "canary-old", "canary-undeclared", failure="")
    make_change(anna, "email", None, "anna.canary@fjord.example", part="identifier", failure="taken")


def more_url(response):
    found = re.search(r'hx-get="([^"]+after=[^"]+)"', text_of(response))
    return found[1].replace("&amp;", "&") if found else ""


def test_tabs_stand_in_the_order_of_the_specification():
    wanted = ["timeline", "properties", "segments", *TABS]
    assert [tab.key for tab in panels.tabs() if tab.key in wanted] == wanted


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("headers", WHOLE_PAGE)
def test_each_tab_is_a_page_of_its_own(cast, sign_in, url, full, tab, headers):
    response = sign_in(cast.support).get(f"{url}{tab}/", headers=headers)
    assert response.status_code == 200 and is_whole(response) and is_kept_private(response)
    assert f'id="tab-{tab}"' in text_of(response)
    current = re.findall(r'id="tab-(\w+)"[^>]*aria-current="page"', text_of(response))
    assert current == [tab]


@pytest.mark.parametrize("tab", TABS)
def test_htmx_gets_the_tab_alone(cast, sign_in, url, full, tab):
    response = sign_in(cast.support).get(f"{url}{tab}/", headers=HTMX)
    assert response.status_code == 200 and not is_whole(response)
    assert text_of(response).strip().startswith('<div class="parts" id="tab">')


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_says_when_there_is_nothing(cast, sign_in, url, tab):
    assert EMPTY[tab] in text_of(sign_in(cast.support).get(f"{url}{tab}/"))


@pytest.mark.parametrize("tab", TABS)
def test_nothing_personal_of_a_tab_reaches_support(cast, sign_in, url, full, tab):
    client = sign_in(cast.support)
    for headers in ({}, HTMX):
        response = client.get(f"{url}{tab}/", headers=headers)
        assert given_away(response, [*CANARIES, "anna.canary", "canary-undeclared"]) == []
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("tab", "shown"),
    [
        ("devices", ["canary-token", "canary-model"]),
        ("objects", ["canary-key", "canary-seat", "canary-role"]),
        ("messages", ["canary-delivery", "SMS", "Clicked"]),
        ("changes", ["canary-old", "canary-undeclared", "anna.canary@fjord.example", "belongs to another customer"]),
        ("subscriptions", ["News", "Monthly", "Subscribed", "Unsubscribed", "Nothing said"]),
    ],
)
def test_a_lead_sees_what_is_there(cast, sign_in, url, full, tab, shown):
    text = text_of(sign_in(cast.lead).get(f"{url}{tab}/", headers=HTMX))
    assert [value for value in shown if value not in text] == []


@pytest.mark.parametrize("tab", TABS)
def test_even_support_sees_no_public_value_of_a_restricted_customer(cast, sign_in, url, anna, full, tab):
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    text = text_of(sign_in(cast.lead).get(f"{url}{tab}/", headers=HTMX))
    given = [value for value in [*CANARIES, "Subscribed<", "SMS", "iOS", "Clicked"] if value in text]
    assert given == [] and "******" in text


def fill(cast, customer, count):
    for n in range(count):
        make_device(customer, f"item-{n}")
        make_relationship(customer, make_object(cast.workspace, f"item-{n}"))
        make_delivery(customer, f"item-{n}")
        make_change(customer, "note", None, f"item-{n}")


@pytest.mark.parametrize("tab", PAGED)
def test_more_rows_come_alone_and_end(cast, sign_in, url, anna, tab, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 2)
    fill(cast, anna, 3)
    client = sign_in(cast.lead)
    next_url = more_url(client.get(f"{url}{tab}/"))
    assert next_url.startswith(f"{url}{tab}/?after=")
    response = client.get(next_url, headers=HTMX)
    text = text_of(response)
    assert not is_whole(response) and 'class="tabs"' not in text and 'id="more"' in text
    assert "item-2" in text and "item-1" not in text and "item-0" not in text
    assert more_url(response) == "" and "That is all." in text
    assert is_whole(client.get(next_url)), "without htmx it is the page again"


@pytest.mark.parametrize("tab", ["timeline", "subscriptions"])
def test_tabs_without_pages_take_no_cursor_for_a_part(cast, sign_in, url, tab):
    response = sign_in(cast.support).get(f"{url}{tab}/?after=", headers=HTMX)
    assert response.status_code == 200 and 'class="tabs"' in text_of(response)


@pytest.mark.parametrize("tab", PAGED)
def test_a_cursor_of_somebody_else_is_refused(cast, sign_in, url, anna, tab, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 1)
    fill(cast, anna, 2)
    next_url = more_url(sign_in(cast.lead).get(f"{url}{tab}/"))
    assert sign_in(cast.support).get(next_url, headers=HTMX).status_code == 410


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_does_not_exist_for_people_of_other_workspaces(cast, sign_in, url, tab):
    assert sign_in(cast.outsider).get(f"{url}{tab}/").status_code == 404


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_of_a_customer_that_is_gone_holds_nothing(cast, sign_in, url, anna, full, tab):
    Customer.objects.filter(pk=anna).update(state="deleted")
    response = sign_in(cast.privacy).get(f"{url}{tab}/")
    assert response.status_code == 200 and given_away(response, CANARIES) == []


def test_every_tab_also_stands_under_more_as_a_link(cast, sign_in, url):
    menu = text_of(sign_in(cast.support).get(url)).partition('<details class="pick">')[2].partition("</details>")[0]
    addresses = re.findall(r'<a href="([^"]+)"', menu)
    first, *others = [tab.key for tab in panels.tabs()]
    assert addresses == [url, *(f"{url}{key}/" for key in others)], first


# --- The card ------------------------------------------------------------------------------------


def card(response):
    text = text_of(response).partition(">Consent</h2>")[2].partition("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_the_card_tells_since_when_somebody_is_unsubscribed(cast, sign_in, url, full):
    text = card(sign_in(cast.support).get(url))
    assert re.fullmatch(r"All messages Unsubscribed since \d+ \w+ \d{4} Topics subscribed to 1 of 2", text), text


def test_the_card_tells_of_somebody_who_said_nothing_where_there_are_no_topics(cast, sign_in):
    customer = make_customer(cast.workspace)
    response = sign_in(cast.support).get(f"/w/{cast.workspace.slug}/customers/{customer}/")
    assert card(response) == "All messages Nothing said"


def test_the_card_of_a_restricted_customer_is_masked(cast, sign_in, url, anna, full):
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    assert card(sign_in(cast.lead).get(url)) == "All messages ****** All messages hidden Topics ****** Topics hidden"
