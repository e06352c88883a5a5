"""Searching, by hand and by keyboard."""

import pytest
from playwright.sync_api import Page, Route, expect

from customers.models import User
from tests.browser.conftest import OpenAs
from tests.browser.measure import clipped, count_shifts, outside, shifts
from tests.browser.stage import ANNA_EMAIL, ANNA_NAME, SUPPRESSED, Stage
from tests.browser.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # each opens pages in a real browser

ROWS = "#rows tr:not(.group, .more)"
WIDTHS = (1600, 1280, 1024, 640, 400)
LONG = 5_000  # ms; longer than anything waits for a further key


def search(page: Page, text: str) -> None:
    page.fill("#q", text)
    page.keyboard.press("Enter")


def test_a_person_signs_in_and_stands_in_the_search_box(open_as: OpenAs, stage: Stage):
    page = open_as(None, "/", fresh=True)
    expect(page.locator("#id_login")).to_be_focused()
    page.keyboard.type("support")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That did not work")
    expect(page.locator("#id_password")).to_be_focused()
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    expect(page).to_have_url(stage.url + stage.list_path)
    expect(page.locator("#q")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_count(1)


def test_a_masked_person_finds_and_opens_a_customer_by_keyboard_alone(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.profile_path(stage.new))
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.locator("#q")).to_be_focused()
    page.locator("h1").click()  # anywhere else
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type(ANNA_EMAIL)
    page.keyboard.press("Enter")
    expect(page.locator("#results")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(f"{ROWS} a").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(stage.url + stage.profile_path())
    expect(page.locator("h1")).to_contain_text(stage.anna.hex[-6:])


def test_typing_costs_a_masked_person_no_look_ups(open_as: OpenAs, newcomer: User, stage: Stage, watch: Watch):
    page = open_as(newcomer, fresh=True)
    page.clock.install()
    page.goto(stage.list_path)
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type(ANNA_EMAIL)
    page.clock.run_for(LONG)
    page.locator("h1").click()
    page.clock.run_for(LONG)
    assert watch.searches() == []
    page.locator("#q").press("Enter")
    expect(page.locator("#results")).to_contain_text("59 look-ups left")
    assert watch.searches() == [ANNA_EMAIL]


def test_typing_searches_for_whoever_sees_everything(open_as: OpenAs, stage: Stage, watch: Watch):
    page = open_as(stage.cast.lead, fresh=True)
    page.clock.install()
    page.goto(stage.list_path)
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("canar")
    page.clock.run_for(LONG)
    expect(page.locator(ROWS)).to_have_count(1)
    assert watch.searches() == ["canar"]
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"{ROWS} a").first).to_be_focused()


def test_emptying_the_box_brings_everybody_back_to_a_masked_person(open_as: OpenAs, stage: Stage, watch: Watch):
    page = open_as(stage.cast.support, stage.list_path)
    search(page, "NL-204118")
    expect(page.locator("#results-count")).to_have_text("1 found")
    page.fill("#q", "")
    page.locator("#q").dispatch_event("search", {"bubbles": True})
    expect(page.locator("#results-count")).to_contain_text("customers")
    assert watch.searches() == ["NL-204118", ""]


def test_a_slow_answer_never_replaces_a_newer_one(open_as: OpenAs, stage: Stage, watch: Watch):
    watch.replaces = True
    page = open_as(stage.cast.lead, stage.list_path)
    held: list[Route] = []
    page.route("**/customers/search/", lambda route: route.continue_() if held else held.append(route))
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("Somebody 7")
    expect(page.locator("#results")).to_have_attribute("aria-busy", "true")
    page.fill("#q", ANNA_NAME)
    expect(page.locator(ROWS)).to_have_count(1)
    held[0].fulfill(body="<div id='results'>the older answer</div>")
    page.evaluate("fetch('/health/').then((answer) => answer.text())")  # whatever was on its way before is here
    expect(page.locator("#results")).not_to_contain_text("the older answer")
    expect(page.locator(ROWS)).to_contain_text(ANNA_NAME)
    assert watch.searches() == ["Somebody 7", ANNA_NAME]


def test_counts_are_spoken(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.list_path)
    search(page, "NL-3")
    expect(page.locator("#announce")).to_have_text("56 found")
    search(page, "nobody@nowhere.example")
    expect(page.locator("#announce")).to_have_text("0 found")
    expect(page.locator("#results")).to_contain_text("Nobody found")
    search(page, SUPPRESSED)
    expect(page.locator("#results")).to_contain_text("This identifier is suppressed since")


def test_load_more_adds_rows_and_moves_nothing(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.list_path)
    search(page, "NL-3")
    expect(page.locator("#results-count")).to_have_text("56 found")
    page.get_by_role("link", name="Load more").focus()
    count_shifts(page)
    page.keyboard.press("Enter")
    expect(page.locator(ROWS)).to_have_count(56)
    assert shifts(page) == []
    expect(page.locator(f"{ROWS} a[data-row]").nth(50)).to_be_focused()
    expect(page.locator("#announce")).to_have_text("More is shown")


def test_a_search_moves_nothing_but_the_results(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.lead, stage.list_path)
    count_shifts(page)
    search(page, "canar")
    expect(page.locator(ROWS)).to_have_count(1)
    assert shifts(page) == []
    # The measure itself works: something put on top moves the rest.
    page.evaluate(
        "document.querySelector('main').prepend(Object.assign(document.createElement('h2'), {textContent: 'x'}))"
    )
    assert shifts(page)


@pytest.mark.parametrize("who", ["support", "lead"])
def test_the_reason_of_a_match_is_never_cut_off(open_as: OpenAs, stage: Stage, who: str):
    page = open_as(getattr(stage.cast, who), stage.list_path)
    for text, reason in (("NL-204118", "matched customer no."), (ANNA_EMAIL, "matched e-mail")):
        search(page, text)
        expect(page.locator(".reason")).to_have_text(reason)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            expect(page.locator(".reason")).to_be_visible()
            assert clipped(page, ".reason") == []
            assert outside(page, ".reason") == {}


def test_rows_are_as_high_masked_as_open(open_as: OpenAs, stage: Stage):
    heights = [
        open_as(user, stage.list_path).locator(ROWS).evaluate_all("(all) => all.map((row) => row.offsetHeight)")
        for user in (stage.cast.support, stage.cast.lead)
    ]
    assert len(heights[0]) == 50
    assert heights[0] == heights[1]
