"""Twin worlds (Q2): two databases that differ only in what a viewer may not see look the same to him.

``ROLODESK_TWIN_EXAMPLES=5000 scripts/test tests/security/test_twin_worlds.py`` tries harder than `make test`.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers import access, masking, panels, profiles, search
from customers.identifiers import normalise
from customers.models import CustomerProfile
from segments.models import Segment
from tests.cast import Cast
from tests.security.inventory import CONSOLE, patterns, rows_of
from tests.security.observation import Observation, first_difference, observe
from tests.security.stage import Stage, prepare
from tests.security.worlds import BELONGINGS, CLASSES, EVENTS, KINDS, ROLES, Happening, Person, World, worlds
from tracking import quarantine, timeline
from tracking.models import EventDefinition, QuarantinedItem

EXAMPLES = int(os.environ.get("ROLODESK_TWIN_EXAMPLES", "100"))
HTMX = {"HX-Request": "true"}
# Small pages, so that small worlds have more than one.
SMALL_PAGE, SMALL_CAP = 2, 5
MORE = re.compile(r'hx-get="([^"]*after=[^"]*)"')
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
NOBODY = "nobody@fjord.example"


# --- What is asked -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Probe:
    """A text to search for: a part of what stands in one of the worlds, or nonsense."""

    source: str
    person: int
    nonsense: str
    number: int
    start: int
    cut: int
    is_upper: bool

    def text(self, stage: Stage) -> str:
        """Never the whole of a hidden identifier: what looking that up says is released (D1)."""
        values = [value for _, _, value, _ in stage.identifiers(self.number)] or [NOBODY]
        person = stage.world.people[self.person % len(stage.world.people)]
        whole = {
            "nonsense": self.nonsense,
            "identifier": values[self.person % len(values)],
            "name": str(person.properties.get("name", (NOBODY, NOBODY))[self.number]),
        }[self.source]
        part = whole[self.start : len(whole) - self.cut] or NOBODY
        part = part.upper() if self.is_upper else part
        return NOBODY if is_released(stage, part) else part


def is_released(stage: Stage, text: str) -> bool:
    """Whether this text is the whole of an identifier that is hidden from the viewer in one of the worlds."""
    return any(
        is_hidden and normalise(kind.normaliser, text) == normalise(kind.normaliser, value)
        for number in (0, 1)
        for _, kind, value, is_hidden in stage.identifiers(number)
    )


@dataclass(frozen=True, slots=True)
class Request:
    """One of the product's URLs, with what it can be asked."""

    pattern: str
    is_region: bool
    person: int
    tab: str = "properties"
    probe: Probe | None = None
    filters: dict[str, Any] = field(default_factory=dict)

    def send(self, client: Client, stage: Stage):
        """The response."""
        (row,) = rows_of(self.pattern)
        template = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", "/" + self.pattern)
        index = self.person % len(stage.world.people)
        words = {"workspace": stage.workspace.slug, "customer": stage.customer_id(index), "tab": self.tab}
        url = template.format(**words, item=stage.item_id(index))
        body = {"q": self.probe.text(stage)} if self.probe else self._form(stage)
        send = client.post if row.method == "POST" else client.get
        return send(url, body, headers=HTMX if self.is_region else {})

    def _form(self, stage: Stage) -> dict[str, Any]:
        """The filters, with numbers of types and days that exist; some do not."""
        form = dict(self.filters)
        if "item" in form:
            form["item"] = stage.item_id(form["item"])
        if "types" in form:
            known = [*EventDefinition.objects.filter(workspace=stage.workspace).values_list("pk", flat=True), 0]
            form["types"] = [known[place % len(known)] for place in form["types"]]
        for name in ("since", "until"):
            if isinstance(form.get(name), int):
                form[name] = (stage.now - timedelta(days=form[name])).date().isoformat()
        return form


probes = st.builds(
    Probe,
    source=st.sampled_from(["identifier", "identifier", "name", "nonsense"]),
    person=st.integers(0, 20),
    nonsense=st.text(min_size=1, max_size=8),
    number=st.integers(0, 1),
    start=st.sampled_from([0, 0, 0, 1, 3]),
    cut=st.integers(0, 3) | st.integers(4, 20),
    is_upper=st.booleans(),
)
forms = st.fixed_dictionaries(
    {
        "types": st.lists(st.integers(0, 4), max_size=2),
        "text": st.sampled_from(["", "pur", "VISIT", "x", "anna"]),
        "since": st.sampled_from(["", "soon"]) | st.integers(0, 50),
        "until": st.just("") | st.integers(0, 50),
        "order": st.sampled_from(["newest", "oldest", ""]),
    }
)
choices = st.builds(lambda item: {"item": item}, st.integers(0, 4)) | st.just({"reason": "absurd_time"})
# What each URL can be asked beside for whom; a test demands an entry for each that has people behind it.
GENERATORS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "w/<slug:workspace>/customers/": {},
    "w/<slug:workspace>/customers/search/": {"probe": probes},
    "w/<slug:workspace>/customers/<uuid:customer>/": {},
    "w/<slug:workspace>/customers/<uuid:customer>/<slug:tab>/": {
        "tab": st.sampled_from([*(tab.key for tab in panels.tabs()), "none"])
    },
    "w/<slug:workspace>/timeline/<uuid:customer>/": {},
    "w/<slug:workspace>/timeline/<uuid:customer>/filter/": {"filters": forms},
    "w/<slug:workspace>/quarantine/": {},
    "w/<slug:workspace>/quarantine/<int:item>/": {},
    "w/<slug:workspace>/quarantine/redrive/": {"filters": choices},
    "w/<slug:workspace>/quarantine/discard/": {"filters": choices},
}
# The list and the search have most to give away, so they are asked most often.
OFTEN = ["w/<slug:workspace>/customers/", *["w/<slug:workspace>/customers/search/"] * 3]
requests = st.one_of(
    [
        st.builds(Request, st.just(pattern), st.booleans(), st.integers(0, 4), **GENERATORS[pattern])
        for pattern in [*OFTEN, *GENERATORS]
    ]
)


# --- What is seen ------------------------------------------------------------------------------


def watch(send: Callable[[], Any]) -> tuple[Any, Observation]:
    """A response, and what can be seen of it."""
    statements = 0

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        response = send()
    return response, observe(response, statements)


def visit(client: Client, stage: Stage, request: Request) -> list[Observation]:
    """A request, the page it leads to, and what is loaded from there on."""
    response, seen = watch(partial(request.send, client, stage))
    observations = [seen]
    if response.status_code == 302:
        response, seen = watch(partial(client.get, response["Location"]))
        observations.append(seen)
    while more := MORE.search(response.content.decode()):
        response, seen = watch(partial(client.get, unescape(more[1]), headers=HTMX))
        observations.append(seen)
    return observations


def looked_at(client: Client, stage: Stage, number: int, request: Request) -> list[Observation]:
    """What is seen in one world; the visit leaves no trace, such as a look-up that was counted."""
    stage.show(number)
    with transaction.atomic():
        observations = visit(client, stage, request)
        transaction.set_rollback(True)
    return observations


def difference(client: Client, stage: Stage, request: Request) -> str:
    """The first thing that tells the worlds apart, or ""."""
    one, other = (looked_at(client, stage, number, request) for number in (0, 1))
    for left, right in zip(one, other, strict=False):
        if told := first_difference(left, right):
            return told
    return "" if len(one) == len(other) else f"{len(one)} and {len(other)} pages"


@dataclass(frozen=True, slots=True)
class Theatre:
    """Where worlds are put on: the workspace, and somebody of each role."""

    cast: Cast
    queue: Segment
    debtors: Segment
    clients: dict[str, Client]
    now: datetime

    def difference(self, world: World, role: str, request: Request) -> str:
        """What somebody of this role could tell the two worlds apart by."""
        with transaction.atomic(), time_machine.travel(self.now, tick=False):
            stage = Stage(self.cast.workspace, self.queue, self.debtors, world, role, self.now)
            stage.store()
            found = difference(self.clients[role], stage, request)
            transaction.set_rollback(True)
        return found


@pytest.fixture
def theatre(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Theatre:
    """The theatre, with everybody signed in."""
    monkeypatch.setattr(search, "PAGE", SMALL_PAGE)
    monkeypatch.setattr(search, "COUNT_CAP", SMALL_CAP)
    monkeypatch.setattr(timeline, "PAGE", SMALL_PAGE)
    queue, debtors, clerk = prepare(cast)
    now, clients = timezone.now(), {}
    for role in ROLES:
        clients[role] = Client()
        clients[role].force_login(clerk if role == "queue" else getattr(cast, role), backend=BACKEND)
        clients[role].get("/health/")  # the first request of a session sets its cookie
    return Theatre(cast, queue, debtors, clients, now)


once = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


# --- The tests ---------------------------------------------------------------------------------


def test_every_url_with_people_behind_it_has_a_generator() -> None:
    behind = {pattern for pattern in patterns() if rows_of(pattern)[0] in CONSOLE and pattern.startswith("w/")}
    assert behind == GENERATORS.keys()


@pytest.mark.slow  # two visits for each example
@once
@given(world=worlds, role=st.sampled_from(list(ROLES)), request=requests)
def test_worlds_that_differ_only_in_hidden_values_look_the_same(
    theatre: Theatre, world: World, role: str, request: Request
) -> None:
    assert theatre.difference(world, role, request) == ""


# --- Seeded leaks: the test above would notice ----------------------------------------------------


def leak_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask as long as the value."""

    def show(described, read, clearance, **rest):
        shown = masking.show(described, read, clearance, **rest)
        return replace(shown, value="*" * len(str(read())), is_masked=False) if shown.is_masked else shown

    monkeypatch.setattr(profiles, "show", show)
    monkeypatch.setattr(timeline, "show", show)


def leak_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask that knows whether it hides a list."""

    def show(described, read, clearance, **rest):
        kind = "json" if isinstance(read(), list | dict) else described.type
        return replace(masking.show(described, read, clearance, **rest), type=kind)

    monkeypatch.setattr(profiles, "show", show)


def leak_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search by part over everybody."""
    monkeypatch.setattr(search, "access", SimpleNamespace(sees=lambda *_: access.TRUE))


def leak_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sum that forgets what it is made of."""
    monkeypatch.setattr(timeline, "_highest_class", lambda *_: access.PUBLIC)


def leak_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    """One statement more where there is something to hide."""

    def show(described, read, clearance, **rest):
        if not clearance.shows(described.data_class) and read():
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        return masking.show(described, read, clearance, **rest)

    monkeypatch.setattr(profiles, "show", show)


def leak_membership(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of every class for everybody."""
    monkeypatch.setattr(access.Viewer, "sees_everywhere", lambda *_: True)


def leak_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results in the order of their hidden names."""
    plain = search.listing

    def listing(viewer, cursor=""):
        page = plain(viewer, cursor)
        documents = dict(CustomerProfile.objects.values_list("customer_id", "raw_props"))
        rows = sorted(page.groups[0].rows, key=lambda row: str(documents[row.id].get("name")))
        return replace(page, groups=(replace(page.groups[0], rows=tuple(rows)),))

    monkeypatch.setattr(search, "listing", listing)


def leak_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long something is of which nothing else is told."""
    plain = quarantine.detail

    def detail(viewer, item_id):
        body = QuarantinedItem.objects.values_list("raw_body", flat=True).get(pk=item_id)
        return replace(plain(viewer, item_id), size=len(body))

    monkeypatch.setattr(quarantine, "detail", detail)


def plain_person(number: int, *, is_restricted: bool = False) -> Person:
    """Somebody with something different in each world everywhere."""
    return Person(
        identifiers=dict.fromkeys(KINDS, ("ab", "nba")),
        properties={name: (f"anna {number}", ["b" * (9 - number)]) for name in [*CLASSES, "note"]} | {"pin": ("", 1)},
        events=[Happening(name, number, {"remark": (1, "b"), "card": ("", 5)}, (7, 1000)) for name in EVENTS],
        minutes=number,
        is_restricted=is_restricted,
        is_queued=False,
        is_debtor=(number == 1, number == 2),
        state="active",
        belongings=dict.fromkeys(BELONGINGS, ("anna", f"banana {number}")),
        aside=dict.fromkeys(("name", "remark"), ("anna", f"banana {number}")),
    )


PLAIN_WORLD = World([plain_person(1), plain_person(2), plain_person(3, is_restricted=True)], None, has_revenue=True)
PLAIN_PROBES = [
    Probe(source, person, NOBODY, 0, 0, 3, is_upper=False) for source in ("identifier", "name") for person in range(5)
]
PLAIN_REQUESTS = [
    *(Request(pattern, is_region=False, person=1) for pattern in GENERATORS if not pattern.endswith("search/")),
    *(Request("w/<slug:workspace>/customers/search/", True, 0, probe=probe) for probe in PLAIN_PROBES),
]


@pytest.mark.slow  # some twenty visits to two worlds
@pytest.mark.parametrize("role", ["support", "lead"])
def test_a_plain_world_shows_no_difference(theatre: Theatre, role: str) -> None:
    for request in PLAIN_REQUESTS:
        assert theatre.difference(PLAIN_WORLD, role, request) == "", request


@pytest.mark.slow  # visits until the leak is found
@pytest.mark.parametrize(
    ("leak", "role"),
    [
        *((leak, "support") for leak in (leak_length, leak_type, leak_search, leak_sum, leak_statement)),
        *((leak, "support") for leak in (leak_membership, leak_order)),
        (leak_size, "lead"),
    ],
)
def test_a_seeded_leak_is_found(
    theatre: Theatre, leak: Callable[[pytest.MonkeyPatch], None], role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leak(monkeypatch)
    assert any(theatre.difference(PLAIN_WORLD, role, request) for request in PLAIN_REQUESTS)
