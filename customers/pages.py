"""What this app adds to the pages about a customer."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from customers import belongings, history
from customers.access import Viewer
from customers.profiles import Profile


def load_properties(_request: HttpRequest, _viewer: Viewer, profile: Profile) -> dict[str, Any]:
    """Context of the properties tab."""
    return {"properties": profile.properties, "is_empty": not profile.properties}


def load_consent_panel(viewer: Viewer, profile: Profile) -> dict[str, Any]:
    """The card beside the profile."""
    return {"consent": belongings.consent(viewer, profile.id)}


def load_subscriptions(_request: HttpRequest, viewer: Viewer, profile: Profile) -> dict[str, Any]:
    """What the customer said about each topic."""
    return load_consent_panel(viewer, profile)


def load_devices(request: HttpRequest, viewer: Viewer, profile: Profile) -> dict[str, Any]:
    """A page of devices."""
    page = belongings.devices(viewer, profile.id, request.GET.get("after", ""))
    return {"devices": page.rows, "more_url": more_url(request, profile, "devices", page.next_cursor)}


def load_objects(request: HttpRequest, viewer: Viewer, profile: Profile) -> dict[str, Any]:
    """A page of objects."""
    page = belongings.objects(viewer, profile.id, request.GET.get("after", ""))
    return {"objects": page.rows, "more_url": more_url(request, profile, "objects", page.next_cursor)}


def load_changes(request: HttpRequest, viewer: Viewer, profile: Profile) -> dict[str, Any]:
    """A page of changes."""
    page = history.changes(viewer, profile.id, request.GET.get("after", ""))
    return {"days": page.days, "more_url": more_url(request, profile, "changes", page.next_cursor)}


def more_url(request: HttpRequest, profile: Profile, tab: str, cursor: str) -> str:
    """The address of the next page of a tab, or "" at the end."""
    if not cursor:
        return ""
    slug = request.workspace.slug  # type: ignore[attr-defined]  # set by the gate
    return f"{reverse('customers:tab', args=[slug, profile.id, tab])}?{urlencode({'after': cursor})}"
