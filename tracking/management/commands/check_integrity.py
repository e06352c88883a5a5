"""``manage.py check_integrity``: prove what foreign keys would have promised."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracking.integrity import checks


class Command(BaseCommand):
    """Prints figures, and ends with 1 when something is wrong."""

    help = "Prove what the database cannot: no dangling rows, equal identifier tables, counters that equal the events."

    def add_arguments(self, parser: CommandParser) -> None:
        """The form of the output."""
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Check everything in one snapshot, so that writers may go on meanwhile."""
        result = checks.run()
        if options["json"]:
            self.stdout.write(json.dumps(result.as_document(), indent=2))
        else:
            self._print(result)
        broken = [one.name for one in result.findings if one.violations]
        if broken:
            raise CommandError(f"{len(broken)} of {len(result.findings)} checks failed.")

    def _print(self, result: checks.Result) -> None:
        width = max(len(one.name) for one in result.findings)
        for name, figure in result.figures.items():
            self.stdout.write(f"{name:<{width}}  {figure:>12,}")
        self.stdout.write("")
        for one in result.findings:
            verdict = "ok" if not one.violations else f"WRONG: {one.violations:,}"
            self.stdout.write(f"{one.name:<{width}}  {one.checked:>12,}  {verdict}")
