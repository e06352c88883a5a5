"""Pages about people: search, list, profile. Thin: validate, call a gate, render."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import push_url

from customers import access, handles, listing, panels, profiles, search
from customers.forms import PreferencesForm, SearchForm
from customers.services.preferences import save_preferences
from rolodesk.database import is_reachable
from rolodesk.http import HtmxRequest, needs, wants_fragment


@require_GET
def health(_request: HttpRequest) -> HttpResponse:
    """Alive, and able to reach the database. Says nothing else."""
    if not is_reachable():
        return JsonResponse({"status": "unavailable"}, status=503)
    return JsonResponse({"status": "ok"})


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """To the first workspace the person may open."""
    workspaces = access.workspaces_of(request.user)  # type: ignore[arg-type]  # signed in
    if not workspaces:
        return render(request, "no_workspace.html", status=403)
    return redirect("customers:list", workspace=workspaces[0].slug)


@require_POST
@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    """Save theme, density and shortcuts; back to where the person was."""
    form = PreferencesForm(request.POST)
    if form.is_valid() and request.user.pk:
        save_preferences(user_id=request.user.pk, **form.chosen())
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(target if is_ours else reverse("home"))


@require_GET
@needs("view_workspace")
def customer_list(request: HtmxRequest) -> HttpResponse:
    """The list, or the stored search behind ``?v=``; ``?after=`` continues it."""
    handle, cursor = request.GET.get("v", ""), request.GET.get("after", "")
    query = str(handles.load(request.viewer, handle).get("q", "")) if handle else ""
    context = _list_context(request, query, handle, cursor)
    if cursor and wants_fragment(request):
        return render(request, "customers/list.html#rows_more", context)
    return _render_list(request, context)


@require_POST  # what people search for never stands in a URL
@needs("view_workspace")
def customer_search(request: HtmxRequest) -> HttpResponse:
    """Search; the address gets an opaque handle that brings the same results back."""
    form = SearchForm(request.POST)
    if not form.is_valid():
        return _render_list(request, _list_context(request, "", "", "") | {"form": form}, status=422)
    query = form.cleaned_data["q"]
    handle = handles.store(request.viewer, {"q": query}) if query else ""
    url = reverse("customers:list", args=[request.workspace.slug]) + (f"?{urlencode({'v': handle})}" if handle else "")
    if not wants_fragment(request):
        return HttpResponseRedirect(url)
    return push_url(_render_list(request, _list_context(request, query, handle, "")), url)


def _list_context(request: HtmxRequest, query: str, handle: str, cursor: str) -> dict[str, Any]:
    viewer, slug = request.viewer, request.workspace.slug
    found = search.find(viewer, query, cursor) if query else search.listing(viewer, cursor)
    page = listing.build(viewer, slug, found, query=query, handle=handle)
    context: dict[str, Any] = {"page": page, "columns": page.columns, "form": SearchForm(initial={"q": query})}
    if page.is_empty_workspace:
        context["curl_example"] = _curl_example()
    return context


def _render_list(request: HtmxRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    name = "customers/list.html" + ("#results" if wants_fragment(request) else "")
    return render(request, name, context, status=status)


def _curl_example() -> str:
    return (
        f"curl -u SITE_ID:API_KEY -X PUT {settings.BASE_URL}/api/v1/customers/42 \\\n"
        "  -H 'Content-Type: application/json' -d '{\"email\": \"first@customer.example\"}'"
    )


@require_GET
@needs("view_workspace")
def customer_detail(request: HtmxRequest, customer: UUID) -> HttpResponse:
    """The profile with its first tab."""
    return render_profile(request, customer, panels.tabs()[0].key)


@require_GET
@needs("view_workspace")
def customer_tab(request: HtmxRequest, customer: UUID, tab: str) -> HttpResponse:
    """The profile with another tab; htmx swaps only the tab."""
    return render_profile(request, customer, tab)


def render_profile(
    request: HtmxRequest, customer: UUID, key: str, *, extra: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """The profile with this tab, or the tab alone; views of other apps add to the context of theirs."""
    tab = next((one for one in panels.tabs() if one.key == key), None)
    if tab is None:
        raise Http404
    viewer, slug = request.viewer, request.workspace.slug
    profile = profiles.get(viewer, customer)
    context: dict[str, Any] = {
        "profile": profile,
        "merged_into_url": _url(slug, profile.merged_into) if profile.merged_into else "",
        "tabs": [
            {"key": one.key, "label": one.label, "url": _tab_url(slug, customer, one), "is_current": one is tab}
            for one in panels.tabs()
        ],
        "tab": {"template": tab.template, "key": tab.key},
        **tab.load(request, viewer, profile),
        **(extra or {}),
    }
    if wants_fragment(request):
        is_more = tab.is_paged and request.GET.get("after")
        part = f"{tab.template}#more" if is_more else "customers/detail.html#tab"
        return render(request, part, context, status=status)
    context["side_panels"] = [
        {"title": panel.title, "template": panel.template, "context": panel.load(viewer, profile)}
        for panel in panels.panels()
    ]
    return render(request, "customers/detail.html", context, status=status)


def _url(slug: str, customer: UUID) -> str:
    return reverse("customers:detail", args=[slug, customer])


def _tab_url(slug: str, customer: UUID, tab: panels.Tab) -> str:
    if tab is panels.tabs()[0]:
        return _url(slug, customer)
    return reverse("customers:tab", args=[slug, customer, tab.key])
