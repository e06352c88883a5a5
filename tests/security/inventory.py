"""Every URL of the product and every route of its dialects: how each is called, and what each of the cast must get.

The permission matrix, the leak sweep, the twin worlds and the checks of headers go by this list. A URL or a
route without a row fails a test, and so does a row without a URL.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver

from rolodesk.json import Json
from tests.security.scene import Scene

# A status, or where a redirect leads: the beginning of its address.
Answer = int | str

SIGN_IN, HOME, ADMIN, ADMIN_SIGN_IN = "/accounts/login/", "/", "/admin/", "/admin/login/"
REAUTHENTICATE = "/accounts/reauthenticate/"
LIST = "/w/{workspace}/customers/"
PROFILE = "/w/{workspace}/customers/{customer}/"
TIMELINE = "/w/{workspace}/timeline/{customer}/"
QUARANTINE = "/w/{workspace}/quarantine/"


class Answers(NamedTuple):
    """What each of the cast gets."""

    anonymous: Answer
    outsider: Answer
    support: Answer
    lead: Answer
    root: Answer


def signed_in(answer: Answer, *, anonymous: Answer = SIGN_IN) -> Answers:
    """The same for everybody who is signed in."""
    return Answers(anonymous, answer, answer, answer, answer)


def members(answer: Answer) -> Answers:
    """For people of the workspace; to others it does not exist (T1)."""
    return Answers(SIGN_IN, 404, answer, answer, answer)


def editors(answer: Answer) -> Answers:
    """For those people of the workspace who may change customers."""
    return Answers(SIGN_IN, 404, 403, answer, answer)


def superusers(answer: Answer, *, others: Answer = ADMIN_SIGN_IN) -> Answers:
    """For the superuser only."""
    return Answers(others, others, others, others, answer)


EVERYBODY = signed_in(200, anonymous=200)
SIGNED_OUT = signed_in(HOME, anonymous=200)  # whoever is signed in already is sent home


@dataclass(frozen=True, slots=True)
class Row:
    """One URL pattern, or a group of them under one rule; ``pattern`` is a regular expression for the whole.

    ``htmx`` differs from ``answers`` where a region is answered instead of a page.
    """

    pattern: str
    answers: Answers
    url: str = ""
    method: str = "GET"
    body: Mapping[str, str] = field(default_factory=dict)
    htmx: Answers | None = None

    def address(self, pattern: str, scene: Scene) -> str:
        """The address of this pattern in the scene."""
        url = self.url or "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern)
        model = "/".join(pattern.split("/")[1:3])
        id_ = scene.objects.get(model, "1")
        return url.format(**scene.words, id=id_, pk=id_, object_id=id_)

    def content(self, scene: Scene) -> dict[str, str]:
        """The body in the scene."""
        return {name: value.format(**scene.words) for name, value in self.body.items()}


def page(pattern: str, answers: Answers, url: str = "", *, htmx: Answers | None = None) -> Row:
    """A page that is read."""
    return Row(re.escape(pattern), answers, url, htmx=htmx)


def form(pattern: str, answers: Answers, *, htmx: Answers | None = None, **body: str) -> Row:
    """An address that only takes a form."""
    return Row(re.escape(pattern), answers, method="POST", body=body, htmx=htmx)


CONSOLE = (
    page("", Answers(SIGN_IN, "/w/{elsewhere}/customers/", LIST, LIST, "/w/")),
    page("health/", EVERYBODY),
    page("metrics/", EVERYBODY),  # on this machine; numbers only
    form("preferences/", signed_in(LIST), theme="dark", next=LIST),
    page("w/<slug:workspace>/customers/", members(200)),
    form("w/<slug:workspace>/customers/search/", members(LIST + "?v="), htmx=members(200), q="nobody at all"),
    page("w/<slug:workspace>/customers/<uuid:customer>/", members(200)),
    page("w/<slug:workspace>/customers/<uuid:customer>/<slug:tab>/", members(200)),
    page("w/<slug:workspace>/timeline/<uuid:customer>/", members(PROFILE), htmx=members(200)),
    form(
        "w/<slug:workspace>/timeline/<uuid:customer>/filter/", members(PROFILE + "?t="), htmx=members(200),
        types="{event_type}", order="oldest",
    ),
    page("w/<slug:workspace>/quarantine/", editors(200)),
    page("w/<slug:workspace>/quarantine/<int:item>/", editors(200)),
    form("w/<slug:workspace>/quarantine/redrive/", editors(QUARANTINE), reason="no such reason"),
    form("w/<slug:workspace>/quarantine/discard/", editors(QUARANTINE), reason="no such reason"),
)  # fmt: skip

# Nobody of the cast has a second factor, so its pages are either missing or ask for the password again.
ACCOUNTS = (
    page("accounts/login/", SIGNED_OUT),
    page("accounts/signup/", SIGNED_OUT),  # says that it is closed
    page("accounts/logout/", signed_in(200, anonymous=HOME)),
    page("accounts/login/code/confirm/", signed_in(HOME)),
    page("accounts/2fa/authenticate/", signed_in(HOME)),
    page("accounts/2fa/webauthn/login/", signed_in(HOME)),
    page("accounts/reauthenticate/", signed_in(200)),
    page("accounts/password/set/", signed_in("/accounts/password/change/")),
    # Links from e-mails; these say that they are no good.
    page("accounts/^confirm-email/(?P<key>[-:\\w]+)/$", EVERYBODY, "/accounts/confirm-email/x/"),
    page(
        "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$", EVERYBODY,
        "/accounts/password/reset/key/1-x/",
    ),
    Row(r"accounts/(inactive|confirm-email|password/reset|password/reset/done|password/reset/key/done)/", EVERYBODY),
    Row(r"accounts/(email|password/change|sessions|2fa|2fa/webauthn)/", signed_in(200)),
    Row(r"accounts/2fa/(webauthn/)?reauthenticate/", signed_in(REAUTHENTICATE)),
    Row(r"accounts/2fa/(totp/activate|recovery-codes/generate|webauthn/add)/", signed_in(REAUTHENTICATE)),
    Row(r"accounts/2fa/webauthn/keys/<int:pk>/(remove|edit)/", signed_in(REAUTHENTICATE)),
    Row(r"accounts/2fa/(totp/deactivate|recovery-codes|recovery-codes/download)/", signed_in(404)),
)  # fmt: skip

# Written by the product alone; logs of sign-ins and lost second factors may be deleted.
WRITTEN = r"admin/customers/(token|auditentry)/"
LOGGED = r"admin/(axes/\w+|mfa/authenticator)/"
# The wires name these by numbers that must never mean something else.
KEPT = r"admin/customers/(topic|objecttype)/"
# Of a model; `r` and `password_change` are no apps.
MODEL = r"admin/(?!r/|password_change/)\w+/\w+/"
GIVEN = r"<path:object_id>/"
ADMINISTRATION = (
    page("admin/", superusers(200)),
    # One way in, with its second factor: Django's own form would pass it by.
    page("admin/login/", Answers(SIGN_IN, 403, 403, 403, ADMIN)),
    page("admin/logout/", superusers(405, others=ADMIN)),
    page("admin/jsi18n/", superusers(200)),
    page("admin/autocomplete/", superusers(403)),  # nothing is registered for it
    page("admin/r/<path:content_type_id>/<path:object_id>/", superusers(404), "/admin/r/0/0/"),
    Row(r"admin/\^\(\?P<app_label>[\w|]+\)/\$", superusers(200), "/admin/customers/"),
    page("admin/(?P<url>.*)$", superusers(404), "/admin/nothing/"),
    Row(rf"(admin/password_change/(done/)?|{MODEL})", superusers(200)),
    Row(rf"{MODEL}{GIVEN}(history|change)/", superusers(200)),
    Row(rf"(?!{WRITTEN}|{LOGGED}){MODEL}add/", superusers(200)),
    Row(rf"(?!{WRITTEN}|{KEPT}){MODEL}{GIVEN}delete/", superusers(200)),
    Row(rf"({WRITTEN}({GIVEN}delete|add)|{LOGGED}add|{KEPT}{GIVEN}delete)/", superusers(403)),
    Row(rf"{MODEL}{GIVEN}", superusers(ADMIN)),
    page("admin/customers/user/<id>/password/", superusers(200)),
)
ROWS = (*CONSOLE, *ACCOUNTS, *ADMINISTRATION)


def patterns() -> Iterator[str]:
    """Every URL pattern of the product, from the root."""
    yield from _walk(get_resolver(), "")


def _walk(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield pattern
        else:
            yield from _walk(entry, pattern)


def rows_of(pattern: str) -> list[Row]:
    """The rows that claim a pattern; there must be one."""
    return [row for row in ROWS if re.fullmatch(row.pattern, pattern)]


# --- Dialects ----------------------------------------------------------------------------------


class Credentials(NamedTuple):
    """Statuses by what the caller shows: nothing, something wrong, another workspace's, the right ones."""

    missing: int
    wrong: int
    foreign: int
    right: int


def keyed(status: int = 200, *, foreign: int = 0) -> Credentials:
    """For who has a key. A foreign one is a good one: what it sends goes to its own workspace."""
    return Credentials(401, 401, foreign or status, status)


# For everybody: the id of the message is the secret, and an unknown one is answered alike.
OPEN = Credentials(200, 200, 200, 200)


@dataclass(frozen=True, slots=True)
class DialectRow:
    """One operation of a dialect, and how it is called. ``values`` fill the template."""

    dialect: str
    method: str
    template: str
    answers: Credentials
    values: tuple[str, ...] = ()
    body: Json = None

    def url(self, **words: str) -> str:
        """The address; words in braces among the values are filled in."""
        parts = iter(self.values)
        return re.sub(r"{\w+}", lambda _: next(parts).format(**words), self.template)


def track(
    method: str, template: str, answers: Credentials, values: tuple[str, ...] = (), body: Json = None
) -> DialectRow:
    """A row of the Track API."""
    return DialectRow("customerio_track", method, template, answers, values, body)


_PERSON, _SEGMENT = "/api/v1/customers/{identifier}", "/api/v1/segments/{segment_id}"
_VISIT = {"name": "Visit"}
_OPERATION = {"type": "person", "action": "event", "identifiers": {"id": "5"}, "name": "Visit"}
_REPORT = {"delivery_id": "unknown", "metric": "opened", "event": "opened"}
DIALECT_ROWS = (
    track("PUT", _PERSON, keyed(), ("5",), {"plan": "x"}),
    track("DELETE", _PERSON, keyed(), ("5",), {}),
    track("PUT", f"{_PERSON}/devices", keyed(), ("5",), {"device": {"id": "t-1", "platform": "ios"}}),
    track("DELETE", f"{_PERSON}/devices/{{device_id}}", keyed(), ("5", "t-1"), {}),
    track("POST", f"{_PERSON}/suppress", keyed(), ("5",), {}),
    track("POST", f"{_PERSON}/unsuppress", keyed(), ("5",), {}),
    track("POST", f"{_PERSON}/events", keyed(), ("5",), _VISIT),
    track("POST", "/api/v1/events", keyed(), (), _VISIT | {"anonymous_id": "v-1"}),
    track("POST", "/api/v1/merge_customers", keyed(), (), {"primary": {"id": "5"}, "secondary": {"id": "6"}}),
    # Another workspace's segment does not exist.
    track("POST", f"{_SEGMENT}/add_customers", keyed(foreign=404), ("{segment}",), {"ids": ["5"]}),
    track("POST", f"{_SEGMENT}/remove_customers", keyed(foreign=404), ("{segment}",), {"ids": ["5"]}),
    track("POST", "/api/v1/forms/{form_id}/submit", keyed(204), ("signup",), {"data": {"id": "5"}}),
    track("POST", "/api/v1/metrics", OPEN, (), _REPORT),
    track("POST", "/api/v1/push/events", OPEN, (), _REPORT),
    track("POST", "/unsubscribe/{delivery_id}", OPEN, ("unknown",), {"unsubscribe": True}),
    track("GET", "/api/v1/accounts/region", keyed()),
    track("POST", "/api/v2/entity", keyed(), (), _OPERATION),
    track("POST", "/api/v2/batch", keyed(), (), {"batch": [_OPERATION]}),
)
