"""``manage.py ingest_worker``: apply what the inbox holds, until told to stop."""

import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tracking.intake.warming import warm_up
from tracking.intake.worker import Worker


class Command(BaseCommand):
    """Runs one ingest worker; give each its own slot."""

    help = "Apply what the inbox holds. Run two or more of these, each with its own --slot."

    def add_arguments(self, parser: CommandParser) -> None:
        """The slot."""
        parser.add_argument("--slot", type=int, default=0, help="number of this worker among its like (0 to 999)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run; a signal lets the current batch finish."""
        worker = Worker(options["slot"])

        def stop(_signal: int, _frame: FrameType | None) -> None:
            worker.is_stopping = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        if worker.slot == 0:  # once is enough; nothing waits for it
            threading.Thread(target=warm_up, name="warming", daemon=True).start()
        worker.run()
