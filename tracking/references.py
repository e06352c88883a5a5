"""Registry of system rows that point at something not everybody may know of, such as a segment.

For a viewer who may not, such a row does not exist: not on the timeline, not in its counts (security.md N5).
Whoever writes the rows registers here what a viewer may know.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from customers.access import Viewer
from tracking.models import EventDefinition, EventKind


@dataclass(frozen=True, slots=True)
class Reference:
    """Rows of these names hold under ``key`` a number; ``known`` gives the numbers a viewer may know, with names."""

    names: frozenset[str]
    key: str
    known: Callable[[Viewer], Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a viewer may know of the rows of these types."""

    types: frozenset[int]
    key: str
    names: Mapping[int, str]

    @property
    def condition(self) -> Q:
        """The events that he may know of, as a condition on Event."""
        return ~Q(type_id__in=self.types) | self.known

    @property
    def known(self) -> Q:
        """Those that point at something he knows."""
        return Q((f"raw_props__{self.key}__in", list(self.names)))

    def named(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document of such an event with the name in place of the number."""
        return {**document, self.key: self.names[document[self.key]]}


_references: list[Reference] = []


def register(*references: Reference) -> None:
    """Add references; called in ``ready``."""
    _references.extend(references)


def pointing(workspace_id: int) -> Q:
    """The types of such rows that a workspace has, as a condition on EventDefinition."""
    names = sorted(name for one in _references for name in one.names)
    return Q(workspace_id=workspace_id, kind=EventKind.SYSTEM, name__in=names)


def scopes(viewer: Viewer, types: Mapping[int, EventDefinition]) -> list[Scope]:
    """What this viewer may know, for those of the types that point at something."""
    found = []
    for one in _references:
        numbers = frozenset(id_ for id_, row in types.items() if row.kind == EventKind.SYSTEM and row.name in one.names)
        if numbers:
            found.append(Scope(numbers, one.key, one.known(viewer)))
    return found
