"""Regions of the timeline. Each also answers a plain request with the whole profile page."""

from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import push_url

from customers import handles
from customers.access import Viewer
from customers.views import render_profile
from rolodesk.http import HtmxRequest, needs, wants_fragment
from rolodesk.json import Json
from tracking import timeline
from tracking.forms import TimelineForm
from tracking.timeline import NEWEST, Filters


def timeline_context(request: HttpRequest, viewer: Viewer, customer: UUID) -> dict[str, Any]:
    """Context of the timeline for the handle and cursor in the query string; other apps' tabs use it too."""
    handle, cursor = request.GET.get("t", ""), request.GET.get("after", "")
    filters = _load(viewer, handle) if handle else Filters()
    return _context(request, viewer, customer, filters, handle, cursor)


def _context(
    request: HttpRequest, viewer: Viewer, customer: UUID, filters: Filters, handle: str, cursor: str
) -> dict[str, Any]:
    page = timeline.page(viewer, customer, filters, cursor)
    slug = request.workspace.slug  # type: ignore[attr-defined]  # set by the gate
    older = {"t": handle, "after": page.next_cursor} if handle else {"after": page.next_cursor}
    base = reverse("tracking:timeline", args=[slug, customer])
    return {
        "timeline": page,
        "customer_id": customer,
        "older_url": f"{base}?{urlencode(older)}" if page.next_cursor else "",
    }


@require_GET
@needs("view_workspace")
def timeline_region(request: HtmxRequest, customer: UUID) -> HttpResponse:
    """A further page for htmx; anybody else gets the profile with the same query."""
    if not wants_fragment(request):
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return HttpResponseRedirect(reverse("customers:detail", args=[request.workspace.slug, customer]) + query)
    context = timeline_context(request, request.viewer, customer)
    part = "older" if request.GET.get("after") else "timeline"
    return render(request, f"tracking/timeline.html#{part}", context)


@require_POST  # filters are kept sealed like searches
@needs("view_workspace")
def timeline_filter(request: HtmxRequest, customer: UUID) -> HttpResponse:
    """Filter the timeline; the address of the profile gets a handle that brings the filters back."""
    form = TimelineForm(request.POST, types=timeline.type_ids(request.viewer, customer))
    if not form.is_valid():
        errors = {"filter_errors": form.errors}
        if not wants_fragment(request):
            return render_profile(request, customer, "timeline", extra=errors, status=422)
        context = _context(request, request.viewer, customer, Filters(), "", "") | errors
        return render(request, "tracking/timeline.html#timeline", context, status=422)
    filters = form.filters()
    is_plain = filters == Filters()
    handle = "" if is_plain else handles.store(request.viewer, _stored(filters))
    url = reverse("customers:detail", args=[request.workspace.slug, customer])
    url += f"?{urlencode({'t': handle})}" if handle else ""
    if not wants_fragment(request):
        return HttpResponseRedirect(url)
    context = _context(request, request.viewer, customer, filters, handle, "")
    return push_url(render(request, "tracking/timeline.html#timeline", context), url)


def _stored(filters: Filters) -> dict[str, Json]:
    return {
        "types": list(filters.types),
        "text": filters.text,
        "since": filters.since.isoformat() if filters.since else None,
        "until": filters.until.isoformat() if filters.until else None,
        "order": filters.order,
        "has_system": filters.has_system,
    }


def _load(viewer: Viewer, handle: str) -> Filters:
    stored = handles.load(viewer, handle)
    return Filters(
        tuple(stored.get("types", ())),
        stored.get("text", ""),
        date.fromisoformat(stored["since"]) if stored.get("since") else None,
        date.fromisoformat(stored["until"]) if stored.get("until") else None,
        stored.get("order", NEWEST),
        stored.get("has_system", True),
    )
