"""Canary sweep (Q3): everybody crawls everything, and no value is found where it must not be.

One crowd and one crawl of each role serve all tests of this module; they only look at what came of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.contrib import admin
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from psycopg import sql

from dialects.customerio_track.dialect import tokens
from tests.cast import make_cast
from tests.security.canaries import OPEN, RESTRICTED, Canary, Crowd, make_crowd
from tests.security.crawl import Crawler, provoke_errors, search_for, visit_inventory, visit_people
from tests.security.haul import ENCODINGS, Haul, encodings
from tests.security.logs import logged
from tests.security.scene import ROLES, Scene, make_scene
from tracking.intake.collector import collector

# Whichever is first waits for the crowd and five crawls. Without the other mark nobody makes a test database.
pytestmark = [pytest.mark.slow, pytest.mark.django_db]

# Columns that hold values although their names do not say so: what events add up to.
SUMS = {("event", "revenue"), ("event_counter", "revenue")}

# What is searched for; the rest is no different from a name. Of people who are gone or elsewhere the e-mail only.
SEARCHED = ("number", "e-mail", "phone", "loyalty", "anonymous id", "name", "undeclared property", "iban")

STORED = ("name", "former name", "iban", "pin", "e-mail", "page", "quarantine", "device", "object", "delivery")


@dataclass(frozen=True, slots=True)
class Sweep:
    """What five crawls brought home, and what they left behind."""

    crowd: Crowd
    hauls: dict[str, Haul]
    admin_haul: Haul
    dialect: Haul
    logs: Haul
    tables: Haul
    stored: Haul
    cache: Haul
    statuses: set[int]


def crawl(scene: Scene, crowd: Crowd, role: str) -> Crawler:
    """Everything that this role can reach, and more."""
    crawler = Crawler(scene.client(role))
    visit_inventory(crawler, scene)
    visit_people(crawler, crowd)
    for canary in crowd.canaries:
        if canary.place in SEARCHED and (canary.owner in (OPEN, RESTRICTED) or canary.place == "e-mail"):
            search_for(crawler, crowd, canary)
    provoke_errors(crawler, crowd, crowd.canaries[0])
    with override_settings(LOOKUPS_PER_MINUTE=0):
        crawler.fetch(f"/w/{scene.words['workspace']}/customers/search/", {"q": "a@b.example"})
    return crawler


def tables() -> tuple[Haul, Haul]:
    """All rows of all tables: the columns that may hold no value, and those that are there for values."""
    clean, stored = Haul(), Haul()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns JOIN pg_class ON relname = table_name"
            " WHERE table_schema = 'public' AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1, 2"
        )
        for table, column in cursor.fetchall():
            cursor.execute(
                sql.SQL("SELECT DISTINCT {c}::text FROM {t}").format(c=sql.Identifier(column), t=sql.Identifier(table))
            )
            holds_values = column.startswith("raw_") or (table, column) in SUMS
            for (text,) in cursor.fetchall():
                # A digest may stand there as an id, with hyphens.
                for form in {text or "", (text or "").replace("-", "")}:
                    (stored if holds_values else clean).add(f"{table}.{column}", form)
    return clean, stored


def kept_in_cache() -> Haul:
    """What the cache holds, as it is held."""
    haul = Haul()
    for key, value in getattr(caches["default"], "_cache", {}).items():
        haul.add("cache", f"{key} {value!r}")
    return haul


@pytest.fixture(scope="module")
def sweep(django_db_setup: None, django_db_blocker) -> Iterator[Sweep]:
    """The crawls, on a database that is emptied afterwards."""
    with django_db_blocker.unblock(), override_settings(LOOKUPS_PER_MINUTE=10_000, LOOKUPS_PER_DAY=100_000):
        try:
            yield _sweep()
        finally:
            collector.close()
            tokens.forget()
            call_command("flush", interactive=False, verbosity=0)


def _sweep() -> Sweep:
    with logged() as lines:
        cast = make_cast()
        crowd = make_crowd(cast)
        scene = make_scene(cast, crowd.customers[OPEN])
        crawlers = {role: crawl(scene, crowd, role) for role in ROLES}
    dialect, logs, settings_pages = Haul(), Haul(), Haul()
    for where, text in crowd.answers:
        dialect.add(where, text)
    logs.add("log", lines.getvalue())
    for line, where in crawlers["root"].haul.lines.items():
        if "/admin/" in where:
            settings_pages.lines[line] = where
    clean, stored = tables()
    return Sweep(
        crowd, {role: one.haul for role, one in crawlers.items()}, settings_pages, dialect, logs, clean, stored,
        kept_in_cache(), {status for one in crawlers.values() for status in one.statuses},
    )  # fmt: skip


def people(crowd: Crowd) -> list[str]:
    """All values of people."""
    return [text for one in crowd.canaries if not one.is_setting for text in one.spellings]


# --- Pages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_no_page_shows_anybody_a_value_that_is_hidden_from_him(sweep: Sweep, role: str) -> None:
    hidden = sweep.crowd.values(hidden_from=role)
    assert hidden, "nothing is hidden from this role"
    assert sweep.hauls[role].find(hidden) == {}


def shown(crowd: Crowd, role: str) -> list[Canary]:
    return [one for one in crowd.canaries if one.is_for(role)]


@pytest.mark.parametrize(("role", "at_least"), [("support", 2), ("outsider", 21), ("lead", 20), ("root", 45)])
def test_the_same_crawl_finds_every_value_that_its_viewer_may_see(sweep: Sweep, role: str, at_least: int) -> None:
    visible = shown(sweep.crowd, role)
    assert len(visible) >= at_least
    assert [one.place for one in visible if not any(sweep.hauls[role].has(text) for text in one.spellings)] == []


def test_a_value_that_is_shown_is_found_by_the_search_too(sweep: Sweep) -> None:
    values = [one.value for one in shown(sweep.crowd, "lead")]
    found = sweep.hauls["lead"].find(values)
    # All but amounts, which are written with a separator.
    assert len(values) - len(found) <= 1
    assert any("html" in place for places in found.values() for place in places)


def test_the_crawl_saw_every_kind_of_answer(sweep: Sweep) -> None:
    assert sweep.statuses >= {200, 302, 403, 404, 405, 410, 422, 429}
    assert all(haul.pages > 600 for haul in sweep.hauls.values())


def test_the_administration_shows_no_value_of_anybody(sweep: Sweep) -> None:
    assert len(sweep.admin_haul.lines) > 1000
    assert sweep.admin_haul.find(people(sweep.crowd)) == {}


def test_the_dialect_repeats_no_value_that_it_was_given(sweep: Sweep) -> None:
    assert any("200" not in text for _, text in sweep.crowd.answers)
    assert sweep.dialect.find(people(sweep.crowd)) == {}


# --- What is left behind -------------------------------------------------------------------------


def test_no_line_of_the_log_holds_a_value(sweep: Sweep) -> None:
    assert any(b'"route": "w/<slug:workspace>/customers/search/"' in line for line in sweep.logs.lines)
    assert any(b'"face": "track"' in line for line in sweep.logs.lines)
    assert sweep.logs.find(people(sweep.crowd)) == {}


def test_no_column_but_those_for_values_holds_one(sweep: Sweep) -> None:
    assert {"audit_entry.data", "search_handle.sealed", "django_session.session_data"} <= set(
        sweep.tables.lines.values()
    )
    assert sweep.tables.find(people(sweep.crowd)) == {}


def test_the_columns_for_values_hold_them(sweep: Sweep) -> None:
    """So the sweep of the other columns would have found them."""
    kept = [one for one in sweep.crowd.canaries if one.place in STORED]
    assert sweep.stored.find(one.value for one in kept).keys() == {one.value for one in kept}


def test_nothing_of_anybody_is_cached(sweep: Sweep) -> None:
    assert sweep.cache.find(people(sweep.crowd)) == {}


def test_no_table_of_people_is_open_to_the_administration() -> None:
    exposed = {
        f"{model._meta.label}.{field.name}"
        for model in admin.site._registry
        for field in model._meta.get_fields()
        if field.name.startswith("raw_") or field.name == "customer_id"
    }
    assert exposed == set()


# --- The search itself -----------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_a_value_is_found_in_each_encoding(encoding: str, before: str) -> None:
    value, haul = "Kanary Ö&<0001>", Haul()
    haul.add("here", "nothing\n" + before)
    assert haul.find([value]) == {}
    assert encodings(value).keys() == set(ENCODINGS)
    haul.add("there", _disguised(value, encoding, before))
    assert any(place.startswith(f"{encoding} at there") for place in haul.find([value])[value])


def _disguised(value: str, encoding: str, before: str) -> str:
    import base64
    import hashlib
    import html
    import json
    from urllib.parse import quote

    return {
        "plain": lambda: before + value,
        "lower": lambda: before + value.lower(),
        "upper": lambda: before + value.upper(),
        "url": lambda: before + quote(value),
        "double url": lambda: before + quote(quote(value)),
        "html": lambda: before + html.escape(value),
        "json": lambda: json.dumps(before + value),
        "base64": lambda: base64.b64encode((before + value + "!").encode()).decode(),
        "hex": lambda: (before + value).encode().hex(),
        "md5": lambda: before + hashlib.md5(value.lower().encode()).hexdigest(),  # noqa: S324  # as avatars do
        "sha1": lambda: before + hashlib.sha1(value.encode()).hexdigest(),  # noqa: S324
        "sha256": lambda: before + hashlib.sha256(value.encode()).hexdigest(),
    }[encoding]()
