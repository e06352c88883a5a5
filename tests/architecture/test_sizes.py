"""The walls of house style: no file and no function grows past what one sitting can read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("bench", "customers", "dialects", "rolodesk", "segments", "templates", "tests", "tracking")
SOURCE_LINES = 500
TEST_LINES = 600
FUNCTION_LINES = 60


def files(pattern: str) -> list[Path]:
    """Our own files; what migrations hold is written once and never grows."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob(pattern)]
    return sorted(path for path in found if "migrations" not in path.parts)


def limit(path: Path) -> int:
    """How many lines this file may have."""
    return TEST_LINES if path.is_relative_to(ROOT / "tests") else SOURCE_LINES


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and number of lines of each function, decorators not counted."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("pattern", ["*.py", "*.html"])
def test_no_file_is_too_long(pattern: str) -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in files(pattern)}
    assert lengths, "nothing was looked at"
    too_long = {str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines > limit(path)}
    assert too_long == {}


def test_no_function_is_too_long() -> None:
    too_long = {
        f"{path.relative_to(ROOT)}:{name}": lines
        for path in files("*.py")
        for name, lines in functions(path)
        if lines > FUNCTION_LINES
    }
    assert too_long == {}
