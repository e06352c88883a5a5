"""What was measured, as lines for a person and as a table for the page."""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bench import database
from bench.harness import Figure, Row, Sizes
from rolodesk.database import Connection

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
HEADINGS = ("Figure", "Measured", "Target (floor)", "", "From")


def line(figure: Figure, row: Row) -> str:
    """One row for a terminal."""
    bar = f"  target {row.bar}: {row.verdict}" if row.bar else ""
    return f"{figure.name:8} {row.what}: {row.shown}{bar}  [{row.detail}]"


def conditions(connection: Connection, sizes: Sizes) -> str:
    """Machine, servers, day and sizes, in a sentence or two."""
    load = os.getloadavg()[0]
    disk = "" if database.is_durable(connection) else " without waiting for the disk (not durable)"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {database.memory_gigabytes()} GB,"
        f" PostgreSQL {database.version(connection)}{disk}, Python {platform.python_version()},"
        f" load {load:.1f} at the end. {sizes}."
    )


def table(rows: Iterable[tuple[Figure, Row]], under: str) -> str:
    """The Markdown of a run."""
    lines = [under, "", _cells(HEADINGS), _cells(("---",) * len(HEADINGS))]
    for figure, row in rows:
        bar = str(row.bar) if row.bar else ""
        lines.append(_cells((f"{figure.title}: {row.what}", row.shown, bar, row.verdict, row.detail)))
    return "\n".join(lines)


def _cells(values: Iterable[str]) -> str:
    return "| " + " | ".join(values) + " |"


def write(text: str, page: Path = PAGE) -> None:
    """Put the table between the marks of the page; what stands around them stays."""
    before, begin, rest = page.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} lacks the marks {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")
