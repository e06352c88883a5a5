"""A crawl through all pages as one of the cast: whatever comes back is kept in a haul."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from django.test import Client

from tests.security.canaries import Canary, Crowd
from tests.security.haul import Haul
from tests.security.inventory import CONSOLE, patterns, rows_of
from tests.security.scene import Scene

HTMX = {"HX-Request": "true"}
_LINKS = re.compile(r'\b(?:href|hx-get|action)="([^"#]+)"')
# The account pages lead to themselves with ever longer addresses; the inventory has them.
_SKIPPED = ("/static/", "/admin/", "/accounts/")


@dataclass(slots=True)
class Crawler:
    """One of the cast with a browser."""

    client: Client
    haul: Haul = field(default_factory=Haul)
    seen: set[str] = field(default_factory=set)
    statuses: set[int] = field(default_factory=set)

    def fetch(self, url: str, data: dict[str, Any] | None = None, *, typed: str = "", is_region: bool = False):
        """One request; a redirect within the console is followed. ``data`` is posted."""
        headers = HTMX if is_region else {}
        method = "GET" if data is None else "POST"
        response = (
            self.client.generic(method, url, headers=headers)
            if data is None
            else self.client.post(url, data, headers=headers)
        )
        self.keep(f"{method} {url}", response, typed)
        target = response.headers.get("Location", "")
        if target.startswith("/w/"):
            followed = self.client.get(target)
            self.keep(f"GET {target}", followed, typed)
            return followed
        return response

    def keep(self, where: str, response, typed: str = "") -> None:
        """Keep status, headers, cookies and body."""
        self.statuses.add(response.status_code)
        self.haul.add(f"headers of {where}", str(response.headers))
        self.haul.add(f"cookies of {where}", response.cookies.output())
        self.haul.add(where, b"".join(response) if response.streaming else response.content, typed=typed)

    def walk(self, *starts: str) -> None:
        """Everything that can be reached by links from here, as a page and as a region."""
        waiting = list(starts)
        while waiting:
            url = waiting.pop()
            if url in self.seen:
                continue
            self.seen.add(url)
            response = self.fetch(url)
            self.fetch(url, is_region=True)
            waiting += [link for link in _links(response) if not link.startswith(_SKIPPED)]


def _links(response) -> Iterator[str]:
    if response.headers.get("Content-Type", "").startswith("text/html"):
        for link in _LINKS.findall(response.content.decode()):
            if link.startswith("/"):
                yield unescape(link)


def visit_inventory(crawler: Crawler, scene: Scene) -> None:
    """Every URL there is, as a page and, of the console, as a region."""
    for pattern in patterns():
        (row,) = rows_of(pattern)
        url = row.address(pattern, scene)
        data = row.content(scene) if row.method == "POST" else None
        crawler.fetch(url, data)
        if row in CONSOLE:
            crawler.fetch(url, data, is_region=True)


def visit_people(crawler: Crawler, crowd: Crowd) -> None:
    """The list and all profiles, whoever may open them, and on from there by links."""
    slugs = [crowd.cast.workspace.slug, crowd.cast.elsewhere.slug]
    crawler.walk(*(f"/w/{slug}/customers/" for slug in slugs))
    crawler.walk(*(f"/w/{slug}/customers/{id_}/" for slug in slugs for id_ in crowd.customers.values()))


def search_for(crawler: Crawler, crowd: Crowd, canary: Canary) -> None:
    """By the whole value and by its first half, in its own workspace; in the filter of a timeline too."""
    slug, whole = crowd.workspace(canary.owner).slug, canary.value
    half = whole[: len(whole) // 2 + 1]
    crawler.fetch(f"/w/{slug}/customers/search/", {"q": whole}, typed=whole)
    crawler.fetch(f"/w/{slug}/customers/search/", {"q": half}, typed=half, is_region=True)
    url = f"/w/{slug}/timeline/{crowd.customers[canary.owner]}/filter/"
    crawler.fetch(url, {"text": whole}, typed=whole, is_region=True)


def provoke_errors(crawler: Crawler, crowd: Crowd, canary: Canary) -> None:
    """Pages that say that something went wrong, each given a value to repeat."""
    slug, value = crowd.cast.workspace.slug, canary.value
    customers, customer = f"/w/{slug}/customers/", crowd.customers[canary.owner]
    for is_region in (False, True):
        crawler.fetch(f"{customers}?v=unknown", is_region=is_region)
        crawler.fetch(f"{customers}?after=forged", is_region=is_region)
        crawler.fetch(f"{customers}{customer}/none/", is_region=is_region)
        crawler.fetch(f"{customers}search/", {"q": "x" * 201}, is_region=is_region)
        crawler.fetch(f"/w/{slug}/timeline/{customer}/filter/", {"since": value, "types": "x"}, is_region=is_region)
        crawler.fetch(f"/w/{slug}/timeline/{customer}/?after=forged", is_region=is_region)
    crawler.fetch("/preferences/", {"theme": value, "next": f"//{value}"})
    crawler.fetch("/nothing/here/")
    careful = Client(enforce_csrf_checks=True)
    careful.cookies = crawler.client.cookies
    crawler.keep("POST without a token", careful.post(f"{customers}search/", {"q": value}))
