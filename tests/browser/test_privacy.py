"""What stays behind in a browser, and what it is told to load."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenAs
from tests.browser.measure import left_behind
from tests.browser.stage import ANNA_EMAIL, MARKERS, Stage
from tests.browser.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # each opens pages in a real browser


def test_nothing_of_what_was_seen_stays_in_the_browser(open_as: OpenAs, stage: Stage, watch: Watch):
    page = open_as(stage.cast.privacy, stage.list_path)
    page.fill("#q", ANNA_EMAIL)
    page.keyboard.press("Enter")
    expect(page.locator("#results")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".props").first).to_contain_text(ANNA_EMAIL)
    page.fill("#timeline-text", "canary")
    expect(page.locator("#timeline-list")).to_contain_text("No events match")
    page.get_by_role("link", name="Properties").click()
    expect(page.locator("#tab")).to_contain_text("DE-CANARY-IBAN")
    assert left_behind(page) == []
    page.go_back()
    expect(page.locator("#timeline-list")).to_contain_text("No events match")
    page.go_back()
    expect(page.locator(".event").first).to_be_visible()
    assert left_behind(page) == []
    told = [part for one in watch.requests for part in (one.url, one.headers.get("referer", ""))]
    assert not [text for text in told for marker in MARKERS if marker in text.casefold()]
    assert {urlsplit(one.url).hostname for one in watch.requests} == {"127.0.0.1"}


def test_the_measure_of_storage_sees_what_is_put_there(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.list_path)
    page.evaluate("sessionStorage.setItem('page', 'anna.canary@fjord.example')")
    assert left_behind(page) == ["canar", "fjord"]


def test_a_script_in_a_page_does_not_run(open_as: OpenAs, stage: Stage, watch: Watch):
    """The policy is in force: the watch would otherwise have nothing to see."""
    page = open_as(stage.cast.support, stage.list_path)
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert page.evaluate("window.ran") is None
    assert len(watch.faults) == 1
    assert "Content Security Policy" in watch.faults.pop()
