"""The measurements still work: all of them on tiny sizes, and the page that they are written to."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as entry
from bench import report
from bench.figures import FIGURES
from bench.harness import Bar, Figure, Row, percentile

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 400


# Starts the servers of every figure, about thirty processes one after the other.
@pytest.mark.slow
def test_every_figure_can_be_measured() -> None:
    page = report.PAGE.read_bytes()
    command = [sys.executable, "-m", "bench", "--tiny"]
    run = subprocess.run(
        command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    measured = {line.split()[0] for line in run.stdout.splitlines() if re.search(r": [\d.,]+( ×| s|)(  |$)", line)}
    assert measured == set(entry.NAMES)
    assert report.PAGE.read_bytes() == page, "sizes that mean nothing must not be written"


def test_the_command_line_knows_the_figures() -> None:
    assert tuple(figure.name for figure in FIGURES) == entry.NAMES
    with pytest.raises(SystemExit):
        entry.parse(["speed"])


def test_the_page_says_what_each_figure_is() -> None:
    text = report.PAGE.read_text("utf-8")
    assert [figure.name for figure in FIGURES if f"**{figure.title}** (`{figure.name}`)" not in text] == []


def test_writing_the_table_leaves_the_rest_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", "utf-8")
    row = Row("speed", 0.25, "1 against 4", Bar(0.3, 0.2))
    report.write(report.table([(Figure("one", "One", lambda _bench: []), row)], "today"), page)
    text = page.read_text("utf-8")
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "| One: speed | 0.25 | ≥ 0.3 (≥ 0.2) | floor | 1 against 4 |" in text


def test_a_page_without_the_marks_is_not_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{report.END}\n{report.BEGIN}\n", "utf-8")
    with pytest.raises(ValueError, match="lacks the marks"):
        report.write("table", page)
    assert page.read_text("utf-8") == f"{report.END}\n{report.BEGIN}\n"


@pytest.mark.parametrize(
    ("bar", "value", "verdict"),
    [
        (Bar(0.3, 0.2), 0.30, "reached"),
        (Bar(0.3, 0.2), 0.29, "floor"),
        (Bar(0.3, 0.2), 0.19, "missed"),
        (Bar(1.2, 1.5, is_most=True), 1.2, "reached"),
        (Bar(1.2, 1.5, is_most=True), 1.5, "floor"),
        (Bar(1.2, 1.5, is_most=True), 1.6, "missed"),
    ],
)
def test_a_value_is_judged_by_its_bar(bar: Bar, value: float, verdict: str) -> None:
    assert bar.judge(value) == verdict


def test_percentiles_of_few_values() -> None:
    assert percentile([5.0], 99) == 5.0
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
