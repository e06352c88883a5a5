"""The page of a customer: masks, tabs, the timeline's filters, dialogs."""

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from customers.models import User
from tests.browser.conftest import OpenAs
from tests.browser.measure import count_shifts, outside, shifts
from tests.browser.stage import ANNA_EMAIL, ANNA_NAME, MARKERS, Stage

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # each opens pages in a real browser


def mark_document(page: Page) -> None:
    """A full navigation would forget it."""
    page.evaluate("document.documentElement.dataset.mark = 'the same'")


def is_same_document(page: Page) -> bool:
    return page.evaluate("document.documentElement.dataset.mark") == "the same"


def test_private_values_are_masked_for_support_and_shown_to_a_lead(open_as: OpenAs, stage: Stage):
    masked, shown = (open_as(user, stage.profile_path()) for user in (stage.cast.support, stage.cast.lead))
    assert not [marker for marker in MARKERS if marker in masked.content().casefold()]
    for label in ("E-mail", "Phone"):
        expect(masked.locator(".props > div", has_text=label).locator(".masked").first).to_have_text(
            f"****** {label} hidden"
        )
    expect(masked.locator(".who .masked")).to_be_visible()
    expect(shown.locator(".who .name")).to_have_text(ANNA_NAME)
    expect(shown.locator(".props > div", has_text="E-mail").first).to_contain_text(ANNA_EMAIL)


def test_cells_are_as_high_masked_as_open(open_as: OpenAs, stage: Stage):
    heights = [
        open_as(user, stage.profile_path())
        .locator(".stack .props > div, .event")
        .evaluate_all("(all) => all.map((one) => one.offsetHeight)")
        for user in (stage.cast.support, stage.cast.lead)
    ]
    assert len(heights[0]) > 50
    assert heights[0] == heights[1]


def test_the_timeline_is_filtered_in_place(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.profile_path())
    mark_document(page)
    count_shifts(page)
    page.locator("summary", has_text="Types").click()
    page.get_by_label("Purchase").check()
    expect(page.locator("#announce")).to_have_text("33 of 66 events")
    expect(page.locator(".event .what").first).to_have_text("Purchase")
    expect(page.locator(".event .what", has_text="Ticket opened")).to_have_count(0)
    expect(page.locator("#timeline-picked")).to_have_text("1 of 2")
    expect(page.get_by_label("Purchase")).to_be_visible()  # the list of types stays open
    assert is_same_document(page)
    assert shifts(page) == []
    assert "?t=" in page.url
    page.reload()
    expect(page.locator(".event .what", has_text="Ticket opened")).to_have_count(0)
    expect(page.locator("input[name=types]:checked")).to_have_count(1)


def test_system_rows_can_be_left_out(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.profile_path(stage.bo))
    expect(page.locator(".event")).to_have_count(3)
    page.locator("summary", has_text="Types").click()
    page.get_by_label("System rows").uncheck()
    expect(page.locator(".event")).to_have_count(2)
    expect(page.locator(".event.is-system")).to_have_count(0)


def test_the_timeline_is_searched_and_turned_round(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.profile_path())
    page.fill("#timeline-text", "ticket")
    expect(page.locator("#announce")).to_have_text("33 of 66 events")
    first = page.locator(".event time").first.get_attribute("datetime")
    page.select_option("#timeline-order", "oldest")
    expect(page.locator(".event time").first).not_to_have_attribute("datetime", str(first))
    page.fill("#timeline-text", "nothing of the kind")
    expect(page.locator("#timeline-list")).to_contain_text("No events match these filters")
    expect(page.locator("#announce")).to_have_text("No events match these filters")


def test_older_events_are_added_below_and_move_nothing(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.profile_path())
    mark_document(page)
    count_shifts(page)
    page.get_by_role("link", name="Load older").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".event")).to_have_count(66)
    assert is_same_document(page)
    assert shifts(page) == []
    headings = page.locator(".day").all_text_contents()
    assert len(headings) == len(set(headings))


def test_tabs_are_swapped_in_place_and_have_addresses(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.profile_path())
    mark_document(page)
    count_shifts(page)
    for tab, label in (("properties", "Properties"), ("segments", "Segments")):
        page.locator(".tabs > a", has_text=label).click()
        expect(page.locator("#tab [aria-current=page]")).to_contain_text(label)
        expect(page.locator(".tabs > a", has_text=label)).to_be_focused()
        expect(page.locator("#tab table")).to_be_visible()
        assert page.url == stage.url + stage.profile_path(tab=tab)
    assert is_same_document(page)
    assert shifts(page) == []
    page.go_back()
    expect(page.locator("[aria-current=page]", has_text="Properties")).to_be_visible()


def test_parts_that_do_not_fit_are_opened_under_more(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.profile_path(stage.bo))
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 800})
        for label in ("Devices", "Changes", "Timeline"):
            menu = page.locator(".tabs .pick")
            if not page.locator(".tabs > a", has_text=label).is_visible():
                menu.locator("summary").click()
                menu.get_by_role("link", name=label).click()
            else:
                page.locator(".tabs > a", has_text=label).click()
            opened = page.locator(".tabs > [aria-current=page]")
            expect(opened).to_have_text(label)
            expect(opened).to_be_visible()


def test_what_opens_stays_within_the_window(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.profile_path())
    for width in (1280, 1024, 640, 400):
        page.set_viewport_size({"width": width, "height": 800})
        for label in ("Types", "Days"):
            summary = page.locator("summary", has_text=label)
            summary.click()
            assert outside(page, ".pick[open] > div") == {}
            page.keyboard.press("Escape")
            expect(page.locator(".pick[open]")).to_have_count(0)
            expect(summary).to_be_focused()
        page.locator(".tabs .pick summary").click()
        assert outside(page, ".pick[open] > div") == {}
        page.keyboard.press("Escape")
        page.locator(".account").click()
        assert outside(page, "#account-menu") == {}
        page.keyboard.press("Escape")


def test_the_tools_of_the_timeline_stand_in_full_lines(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.profile_path())
    for width, lines in ((1600, 1), (1280, 1), (1024, 2), (640, 2), (400, 2)):
        page.set_viewport_size({"width": width, "height": 800})
        tools = page.locator(".timeline > .toolbar > :not(input, noscript)")
        middles = tools.evaluate_all(
            "(all) => all.map((one) => one.getBoundingClientRect()).map(({ top, bottom }) => (top + bottom) / 2)"
        )
        assert len(middles) == 4
        steps = [later - earlier > 4 for earlier, later in pairwise(middles)]  # px; more than rounding
        assert steps == ([False] * 3 if lines == 1 else [False, True, False]), (width, middles)


def test_dialogs_and_menus_give_the_focus_back(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.support, stage.profile_path())
    page.keyboard.press("j")
    row = page.locator("summary[data-row]").first
    expect(row).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row).to_be_focused()
    opener = page.get_by_role("button", name="Keyboard shortcuts")
    opener.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Close").press("Enter")
    expect(opener).to_be_focused()
    account = page.locator(".account")
    account.press("Enter")
    expect(page.get_by_text("Signed-in devices")).to_be_visible()
    page.keyboard.press("Escape")
    expect(account).to_be_focused()
    page.set_viewport_size({"width": 400, "height": 800})
    menu = page.get_by_role("button", name="Menu", exact=True)
    menu.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("link", name="Customers")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()


def test_single_keys_can_be_switched_off(open_as: OpenAs, newcomer: User, stage: Stage):
    page = open_as(newcomer, stage.profile_path())
    page.locator(".account").click()
    page.locator("#account-menu").get_by_role("button", name="Off").click()
    expect(page.locator("html")).to_have_attribute("data-shortcuts", "off")
    assert page.url == stage.url + stage.profile_path()
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("[data-row]:focus")).to_have_count(0)
    page.keyboard.press("Control+k")  # this one is no single key
    expect(page.locator("#find")).to_be_focused()


def test_the_theme_is_chosen_in_the_account_menu(open_as: OpenAs, newcomer: User, stage: Stage):
    page = open_as(newcomer, stage.list_path)
    light = page.evaluate("getComputedStyle(document.body).color")
    page.locator(".account").click()
    page.locator("#account-menu").get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).color") != light
