"""What becomes of a search on the way: handles, Back, other windows, ended sessions, failures."""

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, Route, expect

from customers.audit import LOOKUP
from customers.models import AuditEntry, User
from tests.browser.conftest import OpenAs
from tests.browser.stage import ANNA_EMAIL, MARKERS, Stage
from tests.browser.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # each opens pages in a real browser

ROWS = "#rows tr:not(.group, .more)"


def search(page: Page, text: str) -> str:
    """Search, and the address it has then."""
    page.fill("#q", text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/?v=*")
    return page.url


def is_found(page: Page, text: str) -> None:
    expect(page.locator("#q")).to_have_value(text)
    expect(page.locator(ROWS)).to_have_count(1)


def test_back_forward_reload_and_a_new_tab_restore_the_search(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.lead, stage.list_path)
    address = search(page, ANNA_EMAIL)
    is_found(page, ANNA_EMAIL)
    page.locator(f"{ROWS} a").first.click()
    page.wait_for_url("**" + stage.profile_path())
    page.go_back()
    is_found(page, ANNA_EMAIL)
    page.reload()
    is_found(page, ANNA_EMAIL)
    page.go_forward()
    expect(page.locator("h1")).to_contain_text("Customer")
    page.go_back()
    page.go_back()
    expect(page).to_have_url(stage.url + stage.list_path)
    expect(page.locator(ROWS)).to_have_count(50)
    is_found(open_as(stage.cast.lead, address), ANNA_EMAIL)


def test_the_view_of_somebody_else_says_so_and_offers_a_fresh_one(open_as: OpenAs, stage: Stage, watch: Watch):
    watch.expect(410)
    address = search(open_as(stage.cast.lead, stage.list_path), ANNA_EMAIL)
    page = open_as(stage.cast.privacy, address)
    expect(page.locator("h1")).to_have_text("This view belongs to another person")
    assert not [marker for marker in MARKERS if marker in page.content()]
    page.get_by_role("link", name="Start fresh").click()
    expect(page).to_have_url(stage.url + stage.list_path)


def test_a_session_that_ended_leads_to_the_sign_in_page(open_as: OpenAs, newcomer: User, stage: Stage):
    page = open_as(newcomer, stage.list_path)
    Session.objects.filter(pk__in=[one["value"] for one in page.context.cookies()]).delete()
    page.fill("#q", "NL-204118")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.fill("#id_login", newcomer.username)
    page.fill("#id_password", "correct horse battery")
    page.keyboard.press("Enter")
    expect(page).to_have_url(stage.url + stage.list_path)


def test_after_signing_out_back_shows_nothing(open_as: OpenAs, newcomer: User, stage: Stage):
    page = open_as(newcomer, stage.profile_path())
    page.locator(".account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_failed_search_keeps_the_rows_and_can_be_tried_again(open_as: OpenAs, stage: Stage, watch: Watch):
    watch.expect(503)

    def fail(route: Route) -> None:
        headers = {"X-Request-Id": "0123abcd", "Content-Type": "text/html"}
        route.fulfill(status=503, headers=headers, body="<!doctype html><title>Busy</title><h1>Busy</h1>")

    page = open_as(stage.cast.lead, stage.list_path)
    page.route("**/customers/search/", fail)
    page.fill("#q", ANNA_EMAIL)
    page.keyboard.press("Enter")
    panel = page.get_by_role("alert")
    expect(panel).to_contain_text("The server did not answer")
    expect(panel).to_contain_text("0123abcd")
    expect(page.locator(ROWS)).to_have_count(50)
    page.unroute("**/customers/search/")
    page.get_by_role("button", name="Retry").click()
    is_found(page, ANNA_EMAIL)
    expect(panel).to_have_count(0)


def use_up_lookups(user: User) -> None:
    """As many as a minute has."""
    AuditEntry.objects.bulk_create(AuditEntry(user_id=user.pk, face="ui", action=LOOKUP) for _ in range(60))


def test_whoever_has_used_up_the_look_ups_is_told_to_wait(open_as: OpenAs, newcomer: User, stage: Stage, watch: Watch):
    watch.expect(429)
    use_up_lookups(newcomer)
    page = open_as(newcomer, stage.list_path)
    page.fill("#q", ANNA_EMAIL)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Slow down for a moment")
    expect(page.locator(ROWS)).to_have_count(50)
