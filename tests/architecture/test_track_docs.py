"""The page about the Track API: all 17 tools, each with endpoints that exist and a test that exists."""

import ast
import re
from pathlib import Path

from dialects.customerio_track.dialect import DIALECT
from dialects.customerio_track.entity import ACTIONS
from dialects.customerio_track.permissions import EDIT, ERASE, MERGE, SEGMENTS, SUPPRESS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "customerio-track.md").read_text("utf-8")
FILES = ("test_customerio_python.py", "test_customerio_async.py", "test_customerio_node.py")
OPERATIONS = [
    "identify", "delete", "add_device", "delete_device", "suppress", "unsuppress", "track", "trackAnonymous", "merge",
    "add_to_segment", "remove_from_segment", "submitForm", "metrics", "unsubscribe", "getRegion", "entity", "batch",
]  # fmt: skip
ROW = re.compile(r"^\| (\d+) \| (\w+) \| `(\w+)` \| (.+) \| (.+) \| `(test_\w+)` \|$", re.MULTILINE)
ENDPOINT = re.compile(r"`([A-Z]+) (/[^`]+)`")


def functions_of(name: str) -> set[str]:
    """The test functions of a file."""
    tree = ast.parse((ROOT / "tests" / "contracts" / name).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_tool_has_a_row_in_its_order() -> None:
    rows = ROW.findall(PAGE)
    assert [(int(number), operation) for number, _, operation, *_ in rows] == list(enumerate(OPERATIONS, 1))
    assert len({tool for _, tool, *_ in rows}) == len(OPERATIONS)


def test_the_test_of_every_row_exists_in_every_file_and_no_other_does() -> None:
    named = [row[-1] for row in ROW.findall(PAGE)]
    assert all(name.startswith(f"test_tool_{number:02}_") for number, name in enumerate(named, 1))
    for file in FILES:
        assert f"`{file}`" in PAGE
        assert functions_of(file) == set(named), file


def test_the_endpoints_of_the_table_are_those_that_are_served() -> None:
    named = {endpoint for row in ROW.findall(PAGE) for cell in row[3:5] for endpoint in ENDPOINT.findall(cell)}
    assert named == set(DIALECT.routes)


def test_the_page_names_every_action_of_version_2() -> None:
    for kind, actions in ACTIONS.items():
        for action in actions:
            assert re.search(rf"`{action}`", PAGE), (kind, action)


def test_the_page_names_every_permission() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \|$", PAGE, re.MULTILINE)
    assert rows == [EDIT, ERASE, SUPPRESS, MERGE, SEGMENTS]
