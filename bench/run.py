"""Measuring some figures, in their order, with everything that they need."""

import logging
import sys

from bench import report
from bench.account import make_account
from bench.figures import FIGURES
from bench.harness import SIZES, Bench
from bench.population import make_population
from rolodesk.database import connect


def run(names: set[str], size: str, *, is_kept: bool) -> None:
    """Print each row when it is there, and write the table if it is to be kept."""
    sizes = SIZES[size]
    # The pages whose statements we read would each leave a line.
    logging.getLogger("rolodesk").setLevel(logging.WARNING)
    account = make_account()
    # Loading takes longer than a page may.
    with connect(application="bench", statement_timeout="0") as connection:
        bench = Bench(sizes, connection, account, make_population(connection, account, sizes.customers))
        rows = []
        for figure in FIGURES:
            if figure.name not in names:
                continue
            print(f"{figure.title} …", file=sys.stderr, flush=True)
            for row in figure.measure(bench):
                print(report.line(figure, row), flush=True)
                rows.append((figure, row))
        under = report.conditions(connection, sizes)
        print(f"\n{under}")
        if is_kept:
            report.write(report.table(rows, under))
            print(f"Written to {report.PAGE.name}.")
