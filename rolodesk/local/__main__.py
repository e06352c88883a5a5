"""``python -m rolodesk.local up``, ``… run -- command`` and ``… env``."""

import argparse
import sys

from rolodesk.local.errors import CannotStart, Stopped

STOPPED_CODE = 130


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options; what follows ``--`` is the command."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="python -m rolodesk.local", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("up", help="start everything and wait")
    actions.add_parser("env", help='print the settings of the stack for a shell: eval "$(… env)"')
    runner = actions.add_parser("run", help="run a command with PostgreSQL and Valkey of its own")
    runner.add_argument("--folder", default="test", help="folder of the services, below the data folder")
    runner.add_argument("--durable", action="store_true", help="write to disk as in real use")
    options = parser.parse_args(arguments[:split])
    options.command = arguments[split + 1 :]
    if options.action == "run" and not options.command:
        parser.error("run needs a command after --")
    return options


def main(arguments: list[str]) -> int:
    """The exit code."""
    options = parse(arguments)
    try:
        # Here, because these need all packages: what is asked wrongly is said before that.
        from rolodesk.local.environment import export_lines  # noqa: PLC0415
        from rolodesk.local.run import run  # noqa: PLC0415
        from rolodesk.local.up import up  # noqa: PLC0415

        if options.action == "up":
            return up()
        if options.action == "env":
            print("\n".join(export_lines()))  # noqa: T201  # this is its interface
            return 0
        return run(options.folder, options.command, durable=options.durable)
    except CannotStart as error:
        print(error, file=sys.stderr)  # noqa: T201  # this is its interface
        return 1
    except Stopped:
        return 0 if options.action == "up" else STOPPED_CODE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
