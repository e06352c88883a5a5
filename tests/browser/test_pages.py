"""Every page and every dialog: for everybody, in both themes, in narrow windows."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenAs
from tests.browser.measure import barriers, sideways
from tests.browser.stage import ANNA_EMAIL, Stage
from tests.browser.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # each opens pages in a real browser

UNKNOWN = "00000000-0000-7000-8000-000000000000"
State = Callable[[Page], None]


def found(text: str, count: str) -> State:
    def state(page: Page) -> None:
        page.fill("#q", text)
        page.keyboard.press("Enter")
        expect(page.locator("#results-count")).to_have_text(count)

    return state


def clicked(selector: str, shows: str) -> State:
    def state(page: Page) -> None:
        page.locator(selector).first.click()
        expect(page.locator(shows).first).to_be_visible()

    return state


def shortcuts(page: Page) -> None:
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def sheet(page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.locator(".bar-menu").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def failed(page: Page) -> None:
    found("NL-204118", "1 found")(page)
    page.route("**/customers/search/", lambda route: route.fulfill(status=503, body=""))
    page.fill("#q", "NL-3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()


# Name: who looks, at what (an address or the name of a place on the stage), and what happens there first.
PAGES: dict[str, tuple[str, str, State | None]] = {
    "list, masked": ("support", "list_path", None),
    "search, masked": ("support", "list_path", found(ANNA_EMAIL, "1 found")),
    "search": ("lead", "list_path", found("Somebody 1", "11 found")),
    "nobody found": ("support", "list_path", found("nobody@nowhere.example", "0 found")),
    "search failed": ("support", "list_path", failed),
    "first run": ("outsider", "empty_path", None),
    "workspaces": ("root", "new", clicked(".workspace", "#workspace-menu")),
    "profile, masked": ("support", "anna", clicked("summary[data-row]", ".event[open] dl")),
    "profile": ("lead", "bo", clicked(".pick summary", ".pick[open] > div")),
    "days": ("lead", "bo", clicked(".pick:has(#timeline-since) summary", "#timeline-since")),
    "properties, masked": ("support", "anna:properties", None),
    "properties": ("privacy", "anna:properties", None),
    "segments": ("support", "anna:segments", None),
    "messages": ("support", "bo:messages", None),
    "subscriptions": ("lead", "bo:subscriptions", None),
    "devices": ("lead", "bo:devices", clicked("summary[data-row]", ".event[open] dl")),
    "objects": ("lead", "bo:objects", clicked("summary[data-row]", ".event[open] dl")),
    "changes, masked": ("support", "bo:changes", None),
    "changes": ("lead", "bo:changes", clicked("summary[data-row]", ".event[open] dl")),
    "more parts": ("support", "new", clicked(".tabs .pick summary", ".tabs .pick[open] > div")),
    "quarantine": ("lead", "quarantine_path", None),
    "operation in quarantine": ("privacy", "aside_path", None),
    "discarding": ("lead", "aside_path", clicked(".button.danger", "dialog[open] .danger-final")),
    "restricted": ("lead", "restricted", None),
    "new": ("support", "new", None),
    "merged": ("support", "merged", None),
    "deleted": ("support", "deleted", None),
    "account menu": ("support", "new", clicked(".account", "#account-menu")),
    "shortcuts": ("support", "new", shortcuts),
    "sheet": ("support", "new", sheet),
    "not found": ("support", "unknown", None),
    "no such workspace": ("support", "/w/nowhere/customers/", None),
    "foreign view": ("support", "foreign", None),
    "not allowed": ("support", "/admin/", None),
    "change password": ("support", "/accounts/password/change/", None),
    "second factor": ("support", "/accounts/2fa/", None),
    "signed-in devices": ("support", "/accounts/sessions/", None),
    "sign out": ("support", "/accounts/logout/", None),
    "sign in": ("", "/accounts/login/", None),
    "reset password": ("", "/accounts/password/reset/", None),
    "administration": ("root", "/admin/", None),
    "administration, list": ("root", "/admin/customers/user/", None),
    "administration, form": ("root", "/admin/customers/user/add/", None),
}

# What axe reads: the frame and what lies around the part in question are the same each time.
WHOLE = ("list, masked", "first run", "profile, masked", "quarantine", "sign in", "change password", "administration")
PARTS = {
    **dict.fromkeys((name for name, (_, place, _) in PAGES.items() if ":" in place), "#tab"),
    **dict.fromkeys((name for name in PAGES if name.startswith(WHOLE)), "html"),
    **dict.fromkeys(("shortcuts", "sheet", "discarding"), "dialog[open]"),
    "profile": "#tab",
    "days": "#tab",
    "more parts": "#tab",
    "workspaces": "#workspace-menu",
    "account menu": "#account-menu",
}


def address(stage: Stage, place: str) -> str:
    if place.startswith("/"):
        return place
    if place.endswith("_path"):
        return str(getattr(stage, place))
    if place == "foreign":
        return f"{stage.list_path}?v=aaaaaaaaaaaaaaaaaaaa"
    if place == "unknown":
        return f"{stage.list_path}{UNKNOWN}/"
    who, _, tab = place.partition(":")
    return stage.profile_path(getattr(stage, who), tab)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_nobody_out_in_either_theme_or_a_narrow_window(
    open_as: OpenAs, stage: Stage, watch: Watch, name: str
):
    watch.expect(403, 404, 410, 503)
    who, place, state = PAGES[name]
    page = open_as(getattr(stage.cast, who) if who else None, address(stage, place))
    if state:
        state(page)
    assert "<c-" not in page.content()
    assert barriers(page, PARTS.get(name, "main")) == []
    if name != "sheet":  # it is for narrow windows only
        assert sideways(page) == []
