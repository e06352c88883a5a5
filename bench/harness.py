"""What a figure is, how large a run is, and what every figure is given to work with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import quantiles

from bench.account import Account
from bench.population import Population
from rolodesk.database import Connection


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything. ``seconds`` is the length of a paced run, ``rounds`` how often all is repeated."""

    customers: int
    events: int
    batches: int
    singles: int
    pages: int
    naive: int
    seconds: float
    rounds: int

    def __str__(self) -> str:
        return (
            f"{self.customers:,} customers, {self.events:,} events stored; a round sends {self.batches * 100:,} events"
            f" in batches or {self.singles:,} single ones; best of {self.rounds}"
        )


SIZES = {
    "full": Sizes(100_000, 2_000_000, 600, 8_000, 200, 3_000, 10.0, 3),
    "quick": Sizes(20_000, 200_000, 100, 2_000, 50, 500, 4.0, 3),
    # For the test that the harness still works; its numbers mean nothing.
    "tiny": Sizes(200, 2_000, 6, 60, 3, 20, 0.5, 1),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """What a ratio should reach, and what it must; with ``is_most`` the ratio may at most be that."""

    target: float
    floor: float
    is_most: bool = False

    def __str__(self) -> str:
        sign = "≤" if self.is_most else "≥"
        return f"{sign} {self.target:g} ({sign} {self.floor:g})"

    def judge(self, value: float) -> str:
        """In one word or two."""
        sign = -1 if self.is_most else 1
        if value * sign >= self.target * sign:
            return "reached"
        return "floor" if value * sign >= self.floor * sign else "missed"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Without a ``bar`` it informs."""

    what: str
    value: float
    detail: str
    bar: Bar | None = None
    unit: str = ""

    @property
    def shown(self) -> str:
        """The value with its unit."""
        return f"{self.value:.3g}{self.unit}" if abs(self.value) < 1000 else f"{self.value:,.0f}{self.unit}"

    @property
    def verdict(self) -> str:
        """How the value stands to the bar."""
        return self.bar.judge(self.value) if self.bar else ""


@dataclass(slots=True)
class Bench:
    """What the figures share: sizes, a connection of our own, a workspace to send to, and its population."""

    sizes: Sizes
    connection: Connection
    account: Account
    people: Population


@dataclass(frozen=True, slots=True)
class Figure:
    """A measurement with a name for the command line."""

    name: str
    title: str
    measure: Callable[[Bench], Iterable[Row]]


def percentile(values: Iterable[float], which: int) -> float:
    """The 50th, the 99th or any other."""
    ordered = list(values)
    return ordered[0] if len(ordered) == 1 else quantiles(ordered, n=100, method="inclusive")[which - 1]
