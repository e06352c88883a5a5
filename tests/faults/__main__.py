"""``python -m tests.faults --kills 20 --operations 20000 --seed N``; the exit code is 1 when something is wrong."""

import argparse
import json
import os
import secrets
import sys

import django

from rolodesk.local.__main__ import STOPPED_CODE
from rolodesk.local.errors import Stopped
from rolodesk.local.signals import stoppable
from tests.faults.stack import newcomers_environment, running_stack


def parse() -> argparse.Namespace:
    """How much of what."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="how many processes to kill")
    parser.add_argument("--operations", type=int, default=20_000, help="acknowledged operations, at least")
    parser.add_argument("--at-once", type=int, default=3, help="processes killed at the same time, at most")
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args()


def main() -> int:
    """Start a stack, run, print."""
    options = parse()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    # Whatever this shell's settings are, they are of another stack.
    own = newcomers_environment()
    os.environ.clear()
    os.environ.update(own)
    print(f"seed {seed}", flush=True)  # noqa: T201  # this is its interface
    with stoppable(), running_stack() as stack:
        os.environ.update(stack.environment)
        django.setup()
        # Its modules want settings, which are known only now.
        from tests.faults.run import Plan, run

        plan = Plan(seed, options.kills, options.operations, at_once=options.at_once)
        figures, lines = run(stack, plan)
    print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201  # this is its interface
    print(json.dumps(figures), flush=True)  # noqa: T201  # this is its interface
    return 1 if figures["violations"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stopped:
        sys.exit(STOPPED_CODE)
