"""Pages against the statements they make: alone, and together with a view that does nothing."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import connection as django_connection
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.account import CSRF, SLUG
from bench.harness import Bench, Figure, Row, percentile
from bench.load import LoadFailed, drive
from bench.population import email
from bench.servers import product
from rolodesk.database import Connection
from rolodesk.local import static

FRAGMENT = b"HX-Request: true\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\nX-CSRFToken: %s\r\n" % CSRF.encode()
# Written by the very statements that are run again, with the same keys.
_FORGET = ("DELETE FROM audit_entry", "DELETE FROM search_handle")


@dataclass(slots=True)
class Page:
    """A page of many customers: its requests, and what Django's own client does for the same."""

    label: str
    requests: list[bytes] = field(default_factory=list)
    visits: list[Callable[[Client], HttpResponseBase]] = field(default_factory=list)
    statements: list[list[str]] = field(default_factory=list)


def measure(bench: Bench) -> Iterable[Row]:
    """Each page of the same customers: by HTTP, as SQL, and an empty view, by turns."""
    bench.people.grow(bench.sizes.events)
    if static.main():  # pages name their files by a hash
        raise LoadFailed("static files could not be collected")
    cookies = bench.account.cookies()
    numbers = bench.people.some(bench.sizes.pages)
    pages = [_search(numbers, cookies), _profile(bench, numbers, cookies), _timeline(bench, numbers, cookies)]
    client = bench.account.sign_in()
    for page in pages:
        page.statements = [_statements(client, visit) for visit in page.visits]
    empty = [_get("/bench/empty/", b"")] * len(numbers)
    with product(workers=0, settings_module="bench.settings") as server:
        for page in pages:
            drive(server.port, page.requests, connections=1)
        for page in pages:
            shown, asked, nothing = [], [], []
            for _ in range(bench.sizes.rounds):
                shown.append(percentile(drive(server.port, page.requests, connections=1).latencies, 50))
                asked.append(percentile(_replay(bench.connection, page.statements), 50))
                nothing.append(percentile(drive(server.port, empty, connections=1).latencies, 50))
            yield from _rows(page, min(shown), min(asked), min(nothing))


def _rows(page: Page, shown: float, asked: float, nothing: float) -> Iterable[Row]:
    count = len(page.statements[0])
    detail = f"{shown * 1000:.1f} ms against {asked * 1000:.2f} ms for {count} statements"
    yield Row(f"{page.label}, of its bare SQL", shown / asked, detail, unit=" ×")
    detail = f"the empty view takes {nothing * 1000:.2f} ms"
    yield Row(f"{page.label}, of its SQL and an empty view", shown / (asked + nothing), detail, unit=" ×")


# --- The pages -----------------------------------------------------------------------------------


def _search(numbers: list[int], cookies: bytes) -> Page:
    path, page = reverse("customers:search", args=[SLUG]), Page("exact search")
    for number in numbers:
        body = f"q={email(number)}".replace("@", "%40").encode()
        head = b"%s%sContent-Length: %d\r\n" % (FRAGMENT, FORM, len(body))
        page.requests.append(_request("POST", path, cookies, head) + body)
        form = {"q": email(number)}
        page.visits.append(lambda c, form=form: c.post(path, form, headers={"hx-request": "true"}))  # type: ignore[misc]
    return page


def _profile(bench: Bench, numbers: list[int], cookies: bytes) -> Page:
    page = Page("profile page")
    for number in numbers:
        path = reverse("customers:detail", args=[SLUG, bench.people.ids[number - 1]])
        page.requests.append(_get(path, cookies))
        page.visits.append(lambda c, path=path: c.get(path))  # type: ignore[misc]
    return page


def _timeline(bench: Bench, numbers: list[int], cookies: bytes) -> Page:
    page = Page("timeline region")
    for number in numbers:
        path = reverse("tracking:timeline", args=[SLUG, bench.people.ids[number - 1]])
        page.requests.append(_get(path, cookies, FRAGMENT))
        page.visits.append(lambda c, path=path: c.get(path, headers={"hx-request": "true"}))  # type: ignore[misc]
    return page


def _get(path: str, cookies: bytes, headers: bytes = b"") -> bytes:
    return _request("GET", path, cookies, headers)


def _request(method: str, path: str, cookies: bytes, headers: bytes) -> bytes:
    cookie = b"Cookie: %s\r\n" % cookies if cookies else b""
    return b"%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s\r\n" % (method.encode(), path.encode(), cookie, headers)


# --- Their statements ----------------------------------------------------------------------------


def _statements(client: Client, visit: Callable[[Client], HttpResponseBase]) -> list[str]:
    """What Django sends to the database for one page, its parameters in it."""
    django_connection.queries_log.clear()  # it is bounded, and full it would tell nothing of what is new
    with CaptureQueriesContext(django_connection) as captured:
        response = visit(client)
    if response.status_code != 200 or not captured:
        raise LoadFailed(f"the page answered {response.status_code} after {len(captured)} statements")
    return [query["sql"] for query in captured]


def _replay(connection: Connection, pages: list[list[str]]) -> list[float]:
    """Seconds for the statements of each page, in their order, rows fetched."""
    for statement in _FORGET:
        connection.execute(statement)
    taken = []
    for statements in pages:
        began_at = time.perf_counter()
        for statement in statements:
            cursor = connection.execute(statement)
            if cursor.description:
                cursor.fetchall()
        taken.append(time.perf_counter() - began_at)
    return taken


FIGURE = Figure("reads", "Pages", measure)
