"""The vendor's Python client through all 17 tools. Slow: it starts a server."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from customerio import CustomerIO

from tests.contracts import tools
from tests.contracts.effects import SITE_ID, Live, live_workspace
from tests.contracts.tools import Item

pytestmark = [pytest.mark.django_db, pytest.mark.slow]  # one server and one worker for all of them


class Python:
    """customerio 3.2.0. It has no method for some tools; they go the way its methods go."""

    odd_id, odd_token = "/b c+", ":/"

    def __init__(self, live: Live) -> None:
        self._root = live.base_url
        self._client = CustomerIO(SITE_ID, live.api_key, retries=0)
        # By itself it speaks TLS only.
        self._client.base_url = f"{live.base_url}/api/v1"

    def identify(self, who: str, attributes: Item) -> None:
        self._client.identify(who, **attributes)

    def delete(self, who: str) -> None:
        self._client.delete(who)

    def add_device(self, who: str, token: str, platform: str, data: Item) -> None:
        self._client.add_device(who, token, platform, **data)

    def delete_device(self, who: str, token: str) -> None:
        self._client.delete_device(who, token)

    def suppress(self, who: str) -> None:
        self._client.suppress(who)

    def unsuppress(self, who: str) -> None:
        self._client.unsuppress(who)

    def track(self, who: str, name: str, data: Item) -> None:
        self._client.track(who, name, data)

    def track_anonymous(self, anonymous_id: str, name: str, data: Item) -> None:
        self._client.track_anonymous(anonymous_id, name, data)

    def merge(self, primary: tuple[str, Any], secondary: tuple[str, Any]) -> None:
        self._client.merge_customers(*primary, *secondary)

    def add_to_segment(self, segment_id: int, ids: list[Any], id_type: str) -> None:
        self._post(f"/api/v1/segments/{segment_id}/add_customers?id_type={id_type}", {"ids": ids})

    def remove_from_segment(self, segment_id: int, ids: list[Any], id_type: str) -> None:
        self._post(f"/api/v1/segments/{segment_id}/remove_customers?id_type={id_type}", {"ids": ids})

    def submit_form(self, form: str, data: dict[str, str]) -> None:
        self._post(f"/api/v1/forms/{quote(form, safe='')}/submit", {"data": data})

    def report_metric(self, delivery_id: str, metric: str, fields: Item) -> None:
        self._post("/api/v1/metrics", {"delivery_id": delivery_id, "metric": metric, **fields})

    def unsubscribe(self, delivery_id: str) -> None:
        self._post(f"/unsubscribe/{quote(delivery_id, safe='')}", {"unsubscribe": True})

    def region(self) -> Item:
        found: Item = self._client.send_request("GET", f"{self._root}/api/v1/accounts/region", {}).json()
        return found

    def entity(self, item: Item) -> None:
        self._post("/api/v2/entity", item)

    def batch(self, items: list[Item]) -> Item:
        # Its batch() builds an address with TLS of its own; this is what it does with it.
        return self._post("/api/v2/batch", {"batch": items})

    def _post(self, path: str, body: Item) -> Item:
        response = self._client.send_request("POST", f"{self._root}{path}", body)
        answer: Item = response.json() if response.content else {}
        return answer


@pytest.fixture(scope="module")
def live(django_db_setup: None, django_db_blocker: Any) -> Iterator[Live]:
    with django_db_blocker.unblock(), live_workspace() as live:
        yield live


@pytest.fixture
def client(live: Live) -> Iterator[Python]:
    client = Python(live)
    yield client
    client._client.close()


def test_tool_01_identify(live: Live, client: Python) -> None:
    tools.identify(live, client)


def test_tool_02_delete(live: Live, client: Python) -> None:
    tools.delete(live, client)


def test_tool_03_add_device(live: Live, client: Python) -> None:
    tools.add_device(live, client)


def test_tool_04_delete_device(live: Live, client: Python) -> None:
    tools.delete_device(live, client)


def test_tool_05_suppress(live: Live, client: Python) -> None:
    tools.suppress(live, client)


def test_tool_06_unsuppress(live: Live, client: Python) -> None:
    tools.unsuppress(live, client)


def test_tool_07_track(live: Live, client: Python) -> None:
    tools.track(live, client)


def test_tool_08_track_anonymous(live: Live, client: Python) -> None:
    tools.track_anonymous(live, client)


def test_tool_09_merge(live: Live, client: Python) -> None:
    tools.merge(live, client)


def test_tool_10_add_to_segment(live: Live, client: Python) -> None:
    tools.add_to_segment(live, client)


def test_tool_11_remove_from_segment(live: Live, client: Python) -> None:
    tools.remove_from_segment(live, client)


def test_tool_12_submit_form(live: Live, client: Python) -> None:
    tools.submit_form(live, client)


def test_tool_13_metrics(live: Live, client: Python) -> None:
    tools.report_metrics(live, client)


def test_tool_14_unsubscribe(live: Live, client: Python) -> None:
    tools.unsubscribe(live, client)


def test_tool_15_get_region(live: Live, client: Python) -> None:
    tools.get_region(live, client)


def test_tool_16_entity(live: Live, client: Python) -> None:
    tools.manage_entity(live, client)


def test_tool_17_batch(live: Live, client: Python) -> None:
    tools.batch(live, client)
