"""``manage.py import_events``: a user's own file of events, through the write gate."""

import csv
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from tqdm import tqdm

from customers import audit
from customers.services.workspaces import find_workspace
from rolodesk.database import connect
from tracking.importing import run
from tracking.importing.feeder import Feeder, Stalled
from tracking.importing.mapping import BadMapping, Columns, Mapper, read_columns
from tracking.importing.moments import TimeFormat
from tracking.importing.run import ROUTE, Importer, Report
from tracking.importing.sources import BadFile, Source, open_source

SHOWN = 20
AGAIN = "Run this again to go on: nothing counts twice."
DESCRIPTION = """Import events from a CSV file with a heading or from JSON lines (.ndjson, .jsonl).

  --map TARGET=COLUMN   says what a column means; give it once for each target:
      external_id, email, … (an identifier kind of the workspace), or customer_id (our own number)
      event                 the event's name, unless --event gives one for all
      time                  when it happened (needed): ISO 8601, seconds or milliseconds since 1970
      event_id              the event's own id
      property.NAME         a property under this name
  Other columns become properties under their own names, unless --only-mapped.

Without event_id a row gets an id from its content, so importing a file twice changes nothing; rows that
are equal in every column count as often as they stand in the file. A bad row is reported with its line
and a reason, and the others go in. The ingest workers must be running.

  manage.py import_events orders.csv --workspace shop --event Purchase --map external_id=customer --map time=day
"""


class _Formatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


class Command(BaseCommand):
    """Reads, maps, sends, and gives an account of every row."""

    help = DESCRIPTION

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """With the help text as it is written."""
        return super().create_parser(prog_name, subcommand, formatter_class=_Formatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """The file and what it means."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--map", action="append", default=[], metavar="TARGET=COLUMN")
        parser.add_argument("--event", default="", metavar="NAME", help="name of all events, instead of a column")
        parser.add_argument("--only-mapped", action="store_true", help="leave out columns that are not mapped")
        parser.add_argument("--text-only", action="store_true", help="keep numbers in CSV files as text")
        parser.add_argument("--encoding", default="", help="instead of guessing it")
        parser.add_argument("--timezone", default="UTC", help="of times without a zone (default UTC)")
        parser.add_argument("--day-first", action="store_true", help="03/04/2026 is the third of April")
        parser.add_argument("--report", type=Path, metavar="FILE.csv", help="write line and code of each refused row")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import the file; any row may be bad, so only a bad file or bad options end with an error."""
        try:
            with ExitStack() as stack:
                report = self._import(stack, options)
        except (BadFile, BadMapping) as error:
            raise CommandError(str(error)) from error
        except Stalled as error:
            raise CommandError(f"No ingest worker has taken anything for a minute. Start one. {AGAIN}") from error
        except psycopg.OperationalError as error:
            raise CommandError(f"The database went away. {AGAIN}") from error
        except KeyboardInterrupt as error:
            raise CommandError(f"Stopped. {AGAIN}") from error
        except UnicodeError as error:
            raise CommandError("The file is not in the encoding it seemed to have; give it with --encoding.") from error
        self.stdout.write(f"accepted {report.accepted}, duplicate {report.duplicate}, malformed {report.malformed}")
        if report.quarantined:
            self.stdout.write(f"{report.quarantined} of the accepted are in quarantine: they could not be applied.")

    def _import(self, stack: ExitStack, options: dict[str, Any]) -> Report:
        workspace_id = find_workspace(options["workspace"])
        if workspace_id is None:
            raise CommandError("There is no workspace of this slug.")
        source, encoding = stack.enter_context(open_source(options["file"], encoding=options["encoding"]))
        connection = stack.enter_context(connect(application="rolodesk import"))
        settings = run.workspace_settings(connection, workspace_id)
        columns = read_columns(options["map"], settings.kinds.keys(), constant_event=options["event"])
        _check_columns(columns, source)
        self.stderr.write(f"Reading {options['file'].name} as {encoding}.")
        report = Report(self._refusals(stack, options["report"]))
        feeder = Feeder(connection, workspace_id, ROUTE)
        importer = Importer(connection, feeder, _mapper(workspace_id, columns, options), report, settings)
        size = options["file"].stat().st_size
        bar = stack.enter_context(tqdm(total=size, unit="B", unit_scale=True, desc="Importing", disable=None))
        importer.run(source, lambda: bar.update(source.position - bar.n))
        counts: dict[str, str | int | list[str]] = {
            "accepted": report.accepted, "duplicate": report.duplicate, "malformed": report.malformed
        }  # fmt: skip
        audit.record(None, "events.imported", workspace_id=workspace_id, data=counts)
        return report

    def _refusals(self, stack: ExitStack, path: Path | None) -> Callable[[int, str], None]:
        """Where refused rows are told: the first of them here, all of them in the report file."""
        shown = 0
        writer = None
        if path is not None:
            try:
                writer = csv.writer(stack.enter_context(path.open("w", newline="", encoding="utf-8")))
            except OSError as error:
                raise BadFile(f"Cannot write {path}: {error.strerror}.") from error
            writer.writerow(["line", "code"])

        def tell(line: int, code: str) -> None:
            nonlocal shown
            if writer is not None:
                writer.writerow([line, code])
            shown += code != run.DUPLICATE
            if shown <= SHOWN and code != run.DUPLICATE:
                tqdm.write(f"line {line}: {code}", file=sys.stderr)

        return tell


def _check_columns(columns: Columns, source: Source) -> None:
    """A column that the heading does not have is a slip of the pen, not a thousand bad rows."""
    missing = columns.used - set(source.columns) if source.columns is not None else frozenset()
    if missing:
        raise BadMapping(f"The file has no column {min(missing)}.")


def _mapper(workspace_id: int, columns: Columns, options: dict[str, Any]) -> Mapper:
    try:
        zone = ZoneInfo(options["timezone"])
    except (KeyError, ValueError) as error:
        raise BadMapping("The time zone is unknown.") from error
    return Mapper(
        workspace_id=workspace_id,
        columns=columns,
        now=datetime.now(UTC),
        times=TimeFormat(zone, options["day_first"]),
        constant_event=options["event"],
        is_only_mapped=options["only_mapped"],
        is_text_only=options["text_only"],
    )
