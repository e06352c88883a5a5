"""Registries that let higher apps add to the pages: cards, tabs, list columns, entries of the navigation.

``customers`` imports nothing from ``tracking`` or ``segments``; they register here in ``ready``. What a
loader returns came through its own read gate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from customers.access import Viewer
from customers.profiles import Profile


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of an extra column: text, or tags with how many more there are."""

    value: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """An extra column of the customer list; ``kind`` is text, money or tags."""

    key: str
    label: str
    kind: str
    css: str
    position: int
    load: Callable[[Viewer, list[UUID]], dict[UUID, Cell]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A card beside the profile."""

    key: str
    title: str
    template: str
    position: int
    load: Callable[[Viewer, Profile], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of the profile; ``load`` gives the context of its template.

    ``is_paged``: the template has a part ``more``, which htmx gets for ``?after=``.
    """

    key: str
    label: str
    template: str
    position: int
    load: Callable[[HttpRequest, Viewer, Profile], dict[str, Any]]
    is_paged: bool = False


@dataclass(frozen=True, slots=True)
class RailEntry:
    """An entry of the left navigation, for people with ``permission``.

    It is the current one on pages whose view names begin with one of ``prefixes``; ``tally`` counts what waits.
    """

    label: str
    icon: str
    view_name: str
    prefixes: tuple[str, ...]
    position: int
    permission: str = "view_workspace"
    tally: Callable[[Viewer], str] | None = None


_columns: list[Column] = []
_panels: list[Panel] = []
_tabs: list[Tab] = []
_rail: list[RailEntry] = []


def register(*items: Column | Panel | Tab | RailEntry) -> None:
    """Add to the pages; called in ``ready``."""
    for item in items:
        if isinstance(item, Column):
            _columns.append(item)
        elif isinstance(item, Panel):
            _panels.append(item)
        elif isinstance(item, RailEntry):
            _rail.append(item)
        else:
            _tabs.append(item)


def columns() -> list[Column]:
    """Extra columns from left to right."""
    return sorted(_columns, key=lambda column: column.position)


def panels() -> list[Panel]:
    """Cards from top to bottom."""
    return sorted(_panels, key=lambda panel: panel.position)


def tabs() -> list[Tab]:
    """Tabs from left to right."""
    return sorted(_tabs, key=lambda tab: tab.position)


def rail() -> list[RailEntry]:
    """Entries of the navigation from top to bottom."""
    return sorted(_rail, key=lambda entry: entry.position)
