"""What the tests read off a page: accessibility, widths, shifts of the layout, storage."""

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.stage import MARKERS

AXE = Axe().axe_script
# What the second theme can change; the other rules would read the same elements again.
RULES: dict[Literal["light", "dark"], dict[str, list[str]]] = {
    "light": {},
    "dark": {"runOnly": ["color-contrast", "link-in-text-block"]},
}
NARROW = ((400, 800), (640, 400))  # a phone; 1280 × 800 at 200 per cent


def barriers(page: Page, part: str = "html") -> list[str]:
    """What axe finds in both themes, in the page or a part of it."""
    page.evaluate(AXE)
    found: list[str] = []
    for scheme, rules in RULES.items():
        page.emulate_media(color_scheme=scheme)
        found += page.evaluate(
            """async ([scheme, rules, part]) => {
                document.getAnimations().forEach((one) => one.finish()); // colours on their way
                const { violations } = await axe.run(part, { resultTypes: ["violations"], preload: false, ...rules });
                return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${scheme}: ${id}: ${html}`));
            }""",
            [scheme, rules, part],
        )
    return found


def sideways(page: Page) -> list[str]:
    """Where the page is wider than its window."""
    found = []
    for width, height in NARROW:
        page.set_viewport_size({"width": width, "height": height})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{wide} px in a window of {width}")
    return found


def count_shifts(page: Page) -> None:
    """Begin to watch for elements that move. Also those that count as an answer to a click."""
    page.evaluate(
        """() => {
            window.shifts = [];
            const note = (list) => window.shifts.push(...list.getEntries());
            new PerformanceObserver(note).observe({ type: "layout-shift" });
        }"""
    )


def shifts(page: Page) -> list[str]:
    """What has moved since, in words."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate(
        """window.shifts.flatMap(({ sources }) => sources.map(({ node, previousRect, currentRect }) =>
            `${node?.id || node?.className || node?.nodeName}: ${previousRect.y} to ${currentRect.y}`))"""
    )


def clipped(page: Page, selector: str) -> list[str]:
    """The texts of these elements that do not fit into their boxes."""
    return page.locator(selector).evaluate_all(
        "(all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
    )


def outside(page: Page, selector: str) -> dict[str, float]:
    """How far this element reaches out of the window, by side."""
    box = page.locator(selector).bounding_box()
    window = page.viewport_size
    assert box and window
    return {
        side: by for side, by in (("left", -box["x"]), ("right", box["x"] + box["width"] - window["width"])) if by > 0
    }


def left_behind(page: Page) -> list[str]:
    """Personal values in any storage of the browser, in the address, the title or the history's state."""
    kept = page.evaluate(
        """async () => JSON.stringify({
            local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie,
            caches: await caches.keys(), databases: (await indexedDB.databases()).map(({ name }) => name),
            address: location.href, title: document.title, state: history.state, referrer: document.referrer,
        })"""
    )
    return [marker for marker in MARKERS if marker in kept.casefold()]
