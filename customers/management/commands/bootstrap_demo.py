"""``manage.py bootstrap_demo``: the demo workspace, its people and its token."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from customers.services import demo, demo_file


class Command(BaseCommand):
    """Makes what is missing and keeps what is there."""

    help = "Make the demo workspace with its people and token; sign-ins are kept in demo.json of the data folder."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run, and say where the sign-ins are."""
        try:
            path = demo.bootstrap()
        except demo_file.CannotWrite as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Demo workspace “{demo.NAME}” is ready; its sign-ins are in {path}.")
