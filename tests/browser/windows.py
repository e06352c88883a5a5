"""Windows of the browser: one per person, each with a session and a cache of its own."""

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext

from customers.models import User


class Windows:
    """Opens windows when they are first asked for. Playwright calls them contexts."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self._kept: dict[int | None, BrowserContext] = {}

    def of(self, user: User | None) -> BrowserContext:
        """The window of this person, or of nobody."""
        key = user.pk if user else None
        if key not in self._kept:
            self._kept[key] = self.make(user)
        return self._kept[key]

    def make(self, user: User | None) -> BrowserContext:
        """A new window. Nothing moves in it, so that nothing is looked at half-way."""
        window = self.browser.new_context(base_url=self.url, locale="en-GB", reduced_motion="reduce")
        if user:
            window.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": _session(user), "url": self.url}])
        return window

    def close(self) -> None:
        """All of them."""
        for window in self.browser.contexts:
            window.close()


def _session(user: User) -> str:
    """The key of a new session of this person."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value
