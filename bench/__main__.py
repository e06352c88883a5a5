"""``python -m bench [NAME …] [--quick]``: measure all figures, or those named.

A full run of all of them writes the table of ``docs/performance.md``, and a quick one with ``--keep``; any other
only prints.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import django

from bench.database import fresh_database

NAMES = ("growth", "batches", "singles", "lag", "reads", "naive")


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"figures to measure, of {', '.join(NAMES)}")
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick", dest="size", action="store_const", const="quick", help="small sizes, in a minute or two"
    )
    size.add_argument("--tiny", dest="size", action="store_const", const="tiny", help="only prove that it runs")
    parser.add_argument("--keep", action="store_true", help="write the table of a quick run, too; it says its sizes")
    parser.set_defaults(size="full")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no figure {', '.join(unknown)}")
    return options


@contextmanager
def database() -> Iterator[None]:
    """A database of our own, which Django and the processes that we start take for theirs."""
    with fresh_database(os.environ["DATABASE_URL"]) as url:
        os.environ["DATABASE_URL"] = url
        django.setup()
        from django.core.management import call_command  # noqa: PLC0415  # settings read the address above
        from django.db import connections  # noqa: PLC0415

        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            connections["default"].close_pool()  # type: ignore[attr-defined]  # of PostgreSQL's backend


def main(arguments: list[str]) -> int:
    """The exit code."""
    options = parse(arguments)
    if "ROLODESK_SECRET_KEY" not in os.environ:
        command = [sys.executable, "-m", "rolodesk.local", "run", "--folder", "bench", "--durable", "--"]
        os.execv(command[0], [*command, sys.executable, "-m", "bench", *arguments])  # noqa: S606  # no shell wanted
    with database():
        from bench.run import run  # noqa: PLC0415  # models need Django set up

        is_kept = not options.names and (options.size == "full" or options.keep)
        run(set(options.names or NAMES), options.size, is_kept=is_kept)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
