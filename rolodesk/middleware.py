"""Middleware of ours: request ids and route logs, private caching rules, the end of sessions."""

import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

log = structlog.get_logger("rolodesk.web")

GetResponse = Callable[[HttpRequest], HttpResponse]
BEGAN, SEEN = "began_at", "seen_at"
# Writing the session on each request would be a statement per request; a minute is close enough.
SEEN_STEP = 60


class RequestMiddleware:
    """Gives each request an id and logs its route, never its path: paths of some faces hold e-mails."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Log slow and failed requests' route, status and milliseconds."""
        request.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]
        began = time.monotonic()
        response = self.get_response(request)
        match = request.resolver_match
        log.info(
            "request",
            request_id=request.request_id,  # type: ignore[attr-defined]
            route=match.route if match else "(no route)",
            method=request.method,
            status=response.status_code,
            ms=round((time.monotonic() - began) * 1000),
            user_id=getattr(getattr(request, "user", None), "pk", None),
        )
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response


class PrivateResponseMiddleware:
    """Whatever a signed-in person gets is theirs alone: never stored, never shared, no ETag."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """End idle and old sessions; set the headers."""
        was_signed_in = request.user.is_authenticated
        self._end_if_over(request)
        response = self.get_response(request)
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        if request.path.startswith(settings.STATIC_URL):
            return response
        response["Cache-Control"] = "no-store, private"
        patch_vary_headers(response, ("Cookie", "HX-Request"))
        if was_signed_in and not request.user.is_authenticated:  # whichever way out was taken
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def _end_if_over(self, request: HttpRequest) -> None:
        if not request.user.is_authenticated:
            return
        now = int(time.time())
        began, seen = request.session.get(BEGAN, now), request.session.get(SEEN, now)
        # Each saving gives the cookie its full age again, so the age of the sign-in is counted here.
        if now - seen > settings.SESSION_IDLE_SECONDS or now - began >= settings.SESSION_COOKIE_AGE:
            logout(request)
        elif now - seen >= SEEN_STEP or SEEN not in request.session:
            request.session.update({BEGAN: began, SEEN: now})
