"""Requests of our pages: their types, and the gate that every page about a workspace passes."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails

from customers import access
from customers.access import Viewer
from customers.models import User, Workspace
from rolodesk.errors import DomainError, HandleRefused, InvalidInput, NotAllowed, NotFound, TooManyLookups

P = ParamSpec("P")


class HtmxRequest(HttpRequest):
    """A request of a signed-in person within a workspace, as our middleware and gate leave it."""

    htmx: HtmxDetails
    request_id: str
    user: User
    workspace: Workspace
    viewer: Viewer


View = Callable[Concatenate[HtmxRequest, P], HttpResponse]

# How pages answer the errors of the domain: status and the template that says it.
ERRORS: dict[type[DomainError], tuple[int, str]] = {
    NotFound: (404, "404.html"),
    NotAllowed: (403, "403.html"),
    HandleRefused: (410, "handle_refused.html"),
    TooManyLookups: (429, "429.html"),
    InvalidInput: (422, "400.html"),
}


def needs(permission: str) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, str, P], HttpResponse]]:
    """Admit people with this permission on the workspace in the URL, and give the view its ``viewer``.

    Without ``view_workspace`` the answer is that of a workspace that does not exist (T1).
    """

    def decorate(view: View[P]) -> Callable[Concatenate[HttpRequest, str, P], HttpResponse]:
        @login_required
        @wraps(view)
        def gated(request: HtmxRequest, workspace: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            found = Workspace.objects.filter(slug=workspace).first()
            if found is None:
                raise Http404
            route = request.resolver_match.view_name if request.resolver_match else ""
            viewer = access.resolve(request.user, found.pk, face="ui", route=route, request_id=request.request_id)
            if not viewer.may("view_workspace"):
                raise Http404
            if not viewer.may(permission):
                raise PermissionDenied
            request.workspace, request.viewer = found, viewer
            try:
                return view(request, *args, **kwargs)
            except DomainError as error:
                return error_page(request, error)

        return gated  # type: ignore[return-value]  # login_required hides the parameters

    return decorate


def error_page(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The page or, for HTMX, the panel for an error of the domain."""
    status, template = ERRORS.get(type(error), (400, "400.html"))
    return render(request, template, {"error": error, "is_fragment": wants_fragment(request)}, status=status)


def wants_fragment(request: HttpRequest) -> bool:
    """Whether only a region is wanted: asked for by htmx, not boosted, not a restored page."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request
