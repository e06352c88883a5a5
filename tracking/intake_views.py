"""Pages about the intake: what was set aside, what became of everything else, and the same for Prometheus."""

import ipaddress
import secrets
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import number_format
from django.views.decorators.http import require_GET, require_POST

from rolodesk.errors import InvalidInput
from rolodesk.http import HtmxRequest, needs, wants_fragment
from tracking import figures, metrics, quarantine
from tracking.forms import QuarantineForm
from tracking.services.quarantine import Outcome, discard, redrive

# What a proxy adds to a request that it hands on: then it is not this machine that asks.
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via")


@require_GET
@needs("edit")
def quarantine_list(request: HtmxRequest) -> HttpResponse:
    """What was set aside, by reason and one by one; ``?after=`` continues the list."""
    cursor = request.GET.get("after", "")
    page = quarantine.page(request.viewer, cursor)
    url = reverse("tracking:quarantine", args=[request.workspace.slug])
    context = {"page": page, "more_url": f"{url}?{urlencode({'after': page.next_cursor})}" if page.next_cursor else ""}
    if cursor and wants_fragment(request):
        return render(request, "tracking/quarantine.html#more", context)
    return render(request, "tracking/quarantine.html", context | {"figures": figures.of_workspace(request.viewer)})


@require_GET
@needs("edit")
def quarantine_detail(request: HtmxRequest, item: int) -> HttpResponse:
    """One operation: its keys, and its values for who may see them."""
    return render(request, "tracking/quarantine_item.html", {"detail": quarantine.detail(request.viewer, item)})


@require_POST
@needs("edit")
def quarantine_redrive(request: HtmxRequest) -> HttpResponse:
    """Try one operation again, or those of one reason."""
    outcome = redrive(viewer=request.viewer, **_chosen(request))
    return _back(request, outcome, "will be tried again")


@require_POST
@needs("edit")
def quarantine_discard(request: HtmxRequest) -> HttpResponse:
    """Throw one operation away, or those of one reason."""
    outcome = discard(viewer=request.viewer, **_chosen(request))
    return _back(request, outcome, "were thrown away" if outcome.done != 1 else "was thrown away")


@require_GET
def metrics_text(request: HttpRequest) -> HttpResponse:
    """The figures of all workspaces for Prometheus: with the token, or without one from this machine only."""
    if settings.METRICS_TOKEN:
        if not _has_token(request):
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    elif not _is_local(request):
        raise Http404
    text, content_type = metrics.render()
    return HttpResponse(text, content_type=content_type)


def _chosen(request: HtmxRequest) -> dict[str, Any]:
    form = QuarantineForm(request.POST)
    if not form.is_valid():
        raise InvalidInput(reason="quarantine_choice")
    return form.chosen()


def _back(request: HtmxRequest, outcome: Outcome, what: str) -> HttpResponse:
    """To the list, saying what happened."""
    noun = "operation" if outcome.done == 1 else "operations"
    said = [f"{number_format(outcome.done)} {noun} {what}."] if outcome.done else []
    if outcome.unreadable:
        said.append(f"{number_format(outcome.unreadable)} cannot be read by this version and stayed.")
    elif outcome.left:
        said.append(f"{number_format(outcome.left)} of this reason are left.")
    messages.success(request, " ".join(said) or "Nothing was left to do: somebody else was first.")
    return HttpResponseRedirect(reverse("tracking:quarantine", args=[request.workspace.slug]))


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    # Compared as bytes: text with other than ASCII characters is refused by the comparison itself.
    is_same = secrets.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    return scheme.lower() == "bearer" and is_same


def _is_local(request: HttpRequest) -> bool:
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
