"""Role matrix over the whole inventory (Q6): every URL and every route, for each of the cast, in every manner."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from html import escape
from uuid import uuid4

import pytest
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.utils import timezone

from customers.models import Token, User, Workspace
from customers.services.tokens import issue_token
from dialects import registry
from dialects.registry import Dialect
from tests.contracts.client import basic, request
from tests.factories import grant, make_segment, make_user, make_workspace
from tests.security.inventory import (
    ADMIN_SIGN_IN,
    CONSOLE,
    DIALECT_ROWS,
    ROWS,
    SIGN_IN,
    Answer,
    DialectRow,
    Row,
    patterns,
    rows_of,
)
from tests.security.observation import Observation, first_difference, observe
from tests.security.scene import ROLES, Scene, missing_settings
from tracking.intake.collector import collector
from tracking.models import InboxItem

HTMX = {"HX-Request": "true"}
BOOSTED = {"HX-Request": "true", "HX-Boosted": "true"}
OTHER_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REFUSALS = (SIGN_IN, ADMIN_SIGN_IN, 403, 404)
NOT_ALLOWED = 405


def call(
    client: Client, row: Row, pattern: str, scene: Scene, *, method: str = "", headers: Mapping[str, str] | None = None
):
    """One request of this row, as it is or by another method."""
    url, method = row.address(pattern, scene), method or row.method
    if method == "POST":
        return client.post(url, row.content(scene), MULTIPART_CONTENT, headers=headers)
    return client.generic(method, url, headers=headers)


def is_answer(response, expected: Answer, scene: Scene) -> bool:
    """Whether this is the expected status, or a redirect to the expected place."""
    if isinstance(expected, int):
        return response.status_code == expected
    target = expected.format(**scene.words)
    return response.status_code == 302 and response["Location"].startswith(target)


def told(response) -> str:
    """An answer in short, for the message of a failing test."""
    return f"{response.status_code} {response.headers.get('Location', '')}".strip()


def deviations(scene: Scene, role: str, headers: Mapping[str, str], *, is_region: bool = False) -> dict[str, str]:
    """What this role gets and should not, by pattern."""
    client, found = scene.client(role), {}
    for pattern in patterns():
        (row,) = rows_of(pattern)
        expected = getattr((row.htmx if is_region else None) or row.answers, role)
        response = call(client, row, pattern, scene, headers=headers)
        if not is_answer(response, expected, scene):
            found[f"{row.method} {pattern}"] = f"{told(response)}, not {expected}"
    return found


# --- The inventory -----------------------------------------------------------------------------


def test_every_url_has_exactly_one_row() -> None:
    counts = {pattern: len(rows_of(pattern)) for pattern in patterns()}
    assert len(counts) > 100, "the URL conf was not walked"
    assert {pattern: n for pattern, n in counts.items() if n != 1} == {}


def test_every_row_is_of_a_url_that_exists() -> None:
    used = Counter(row.pattern for pattern in patterns() for row in rows_of(pattern))
    assert [row.pattern for row in ROWS if not used[row.pattern]] == []


def test_the_scene_has_a_row_of_every_setting_of_the_admin(scene: Scene) -> None:
    assert missing_settings(scene) == set()


# --- The matrix --------------------------------------------------------------------------------


@pytest.mark.slow  # some two hundred pages, half of them drawn in full for the superuser
@pytest.mark.parametrize("role", ROLES)
def test_everybody_gets_from_every_page_what_the_inventory_says(scene: Scene, role: str) -> None:
    assert deviations(scene, role, {}) == {}


@pytest.mark.slow  # the same pages again
@pytest.mark.parametrize("role", ROLES)
def test_everybody_gets_from_every_region_what_the_inventory_says(scene: Scene, role: str) -> None:
    assert deviations(scene, role, HTMX, is_region=True) == {}


@pytest.mark.parametrize("role", ROLES)
def test_a_boosted_request_of_a_page_is_answered_like_a_plain_one(scene: Scene, role: str) -> None:
    client = scene.client(role)
    for pattern in patterns():
        (row,) = rows_of(pattern)
        if row in CONSOLE:  # the others know nothing of htmx
            response = call(client, row, pattern, scene, headers=BOOSTED)
            assert is_answer(response, getattr(row.answers, role), scene), pattern


@pytest.mark.parametrize("role", ["anonymous", "support"])
def test_head_is_answered_like_get_or_by_nobody_and_without_a_body(scene: Scene, role: str) -> None:
    client, found = scene.client(role), {}
    for pattern in patterns():
        (row,) = rows_of(pattern)
        response = call(client, row, pattern, scene, method="HEAD")
        as_get = row.method == "GET" and is_answer(response, getattr(row.answers, role), scene)
        if response.content or not (as_get or response.status_code == NOT_ALLOWED):
            found[pattern] = told(response)
    assert found == {}


@pytest.mark.slow  # every page by four further methods
@pytest.mark.parametrize("role", ["anonymous", "outsider"])
def test_who_is_refused_is_refused_by_every_method(scene: Scene, role: str) -> None:
    client, found, tried = scene.client(role), {}, 0
    for pattern in patterns():
        (row,) = rows_of(pattern)
        expected = getattr(row.answers, role)
        if expected not in REFUSALS:
            continue
        for method in OTHER_METHODS:
            response = call(client, row, pattern, scene, method=method)
            tried += 1
            if not (response.status_code == NOT_ALLOWED or is_answer(response, expected, scene)):
                found[f"{method} {pattern}"] = told(response)
    assert found == {}
    assert tried > 100


def test_staff_who_are_no_superusers_find_no_settings(scene: Scene) -> None:
    clerk = make_user("clerk", is_staff=True)
    client = scene.client("anonymous")
    client.force_login(clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    for model in scene.objects:
        assert client.get(f"/admin/{model}/", follow=True).status_code == 403, model


# --- What does not exist (T1) -------------------------------------------------------------------


def without(observation: Observation, url: str) -> Observation:
    """The observation with the address left out."""
    return replace(observation, body=observation.body.replace(escape(url), ""))


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "region"])
@pytest.mark.parametrize("role", ["outsider", "support"])
def test_what_is_hidden_and_what_does_not_exist_are_answered_alike(
    scene: Scene, role: str, headers: dict[str, str]
) -> None:
    client, unknown = scene.client(role), str(uuid4())
    client.get("/health/")  # the first request of a session sets its cookie
    hidden = scene.cast.workspace.slug if role == "outsider" else scene.cast.elsewhere.slug
    pairs = [
        (f"/w/{hidden}/customers/", "/w/nowhere/customers/"),
        (f"/w/{hidden}/customers/{scene.words['customer']}/", f"/w/nowhere/customers/{unknown}/"),
    ]
    own = scene.cast.elsewhere.slug if role == "outsider" else scene.cast.workspace.slug
    foreign = scene.words["customer"] if role == "outsider" else scene.words["stranger"]
    # The plain timeline only leads to the profile.
    below = ["customers/{}/", "customers/{}/properties/", *(["timeline/{}/?after=x"] if headers else [])]
    pairs += [tuple(f"/w/{own}/{path.format(id_)}" for id_ in (foreign, unknown)) for path in below]  # type: ignore[misc]
    for there, nowhere in pairs:
        one, other = (observe(client.get(url, headers=headers)) for url in (there, nowhere))
        # The page tells where it was asked for, which whoever asked knows.
        assert first_difference(without(one, there), without(other, nowhere)) == "", there
        assert one.status == 404


# --- Dialects ----------------------------------------------------------------------------------

# How a dialect's credentials stand in a request, from the public part and the secret.
AUTHORIZATION = {"customerio_track": basic}
ALLOWED = ("edit", "erase", "manage_segments", "merge", "suppress")
REFUSED = 401


@dataclass(frozen=True, slots=True)
class Keys:
    """Headers with the credentials of two workspaces; ``words`` fill addresses in the first."""

    workspace: Workspace
    elsewhere: Workspace
    headers: dict[str, dict[str, str]]
    words: dict[str, str]

    def send(self, row: DialectRow, headers: dict[str, str]):
        """The response to a row called with these headers."""
        return request(row.method, row.url(**self.words), body=row.body, headers=headers)


def key(workspace: Workspace, dialect: Dialect, public_id: str, *scopes: str) -> dict[str, str]:
    """The header of a new token with these scopes, of a user who may do everything that a token can."""
    user = make_user(is_service=True)
    grant(user, workspace, *ALLOWED)
    secret = issue_token(
        user_id=user.pk, workspace_id=workspace.pk, face=dialect.face, name="test", scopes=list(scopes),
        public_id=public_id,
    )  # fmt: skip
    return {"authorization": AUTHORIZATION[dialect.name](public_id, secret)}


@pytest.fixture(params=registry.registered(), ids=lambda dialect: dialect.name)
def dialect(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[Dialect]:
    """Each dialect; what it remembers of tokens ends with the test, and so does the inbox's connection."""
    found: Dialect = request.param
    found.application.tokens.forget()  # type: ignore[attr-defined]  # a Face
    yield found
    collector.close()
    found.application.tokens.forget()  # type: ignore[attr-defined]


@pytest.fixture
def keys(dialect: Dialect) -> Keys:
    """Credentials of every kind that the inventory knows."""
    here, elsewhere = make_workspace("Shop"), make_workspace("Elsewhere")
    right, foreign = key(here, dialect, "here", *ALLOWED), key(elsewhere, dialect, "there", *ALLOWED)
    wrong = {"authorization": AUTHORIZATION[dialect.name]("here", "no such secret")}
    headers = {"missing": {}, "wrong": wrong, "foreign": foreign, "right": right}
    return Keys(here, elsewhere, headers, {"segment": str(make_segment(here, "Regulars").pk)})


def rows_for(dialect: Dialect, *, is_keyed: bool = False) -> list[DialectRow]:
    """The rows of one dialect, or those of them that want a key."""
    return [
        row for row in DIALECT_ROWS if row.dialect == dialect.name and not (is_keyed and row.answers.missing != REFUSED)
    ]


def inbox() -> set[int]:
    """The workspaces that something was accepted for, and nothing is left."""
    found = set(InboxItem.objects.values_list("workspace_id", flat=True))
    InboxItem.objects.all().delete()
    return found


def test_every_route_of_a_dialect_has_exactly_one_row() -> None:
    routes = sorted((one.name, *route) for one in registry.registered() for route in one.routes)
    assert routes, "no dialect is registered"
    assert sorted((row.dialect, row.method, row.template) for row in DIALECT_ROWS) == routes


def test_every_route_answers_each_kind_of_credentials_as_the_inventory_says(dialect: Dialect, keys: Keys) -> None:
    for row in rows_for(dialect):
        for kind, headers in keys.headers.items():
            assert keys.send(row, headers).status_code == getattr(row.answers, kind), (row.template, kind)
            owner = {"foreign": keys.elsewhere.pk, "right": keys.workspace.pk}.get(kind)
            assert inbox() <= {owner}, (row.template, kind)


def test_refused_requests_look_alike_and_leave_nothing_behind(dialect: Dialect, keys: Keys) -> None:
    other_face = key(keys.workspace, dialect, "other", *ALLOWED)
    Token.objects.filter(public_id="other").update(face="other")
    refused = [{}, keys.headers["wrong"], other_face, key(keys.workspace, dialect, "narrow", "view_workspace")]
    for row in rows_for(dialect, is_keyed=True):
        responses = [keys.send(row, headers) for headers in refused]
        assert {response.status_code for response in responses} == {REFUSED}, row.template
        assert len({(response.content, str(response.headers)) for response in responses}) == 1, row.template
    assert inbox() == set()


def test_a_route_that_destroys_wants_more_than_a_key_that_may_edit(dialect: Dialect, keys: Keys) -> None:
    narrow = key(keys.workspace, dialect, "narrow", "edit")
    refused = {
        f"{row.method} {row.template}"
        for row in rows_for(dialect, is_keyed=True)
        if keys.send(row, narrow).status_code == REFUSED
    }
    person, segment = "/api/v1/customers/{identifier}", "/api/v1/segments/{segment_id}"
    assert refused == {
        f"DELETE {person}", f"POST {person}/suppress", f"POST {person}/unsuppress", "POST /api/v1/merge_customers",
        f"POST {segment}/add_customers", f"POST {segment}/remove_customers",
    }  # fmt: skip


def test_a_session_opens_no_route_of_a_dialect(dialect: Dialect, keys: Keys) -> None:
    client = Client()
    root = make_user(is_superuser=True, is_staff=True)
    client.force_login(root, backend="allauth.account.auth_backends.AuthenticationBackend")
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    for row in rows_for(dialect, is_keyed=True):
        assert keys.send(row, {"cookie": cookie}).status_code == REFUSED, row.template


def test_a_revoked_or_expired_key_and_one_of_a_gone_colleague_open_nothing(dialect: Dialect, keys: Keys) -> None:
    row, token = rows_for(dialect, is_keyed=True)[0], Token.objects.filter(public_id="here")
    past = timezone.now() - timedelta(seconds=1)
    for changed in ({"revoked_at": past}, {"expires_at": past}):
        before = token.values(*changed).get()
        token.update(**changed)
        dialect.application.tokens.forget()  # type: ignore[attr-defined]
        assert keys.send(row, keys.headers["right"]).status_code == REFUSED
        token.update(**before)
    User.objects.update(is_active=False)
    dialect.application.tokens.forget()  # type: ignore[attr-defined]
    assert keys.send(row, keys.headers["right"]).status_code == REFUSED
