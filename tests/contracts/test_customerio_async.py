"""The asynchronous Python client that many use, through all 17 tools. Slow: it starts a server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from async_customerio import AsyncCustomerIO

from tests.contracts import tools
from tests.contracts.effects import SITE_ID, Live, live_workspace
from tests.contracts.tools import Item

pytestmark = [pytest.mark.django_db, pytest.mark.slow]  # one server and one worker for all of them


class Async:
    """async-customerio 2.18.0. It does not encode slashes in ids, and encodes those of tokens twice."""

    odd_id, odd_token = " b+", ""

    def __init__(self, live: Live) -> None:
        self._live = live

    def _call(self, ask: Callable[[AsyncCustomerIO], Awaitable[Any]]) -> Any:
        """One call with a client of its own, since a client belongs to its event loop."""

        async def call() -> Any:
            async with AsyncCustomerIO(SITE_ID, self._live.api_key) as client:
                # By itself it speaks TLS only.
                client.setup_base_url = self._base_url
                return await ask(client)

        return asyncio.run(call())

    def _base_url(self, *, prefix: str, **_: object) -> str:
        return f"{self._live.base_url}/{prefix.strip('/')}".rstrip("/")

    def identify(self, who: str, attributes: Item) -> None:
        self._call(lambda client: client.identify(who, **attributes))

    def delete(self, who: str) -> None:
        self._call(lambda client: client.delete(who))

    def add_device(self, who: str, token: str, platform: str, data: Item) -> None:
        self._call(lambda client: client.add_device(who, token, platform, **data))

    def delete_device(self, who: str, token: str) -> None:
        self._call(lambda client: client.delete_device(who, token))

    def suppress(self, who: str) -> None:
        self._call(lambda client: client.suppress(who))

    def unsuppress(self, who: str) -> None:
        self._call(lambda client: client.unsuppress(who))

    def track(self, who: str, name: str, data: Item) -> None:
        self._call(lambda client: client.track(who, name, **data))

    def track_anonymous(self, anonymous_id: str, name: str, data: Item) -> None:
        self._call(lambda client: client.track_anonymous(anonymous_id, name, **data))

    def merge(self, primary: tuple[str, Any], secondary: tuple[str, Any]) -> None:
        self._call(lambda client: client.merge_customers(*primary, *secondary))

    def add_to_segment(self, segment_id: int, ids: list[Any], id_type: str) -> None:
        self._call(lambda client: client.add_to_segment(segment_id, ids, id_type))

    def remove_from_segment(self, segment_id: int, ids: list[Any], id_type: str) -> None:
        self._call(lambda client: client.remove_from_segment(segment_id, ids, id_type))

    def submit_form(self, form: str, data: dict[str, str]) -> None:
        self._call(lambda client: client.submit_form(form, **data))

    def report_metric(self, delivery_id: str, metric: str, fields: Item) -> None:
        self._call(lambda client: client.report_metric(delivery_id, metric, **fields))

    def unsubscribe(self, delivery_id: str) -> None:
        self._call(lambda client: client.unsubscribe(delivery_id))

    def region(self) -> Item:
        found: Item = self._call(lambda client: client.get_region())
        return found

    def entity(self, item: Item) -> None:
        self._call(lambda client: client.v2.send_entity(item))

    def batch(self, items: list[Item]) -> Item:
        answer: Item = self._call(lambda client: client.v2.send_batch(items))
        return answer


@pytest.fixture(scope="module")
def live(django_db_setup: None, django_db_blocker: Any) -> Iterator[Live]:
    with django_db_blocker.unblock(), live_workspace() as live:
        yield live


@pytest.fixture
def client(live: Live) -> Async:
    return Async(live)


def test_tool_01_identify(live: Live, client: Async) -> None:
    tools.identify(live, client)


def test_tool_02_delete(live: Live, client: Async) -> None:
    tools.delete(live, client)


def test_tool_03_add_device(live: Live, client: Async) -> None:
    tools.add_device(live, client)


def test_tool_04_delete_device(live: Live, client: Async) -> None:
    tools.delete_device(live, client)


def test_tool_05_suppress(live: Live, client: Async) -> None:
    tools.suppress(live, client)


def test_tool_06_unsuppress(live: Live, client: Async) -> None:
    tools.unsuppress(live, client)


def test_tool_07_track(live: Live, client: Async) -> None:
    tools.track(live, client)


def test_tool_08_track_anonymous(live: Live, client: Async) -> None:
    tools.track_anonymous(live, client)


def test_tool_09_merge(live: Live, client: Async) -> None:
    tools.merge(live, client)


def test_tool_10_add_to_segment(live: Live, client: Async) -> None:
    tools.add_to_segment(live, client)


def test_tool_11_remove_from_segment(live: Live, client: Async) -> None:
    tools.remove_from_segment(live, client)


def test_tool_12_submit_form(live: Live, client: Async) -> None:
    tools.submit_form(live, client)


def test_tool_13_metrics(live: Live, client: Async) -> None:
    tools.report_metrics(live, client)


def test_tool_14_unsubscribe(live: Live, client: Async) -> None:
    tools.unsubscribe(live, client)


def test_tool_15_get_region(live: Live, client: Async) -> None:
    tools.get_region(live, client)


def test_tool_16_entity(live: Live, client: Async) -> None:
    tools.manage_entity(live, client)


def test_tool_17_batch(live: Live, client: Async) -> None:
    tools.batch(live, client)
