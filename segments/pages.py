"""What segments add to the pages about a customer."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest

from customers.access import Viewer
from customers.panels import Cell
from customers.profiles import Profile
from segments import memberships

SHOWN_TAGS = 2


def load_column(viewer: Viewer, ids: list[UUID]) -> dict[UUID, Cell]:
    """The newest segments of each row."""
    return {
        id_: Cell(
            value=str(len(found)),
            tags=tuple((one.name, "") for one in found[:SHOWN_TAGS]),
            more=max(0, len(found) - SHOWN_TAGS),
        )
        for id_, found in memberships.of_customers(viewer, ids).items()
    }


def load_panel(viewer: Viewer, profile: Profile) -> dict[str, Any]:
    """The card beside the profile."""
    return {"segments": memberships.of_customers(viewer, [profile.id]).get(profile.id, [])}


def load_tab(_request: HttpRequest, viewer: Viewer, profile: Profile) -> dict[str, Any]:
    """The tab."""
    return load_panel(viewer, profile)
