"""Stored values live in columns named ``raw_…``; who may name them, and who may read them (Q4, house style 3.8)."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Field
from django.test import Client

from customers import panels
from customers.models import CustomerProfile
from tests.security.inventory import CONSOLE, PROFILE, patterns, rows_of
from tests.security.scene import Scene

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("customers", "dialects", "rolodesk", "segments", "tracking")

MODELS = {
    *("customers/models/customer.py", "customers/models/device.py", "customers/models/entity.py"),
    *("customers/models/identifier.py", "tracking/models.py"),
}
READ_GATES = {
    *("customers/profiles.py", "customers/search.py", "customers/belongings.py", "customers/history.py"),
    *("tracking/timeline.py", "tracking/references.py", "tracking/messages.py", "tracking/quarantine.py"),
}
WRITE_GATES = {
    *("customers/sql.py", "customers/writing/consent.py", "customers/writing/devices.py"),
    *("customers/writing/erase.py", "customers/writing/objects.py", "customers/writing/profile.py"),
    *("tracking/intake/inbox.py", "tracking/intake/sql.py", "tracking/intake/deliveries.py"),
    *("tracking/intake/moving.py", "tracking/services/quarantine.py"),
}
# Make conditions or send statements for a gate; what counts is who calls them.
CONDITIONS, HELPERS = {"tracking/references.py"}, {"customers/paging.py"}
# Compares stored values with their digests and tells only how many are wrong.
CHECKS = {"tracking/integrity/sql.py"}

Wire = Callable[[str, FrameType | None], None]


def raw_fields() -> list[Field]:
    """The fields of all models that hold stored values."""
    found = [field for model in apps.get_models() for field in model._meta.local_concrete_fields]
    return [field for field in found if field.attname.startswith("raw_")]


COLUMNS = sorted({field.attname for field in raw_fields()})
# Also the beginning of a name that would be put together.
NAMED = re.compile(rf"\b({'|'.join(COLUMNS)})(?![a-z])|[\"']raw_[\"'{{]")


# --- Who names them ----------------------------------------------------------------------------


def namers(folders: tuple[str, ...], pattern: str) -> set[str]:
    """The files that name such a column; migrations repeat the models."""
    paths = [path for folder in folders for path in (ROOT / folder).rglob(pattern) if "migrations" not in path.parts]
    assert paths, "nothing was looked at"
    return {path.relative_to(ROOT).as_posix() for path in paths if NAMED.search(path.read_text("utf-8"))}


def test_only_models_gates_and_the_integrity_check_name_stored_values() -> None:
    assert namers(PACKAGES, "*.py") == MODELS | READ_GATES | WRITE_GATES | CHECKS


@pytest.mark.parametrize(("folder", "pattern"), [("templates", "*"), ("static", "*.js"), ("docs", "*.md")])
def test_no_template_script_or_page_names_them(folder: str, pattern: str) -> None:
    paths = [path for path in (ROOT / folder).rglob(pattern) if path.is_file()]
    assert paths, "nothing was looked at"
    assert [path.name for path in paths if NAMED.search(path.read_text("utf-8"))] == []


def test_whatever_a_customer_or_an_event_brings_along_is_in_such_a_column() -> None:
    """Free text and documents of the tables about people are stored values, or are named here with the reason."""
    free = {
        f"{field.model._meta.label}.{field.name}"
        for model in apps.get_models()
        if any(field.name == "customer_id" for field in model._meta.local_concrete_fields)
        for field in model._meta.local_concrete_fields
        if field.get_internal_type() in ("TextField", "JSONField") and not field.attname.startswith("raw_")
    }
    assert free == {
        "customers.CustomerProfile.props_ts",  # names of properties and times
        "customers.PropertyChange.name",  # the name of a property
        "customers.PropertyChange.source",  # a face of ours
        "customers.Subscription.source",
    }


# --- Who reads them ----------------------------------------------------------------------------


class Tripped(AssertionError):
    """Somebody outside of the gates reads a stored value."""


def reader(frame: FrameType | None) -> str:
    """The module of the product that reads, or "" when it is a test."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        path = name.replace(".", "/") + ".py"
        if name.split(".", maxsplit=1)[0] in PACKAGES and path not in HELPERS:
            return path
        frame = frame.f_back
    return ""


class Guarded:
    """An attribute of a model that tells who reads it."""

    def __init__(self, name: str, wire: Wire) -> None:
        self.name, self.wire = name, wire

    def __get__(self, instance: Any, _owner: type) -> Any:
        if instance is None:
            return self
        self.wire(self.name, sys._getframe(1))
        return instance.__dict__[self.name]

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.name] = value


@contextmanager
def trip_wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Raises Tripped when a stored value is read outside of the gates; gives the gates that did."""
    readers: set[str] = set()

    def wire(name: str, frame: FrameType | None) -> None:
        who = reader(frame)
        if who and who not in READ_GATES | WRITE_GATES:
            raise Tripped(f"{who} reads {name}")
        readers.add(who)

    def statement(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if found := NAMED.search(sql):
            wire(found[0], sys._getframe(1))
        return execute(sql, *rest)

    with monkeypatch.context() as patch, connection.execute_wrapper(statement):
        for field in raw_fields():
            patch.setattr(field.model, field.attname, Guarded(field.attname, wire))
        yield readers


def visit(client: Client, scene: Scene, headers: dict[str, str]) -> None:
    """Every page and region of the console, with each tab of the profile."""
    for pattern in patterns():
        (row,) = rows_of(pattern)
        if row not in CONSOLE:
            continue
        url = row.address(pattern, scene)
        if row.method == "POST":
            response = client.post(url, row.content(scene) | {"q": "canar"}, headers=headers)
        else:
            response = client.get(url, headers=headers)
        if response.status_code == 302 and response["Location"].startswith("/w/"):
            client.get(response["Location"])
    for tab in panels.tabs():
        client.get(PROFILE.format(**scene.words) + f"{tab.key}/", headers=headers)


@pytest.mark.slow  # every page twice
@pytest.mark.parametrize("role", ["support", "lead", "root"])
def test_every_page_reads_stored_values_through_the_gates(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    client = scene.client(role)
    with trip_wire(monkeypatch) as readers:
        for headers in ({}, {"HX-Request": "true"}):
            visit(client, scene, headers)
    # Support may not open the quarantine; who may tries something from there again, which a write gate does.
    assert readers - WRITE_GATES == READ_GATES - CONDITIONS - (
        {"tracking/quarantine.py"} if role == "support" else set()
    )


def test_the_wire_trips_in_a_view_for_an_attribute_and_for_a_query(anna: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "def attribute(row): return row.raw_props\ndef query(rows): return list(rows.values_list('raw_props'))"
    view: dict[str, Any] = {"__name__": "customers.views"}
    exec(source, view)  # noqa: S102  # as if a view did it
    row, rows = CustomerProfile.objects.get(pk=anna), CustomerProfile.objects.filter(pk=anna)
    assert view["attribute"](row) == view["query"](rows)[0][0]
    with trip_wire(monkeypatch):
        with pytest.raises(Tripped, match=r"views\.py reads raw_props"):
            view["attribute"](CustomerProfile.objects.get(pk=anna))
        with pytest.raises(Tripped, match=r"views\.py reads raw_props"):
            view["query"](rows)
        # A test may look.
        assert CustomerProfile.objects.get(pk=anna).raw_props
