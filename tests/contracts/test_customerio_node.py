"""The vendor's Node client through all 17 tools. Slow: it installs the client and starts a server."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts import tools
from tests.contracts.effects import SITE_ID, Live, live_workspace
from tests.contracts.tools import Item

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
]  # one installation, one server, one worker and one Node for all of them

FOLDER = Path(__file__).with_name("node")
# The oldest that the client supports. Where the machine's own is older, the package of a newer one is installed.
SUPPORTED = 22
INSTALL_SECONDS = 300


class Node:
    """customerio-node 5.2.0, in a process that takes one call a line."""

    odd_id, odd_token = "/b c+", ":/"

    def __init__(self, live: Live, command: list[str]) -> None:
        self._process = subprocess.Popen(
            [*command, live.base_url, SITE_ID, live.api_key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(command[-1]).parent,
        )

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=10)

    def _call(self, method: str, *parameters: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, *parameters]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the Node process ended; its words stand above"
        answer = json.loads(line)
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def identify(self, who: str, attributes: Item) -> None:
        self._call("identify", who, attributes)

    def delete(self, who: str) -> None:
        self._call("destroy", who)

    def add_device(self, who: str, token: str, platform: str, data: Item) -> None:
        self._call("addDevice", who, token, platform, data)

    def delete_device(self, who: str, token: str) -> None:
        self._call("deleteDevice", who, token)

    def suppress(self, who: str) -> None:
        self._call("suppress", who)

    def unsuppress(self, who: str) -> None:
        self._call("unsuppress", who)

    def track(self, who: str, name: str, data: Item) -> None:
        self._call("track", who, {"name": name, "data": data})

    def track_anonymous(self, anonymous_id: str, name: str, data: Item) -> None:
        self._call("trackAnonymous", anonymous_id, {"name": name, "data": data})

    def merge(self, primary: tuple[str, Any], secondary: tuple[str, Any]) -> None:
        self._call("mergeCustomers", *primary, *secondary)

    def add_to_segment(self, segment_id: int, ids: list[Any], id_type: str) -> None:
        self._call("addCustomersToSegment", segment_id, ids, id_type)

    def remove_from_segment(self, segment_id: int, ids: list[Any], id_type: str) -> None:
        self._call("removeCustomersFromSegment", segment_id, ids, id_type)

    def submit_form(self, form: str, data: dict[str, str]) -> None:
        self._call("submitForm", form, data)

    def report_metric(self, delivery_id: str, metric: str, fields: Item) -> None:
        self._call("reportMetric", {"delivery_id": delivery_id, "metric": metric, **fields})

    def unsubscribe(self, delivery_id: str) -> None:
        self._call("unsubscribe", delivery_id)

    def region(self) -> Item:
        found: Item = self._call("getAccountRegion")
        return found

    def entity(self, item: Item) -> None:
        self._call("entity", item)

    def batch(self, items: list[Item]) -> Item:
        answer: Item = self._call("batch", items)
        return answer


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Node and the script, with the client installed beside it exactly as it is locked."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    assert not missing, f"the tests of the Node client need node and npm on the path; missing: {', '.join(missing)}"
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", ".npmrc", "call.mjs"):
        shutil.copy(FOLDER / name, folder)
    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout
    is_supported = int(re.findall(r"\d+", version)[0]) >= SUPPORTED
    install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    done = subprocess.run(
        [*install, *(["--omit=optional"] if is_supported else [])],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=INSTALL_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    node = "node" if is_supported else str(folder / "node_modules" / ".bin" / "node")
    return [node, str(folder / "call.mjs")]


@pytest.fixture(scope="module")
def live(django_db_setup: None, django_db_blocker: Any) -> Iterator[Live]:
    with django_db_blocker.unblock(), live_workspace() as live:
        yield live


@pytest.fixture(scope="module")
def client(live: Live, command: list[str]) -> Iterator[Node]:
    client = Node(live, command)
    yield client
    client.close()


def test_tool_01_identify(live: Live, client: Node) -> None:
    tools.identify(live, client)


def test_tool_02_delete(live: Live, client: Node) -> None:
    tools.delete(live, client)


def test_tool_03_add_device(live: Live, client: Node) -> None:
    tools.add_device(live, client)


def test_tool_04_delete_device(live: Live, client: Node) -> None:
    tools.delete_device(live, client)


def test_tool_05_suppress(live: Live, client: Node) -> None:
    tools.suppress(live, client)


def test_tool_06_unsuppress(live: Live, client: Node) -> None:
    tools.unsuppress(live, client)


def test_tool_07_track(live: Live, client: Node) -> None:
    tools.track(live, client)


def test_tool_08_track_anonymous(live: Live, client: Node) -> None:
    tools.track_anonymous(live, client)


def test_tool_09_merge(live: Live, client: Node) -> None:
    tools.merge(live, client)


def test_tool_10_add_to_segment(live: Live, client: Node) -> None:
    tools.add_to_segment(live, client)


def test_tool_11_remove_from_segment(live: Live, client: Node) -> None:
    tools.remove_from_segment(live, client)


def test_tool_12_submit_form(live: Live, client: Node) -> None:
    tools.submit_form(live, client)


def test_tool_13_metrics(live: Live, client: Node) -> None:
    tools.report_metrics(live, client)


def test_tool_14_unsubscribe(live: Live, client: Node) -> None:
    tools.unsubscribe(live, client)


def test_tool_15_get_region(live: Live, client: Node) -> None:
    tools.get_region(live, client)


def test_tool_16_entity(live: Live, client: Node) -> None:
    tools.manage_entity(live, client)


def test_tool_17_batch(live: Live, client: Node) -> None:
    tools.batch(live, client)
