"""What no page may ever do, checked in every browser test."""

from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response

# Chromium writes this line by itself for each answer of 400 and more.
REFUSED = "Failed to load resource: the server responded with a status of "
HERE = {"127.0.0.1", ""}
# htmx writes these for each request that a newer one replaces. Nothing is wrong then.
REPLACED = ("htmx:sendAbort,", "htmx:afterRequest,")


class Watch:
    """Collects what is wrong, but for what a test brings about on purpose.

    That is ``refusals``, statuses of answers; and ``replaces``, that newer requests end older ones.
    """

    def __init__(self) -> None:
        self.refusals: set[int] = set()
        self.replaces = False
        self.faults: list[str] = []
        self.requests: list[Request] = []

    def over(self, page: Page) -> Page:
        """Watch this page."""
        for event, listener in self._listeners():
            page.on(event, listener)  # type: ignore[call-overload]  # a name and what belongs to it
        return page

    def leave(self, page: Page) -> None:
        """Another test gets it."""
        for event, listener in self._listeners():
            page.remove_listener(event, listener)

    def _listeners(self) -> tuple[tuple[str, Callable[..., None]], ...]:
        return (
            ("console", self._console),
            ("pageerror", self._error),
            ("request", self._request),
            ("response", self._response),
        )

    def expect(self, *statuses: int) -> None:
        """These are meant to come."""
        self.refusals.update(statuses)

    def complain(self) -> None:
        """Fail the test when anything was wrong."""
        assert not self.faults, "\n".join(self.faults)

    def searches(self) -> list[str]:
        """What was asked of the search, in order."""
        posts = [one for one in self.requests if one.method == "POST" and one.url.endswith("/customers/search/")]
        return [str((one.post_data_json or {}).get("q", "")) for one in posts]

    def _console(self, message: ConsoleMessage) -> None:
        # Violations of the Content-Security-Policy come here too.
        is_expected = message.text.startswith((REFUSED, *REPLACED) if self.replaces else REFUSED)
        if message.type in {"error", "warning"} and not is_expected:
            self.faults.append(f"console: {message.text} on {message.page.url if message.page else ''}")

    def _error(self, error: Error) -> None:
        self.faults.append(f"script: {error}")

    def _request(self, request: Request) -> None:
        self.requests.append(request)
        if urlsplit(request.url).hostname not in HERE and not request.url.startswith("data:"):
            self.faults.append(f"foreign host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.refusals:
            self.faults.append(f"{response.status} for {response.url}")
