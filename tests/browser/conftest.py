"""Chromium, the console's own web server, and people who are signed in.

All tests of this folder share one browser, one server, one set of data and a window for each person. What a
test changes is its own: it signs out, chooses a theme or uses up look-ups as somebody new.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from customers.models import User
from tests.browser.stage import Stage, make_stage
from tests.browser.watch import Watch
from tests.browser.windows import Windows
from tests.contracts.live import live_server
from tests.factories import grant, make_user

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # Each further process costs some of the one core that the tests are to run on.
    *("--in-process-gpu", "--process-per-site", "--renderer-process-limit=1"),
]
WIDTH, HEIGHT = 1280, 800
OpenAs = Callable[..., Page]
# Nothing takes that long; a machine with much else to do may.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Ends with this folder: as long as it runs, the thread counts as one with an event loop.

    Tests elsewhere start loops of their own, and Django would refuse them its database.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as started:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    """Chromium of the system; none is ever downloaded."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert found, f"the browser tests need one of {', '.join(PROGRAMS)}"
    browser = playwright.chromium.launch(**browser_type_launch_args, executable_path=found, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def stage(playwright: Playwright, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """The data, committed, and the server on it; emptied at the end.

    After Playwright's start, and all of it before its end: in a thread with an event loop Django has other
    connections than without one, and they are closed here.
    """
    with django_db_blocker.unblock():
        stage = make_stage()
        try:
            with pytest.MonkeyPatch.context() as patch:
                # Granian reads its options from here too; `make up` gives these two.
                patch.setenv("GRANIAN_STATIC_PATH_ROUTE", settings.STATIC_URL.rstrip("/"))
                patch.setenv("GRANIAN_STATIC_PATH_MOUNT", os.fspath(settings.STATIC_ROOT))
                with live_server() as url:
                    stage.url = url
                    yield stage
        finally:
            call_command("flush", interactive=False, verbosity=0)
            connections.close_all()


@pytest.fixture
def db(stage: Stage) -> None:
    """Instead of a transaction per test, which the server could not see into: what ``stage`` has committed.

    It keeps its name, because pytest-django makes the test database only for tests that use ``db``.
    """


@pytest.fixture(scope="package")
def windows(browser: Browser, stage: Stage) -> Iterator[Windows]:
    """One window for each person; their first page takes the browser longer than all that follows."""
    windows = Windows(browser, stage.url)
    yield windows
    windows.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Looks at every request, answer and console line of the test's pages, and complains at the end."""
    watch = Watch()
    yield watch
    watch.complain()


@pytest.fixture
def open_as(db: None, windows: Windows, watch: Watch) -> Iterator[OpenAs]:
    """A page of this person, signed in, or of nobody; ``fresh`` takes a window that nobody else uses."""
    opened: list[Page] = []

    def open_as(user: User | None, path: str = "", *, width: int = WIDTH, fresh: bool = False) -> Page:
        page = watch.over(windows.make(user).new_page() if fresh else windows.page_of(user))
        opened.append(page)
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if path:
            page.goto(path)
        return page

    yield open_as
    for page in opened:
        watch.leave(page)
        windows.put_back(page)


@pytest.fixture
def newcomer(db: None, stage: Stage) -> User:
    """Somebody who sees no personal data and has done nothing yet."""
    user = make_user()
    grant(user, stage.cast.workspace, "view_workspace")
    return user
