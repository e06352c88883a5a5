"""The page about settings names every variable, and only those that exist."""

import ast
import re
from pathlib import Path

from rolodesk import env

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ROOT / "rolodesk" / "settings.py"
PAGE = ROOT / "docs" / "settings.md"
# What `make up` reads before there are any settings; ROLODESK_DATA is read by both.
READ_BY_MAKE_UP = {"PORT", "ROLODESK_DATA", "ROLODESK_DEMO"}
READERS = {"flag", "folder", "key", "number", "text", "words"}
ROW = re.compile(r"^\| `([A-Z][A-Z_]*)` \|", re.MULTILINE)


def names_in(source: str) -> list[str]:
    """The variables that a module reads through ``env``."""
    return [
        node.args[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]


def test_every_variable_stands_in_the_page_once() -> None:
    read = names_in(SETTINGS.read_text("utf-8"))
    assert read, "nothing was looked at"
    documented = ROW.findall(PAGE.read_text("utf-8"))
    assert sorted(documented) == sorted({*read, *READ_BY_MAKE_UP})


def test_settings_read_each_variable_once_and_by_a_literal_name() -> None:
    source = SETTINGS.read_text("utf-8")
    read = names_in(source)
    assert sorted(read) == sorted(set(read))
    assert len(read) == len(re.findall(r"\benv\.[a-z]+\(", source))


def test_the_readers_are_the_typed_ones() -> None:
    used = set(re.findall(r"\benv\.([a-z]+)\(", SETTINGS.read_text("utf-8")))
    assert used <= READERS
    assert all(hasattr(env, reader) for reader in READERS)


def test_nothing_else_of_the_product_reads_the_environment() -> None:
    """Beside settings only the local stack does, since it makes the environment that settings read."""
    found = []
    for package in ("customers", "dialects", "rolodesk", "segments", "tracking"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith("rolodesk/local/"):
                continue
            text = path.read_text("utf-8").replace('os.environ.setdefault("DJANGO_SETTINGS_MODULE"', "")
            if re.search(r"\bos\.environ\b|\bgetenv\b", text):
                found.append(name)
    assert found == []
