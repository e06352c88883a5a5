"""Windows of the browser: one per person, each with a session and a cache of its own."""

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from customers.models import User


class Windows:
    """Opens windows when they are first asked for, each with a page to use again. Playwright calls them contexts."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self._windows: dict[int | None, BrowserContext] = {}
        self._free: dict[BrowserContext, Page] = {}

    def page_of(self, user: User | None) -> Page:
        """A page in the window of this person, or of nobody."""
        key = user.pk if user else None
        if key not in self._windows:
            self._windows[key] = self.make(user)
        window = self._windows[key]
        return self._free.pop(window, None) or window.new_page()

    def put_back(self, page: Page) -> None:
        """The test that used it is over."""
        window = page.context
        if window not in self._windows.values():
            window.close()
        elif window in self._free:
            page.close()
        else:
            page.unroute_all(behavior="ignoreErrors")
            page.emulate_media(color_scheme="light")
            page.goto("about:blank")  # so that nothing of it happens during the next test
            self._free[window] = page

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
