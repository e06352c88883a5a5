"""What tracking adds to the pages about a customer."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest

from customers.access import Viewer
from customers.pages import more_url
from customers.panels import Cell
from customers.profiles import Profile
from tracking import messages, timeline, views


def load_column(viewer: Viewer, ids: list[UUID]) -> dict[UUID, Cell]:
    """Lifetime value of each row."""
    return {id_: Cell(value=value.total.value) for id_, value in timeline.values(viewer, ids).items()}


def load_panel(viewer: Viewer, profile: Profile) -> dict[str, Any]:
    """The card beside the profile."""
    return {"value": timeline.values(viewer, [profile.id]).get(profile.id)}


def load_tab(request: HttpRequest, viewer: Viewer, profile: Profile) -> dict[str, Any]:
    """The first page of the timeline."""
    return views.timeline_context(request, viewer, profile.id)


def load_messages(request: HttpRequest, viewer: Viewer, profile: Profile) -> dict[str, Any]:
    """A page of messages; ``messages`` alone is Django's word for toasts."""
    page = messages.page(viewer, profile.id, request.GET.get("after", ""))
    return {"messages_sent": page.rows, "more_url": more_url(request, profile, "messages", page.next_cursor)}
