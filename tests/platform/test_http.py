"""The gate of our pages, and how they answer errors of the domain."""

from typing import Any
from typing import cast as cast_type

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from rolodesk.errors import (
    DomainError,
    HandleRefused,
    IntakeUnavailable,
    InvalidInput,
    NotAllowed,
    NotFound,
    Overloaded,
    TooManyLookups,
)
from rolodesk.http import ERRORS, HtmxRequest, needs, wants_fragment
from tests.factories import make_user
from tests.pages import HTMX, WHOLE_PAGE, is_whole, text_of


def request_of(user, **headers):
    request = cast_type(HtmxRequest, RequestFactory().get("/", headers=headers))
    request.user, request.request_id, request.htmx = user, "r" * 32, HtmxDetails(request)
    return request


def raising(error):
    @needs("view_workspace")
    def view(_request):
        raise error

    return view


@pytest.mark.parametrize(
    ("error", "status", "heading"),
    [
        (NotFound(), 404, "Not found"),
        (NotAllowed(), 403, "Not allowed"),
        (HandleRefused(), 410, "This view belongs to another person"),
        (TooManyLookups(), 429, "Slow down for a moment"),
        (InvalidInput(reason="canary"), 422, "That did not work"),
        (Overloaded(retry_after=5), 400, "That did not work"),
        (IntakeUnavailable(), 400, "That did not work"),
        (DomainError(reason="canary"), 400, "That did not work"),
    ],
)
def test_each_error_of_the_domain_has_a_page_and_a_panel(cast, error, status, heading):
    page = raising(error)(request_of(cast.lead), cast.workspace.slug)
    panel = raising(error)(request_of(cast.lead, **HTMX), cast.workspace.slug)
    assert page.status_code == panel.status_code == status
    assert is_whole(page) and not is_whole(panel)
    for response in (page, panel):
        assert heading in text_of(response) and "r" * 32 in text_of(response) and "canary" not in text_of(response)


def test_the_table_of_errors_names_errors_of_the_domain_only():
    assert all(issubclass(one, DomainError) and 400 <= status < 500 for one, (status, _) in ERRORS.items())


def test_other_errors_are_not_swallowed(cast):
    with pytest.raises(ZeroDivisionError):
        raising(ZeroDivisionError())(request_of(cast.lead), cast.workspace.slug)


def test_a_missing_permission_is_refused_within_the_workspace(cast):
    @needs("merge")
    def view(_request):
        return HttpResponse("merged")

    with pytest.raises(PermissionDenied):
        view(request_of(cast.lead), cast.workspace.slug)
    assert view(request_of(cast.root), cast.workspace.slug).content == b"merged"


def test_the_view_gets_its_viewer_and_the_rest_of_the_address(cast):
    seen: dict[str, Any] = {}

    @needs("view_workspace")
    def view(request, number, *, word):
        seen.update(viewer=request.viewer, workspace=request.workspace, number=number, word=word)
        return HttpResponse()

    view(request_of(cast.lead), cast.workspace.slug, 5, word="x")
    assert (seen["number"], seen["word"], seen["workspace"]) == (5, "x", cast.workspace)
    viewer = seen["viewer"]
    assert (viewer.user_id, viewer.workspace_id, viewer.face) == (cast.lead.pk, cast.workspace.pk, "ui")
    assert (viewer.request_id, viewer.route) == ("r" * 32, "")


def test_the_door_of_a_foreign_workspace_is_the_one_of_no_workspace(cast, client, sign_in):
    sign_in(make_user())
    for slug in (cast.workspace.slug, "nowhere"):
        response = client.get(f"/w/{slug}/customers/")
        assert response.status_code == 404 and cast.workspace.name not in text_of(response)


@pytest.mark.parametrize("headers", WHOLE_PAGE)
def test_who_wants_a_page_gets_no_fragment(headers):
    assert not wants_fragment(request_of(None, **headers))


def test_htmx_wants_a_fragment():
    assert wants_fragment(request_of(None, **HTMX))
