"""What every template can use."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from customers import access, panels
from customers.access import PERSONAL, Viewer


@dataclass(frozen=True, slots=True)
class RailItem:
    """An entry of the left navigation."""

    label: str
    icon: str
    url: str
    is_current: bool
    tally: str = ""


@dataclass(frozen=True, slots=True)
class ViewerInfo:
    """What a page may know of its viewer's rights."""

    sees_personal: bool


@dataclass(frozen=True, slots=True)
class Preferences:
    """How this person likes the console."""

    theme: str
    density: str
    shortcuts: bool


def shell(request: HttpRequest) -> dict[str, Any]:
    """The frame around a page: workspace, navigation, preferences."""
    user, workspace = getattr(request, "user", None), getattr(request, "workspace", None)
    if user is None or not user.is_authenticated:
        return {"prefs": Preferences("auto", "comfortable", shortcuts=True), "embedded": settings.EMBEDDED}
    context: dict[str, Any] = {
        "prefs": Preferences(user.theme, user.density, user.has_shortcuts),
        "embedded": settings.EMBEDDED and not settings.REQUIRE_SECOND_FACTOR,
    }
    if workspace is not None:
        view_name = request.resolver_match.view_name if request.resolver_match else ""
        context |= {
            "workspace": workspace,
            "workspaces": access.workspaces_of(user),
            "viewer": ViewerInfo(request.viewer.sees_everywhere(PERSONAL)),  # type: ignore[attr-defined]
            "rail": _rail(request.viewer, workspace.slug, view_name),  # type: ignore[attr-defined]
        }
    return context


def _rail(viewer: Viewer, slug: str, view_name: str) -> list[RailItem]:
    return [
        RailItem(
            entry.label,
            entry.icon,
            reverse(entry.view_name, args=[slug]),
            is_current=view_name.startswith(entry.prefixes),
            tally=entry.tally(viewer) if entry.tally else "",
        )
        for entry in panels.rail()
        if viewer.may(entry.permission)
    ]
