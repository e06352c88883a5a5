"""Headers, cookies and markup of every page (L4, L5, W1 to W3), and Django's own check of a deployment (W5)."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from customers import profiles
from tests.security.inventory import patterns, rows_of
from tests.security.scene import ROLES, Scene

ROOT = Path(__file__).resolve().parents[2]
HTMX = {"HX-Request": "true"}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store, private",
}
FEATURES = ("camera", "geolocation", "microphone", "payment", "usb")
POLICY = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "connect-src": {"'self'"},
    "font-src": {"'self'"},
    "form-action": {"'self'"},
    "base-uri": {"'none'"},
    "object-src": {"'none'"},
    "frame-ancestors": {"'none'"},
}
CLEARED = '"cache", "storage"'
HTMX_CONFIG = {
    "historyCacheSize": 0,
    "historyRestoreAsHxRequest": False,
    "refreshOnHistoryMiss": True,
    "includeIndicatorStyles": False,
    "allowEval": False,
    "allowScriptTags": False,
    "selfRequestsOnly": True,
}


def answers(scene: Scene, role: str) -> Iterator[tuple[str, Any]]:
    """What this role gets from every URL; of the console as a region too, and from what does not exist."""
    client = scene.client(role)
    yield "first", client.get("/accounts/login/")
    for pattern in patterns():
        (row,) = rows_of(pattern)
        url = row.address(pattern, scene)
        for headers in ({}, HTMX):
            if row.method == "POST":
                yield url, client.post(url, row.content(scene), headers=headers)
            elif not headers or url.startswith("/w/"):
                yield url, client.get(url, headers=headers)
    yield "missing", client.get("/nothing/here/")
    yield "forged", client.get(f"/w/{scene.words['workspace']}/customers/?v=forged")
    careful = Client(enforce_csrf_checks=True)
    yield "without a token", careful.post("/preferences/")


# --- Headers -----------------------------------------------------------------------------------


def wrong_headers(response: Any) -> set[str]:
    """The headers that are missing or say something else, and those that must not be there."""
    wrong = {name for name, value in HEADERS.items() if response.headers.get(name) != value}
    policy = {
        name: set(values)
        for name, *values in (part.split() for part in response.headers["Content-Security-Policy"].split(";"))
    }
    if policy != POLICY:
        wrong.add("Content-Security-Policy")
    if any(f"{feature}=()" not in response.headers["Permissions-Policy"] for feature in FEATURES):
        wrong.add("Permissions-Policy")
    if not {"Cookie", "HX-Request"} <= set(re.split(r",\s*", response.headers["Vary"])):
        wrong.add("Vary")
    unwanted = ("ETag", "Last-Modified", "Server", "X-Powered-By", "Content-Encoding")
    allowed_origins = {name for name in response.headers if name.startswith("Access-Control-")}
    return wrong | {name for name in unwanted if name in response.headers} | allowed_origins


def test_a_page_that_breaks_has_them_too(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "get", lambda *_: 1 / 0)
    client = scene.client("lead")
    client.raise_request_exception = False
    response = client.get(f"/w/{scene.words['workspace']}/customers/{scene.words['customer']}/")
    assert response.status_code == 500
    assert wrong_headers(response) == set()


def test_the_policy_has_no_unsafe_word() -> None:
    assert "unsafe" not in str(settings.CONTENT_SECURITY_POLICY)


# --- Cookies -----------------------------------------------------------------------------------


def wrong_cookies(response: Any) -> set[str]:
    """Cookies that scripts can read, that go to other sites, or that nobody knows."""
    return {
        name
        for name, cookie in response.cookies.items()
        if (cookie["samesite"], cookie["path"], cookie["domain"]) != ("Lax", "/", "")
        or not cookie["httponly"]
        or name not in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)
    }


@pytest.mark.parametrize("url", ["/accounts/logout/", "/admin/logout/"])
def test_signing_out_clears_what_the_browser_keeps(scene: Scene, url: str) -> None:
    client = scene.client("root")
    page = f"/w/{scene.words['workspace']}/customers/"
    assert "Clear-Site-Data" not in client.get(page).headers
    response = client.post(url)
    assert response.headers["Clear-Site-Data"] == CLEARED
    assert client.get(page).status_code == 302


def test_a_session_that_ends_by_itself_clears_it_too(scene: Scene, time_machine) -> None:
    client, page = scene.client("lead"), f"/w/{scene.words['workspace']}/customers/"
    assert client.get(page).status_code == 200
    time_machine.move_to(timezone.now() + timedelta(seconds=settings.SESSION_IDLE_SECONDS + 1))
    response = client.get(page)
    assert (response.status_code, response.headers["Clear-Site-Data"]) == (302, CLEARED)


def test_whoever_was_never_signed_in_keeps_what_he_has(scene: Scene) -> None:
    assert "Clear-Site-Data" not in scene.client("anonymous").post("/accounts/logout/").headers


# --- Markup ------------------------------------------------------------------------------------


class Markup(HTMLParser):
    """Collects what the policy would block, and where a page leads to."""

    ADDRESSES = ("href", "src", "action", "formaction", "poster", "data", "srcset", "xlink:href", "hx-get", "hx-post")

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.addresses: list[str] = []
        self.config: dict[str, Any] = {}
        self.body: dict[str, str | None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_data = given.get("type") in ("application/json", "text/template")
        if tag == "style" or (tag == "script" and "src" not in given and not is_data):
            self.inline.append(tag)
        for name, value in attrs:
            text = (value or "").strip().lower()
            is_handler = name.startswith(("on", "hx-on", "data-hx-on", "hx-vars")) or name == "style"
            if is_handler or text.startswith(("javascript:", "js:", "vbscript:")):
                self.inline.append(f"{tag} {name}")
            if name in self.ADDRESSES:
                self.addresses.append(text)
        if tag.startswith("c-"):
            self.inline.append(f"a component that was not drawn: {tag}")
        if tag == "meta" and given.get("name") == "htmx-config":
            self.config = json.loads(given.get("content") or "{}")
        if tag == "body":
            self.body = given


def is_foreign(address: str) -> bool:
    """Whether this address leaves the site."""
    return bool(re.match(r"([a-z][a-z0-9+.-]*:|//|\\)", address)) and not address.startswith("data:image/")


def wrong_markup(response: Any) -> list[str]:
    """What the policy would block, and addresses of other hosts."""
    if not response.headers.get("Content-Type", "").startswith("text/html"):
        return []
    markup = Markup()
    markup.feed(response.content.decode())
    wrong = [*markup.inline, *(address for address in markup.addresses if is_foreign(address))]
    if markup.config and (markup.config, markup.body["hx-history"]) != (HTMX_CONFIG, "false"):
        wrong.append("another configuration of htmx")
    return wrong


@pytest.mark.parametrize(
    "text", ["<style>", "<script>x()</script>", "<p onclick=x>", "<a href=' javascript:x'>", "<c-icon>"]
)
def test_the_parser_notices_what_is_inline(text: str) -> None:
    markup = Markup()
    markup.feed(text)
    assert markup.inline


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        *((address, True) for address in ("https://x.example/", "//x.example/a", "ftp://x", "mailto:a@b", "\\\\x")),
        *((address, False) for address in ("/a/", "?a=b", "#x", "../a", "data:image/svg+xml;base64,x", "")),
    ],
)
def test_a_foreign_address_is_told_from_ours(address: str, expected: bool) -> None:
    assert is_foreign(address) is expected


def test_no_stylesheet_or_script_of_ours_names_another_host() -> None:
    paths = [path for path in (ROOT / "static").rglob("*") if path.suffix in (".css", ".js", ".svg")]
    assert paths, "nothing was looked at"
    known = ("http://www.w3.org/2000/svg",)  # a name, not an address
    for path in paths:
        found = re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s\"')]*", path.read_text("utf-8"))
        assert [address for address in found if address not in known] == [], path.name


# --- Every page --------------------------------------------------------------------------------


@pytest.mark.slow  # every page there is
@pytest.mark.parametrize("role", ROLES)
def test_every_answer_has_the_headers_and_nothing_inline_or_foreign(scene: Scene, role: str) -> None:
    wrong, count = {}, 0
    for where, response in answers(scene, role):
        count += 1
        if found := [*wrong_headers(response), *wrong_cookies(response), *wrong_markup(response)]:
            wrong[where] = found
    assert wrong == {}
    assert count > 150


# --- A deployment ------------------------------------------------------------------------------


def deployed(*command: str) -> subprocess.CompletedProcess[str]:
    """A command under the settings of a deployment: nothing is relaxed for the demo."""
    environment = {name: value for name, value in os.environ.items() if name != "ROLODESK_EMBEDDED"}
    return subprocess.run(
        [sys.executable, "-W", "error", "manage.py", *command],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.slow  # a process of its own
def test_the_check_of_a_deployment_has_nothing_to_say() -> None:
    result = deployed("check", "--deploy", "--fail-level", "WARNING")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.slow  # a process of its own
def test_a_deployment_keeps_its_cookies_to_itself_and_insists_on_tls() -> None:
    names = (
        "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "REQUIRE_SECOND_FACTOR", "DEBUG",
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN",
    )  # fmt: skip
    code = (
        f"import json; from django.conf import settings as s; print(json.dumps({{n: getattr(s, n) for n in {names}}}))"
    )
    found = json.loads(deployed("shell", "-v0", "-c", code).stdout)
    assert [found[name].startswith("__Host-") for name in names[:2]] == [True, True]
    assert found["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert not found["DEBUG"]
    assert not found["MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN"]
    assert all(found[name] for name in names[2:5])
    assert found["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert found["REQUIRE_SECOND_FACTOR"]
