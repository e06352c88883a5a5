"""``manage.py load_demo``: a real purchase history with invented customers, through the write gate."""

import time
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from customers.services.demo import ensure_workspace
from rolodesk.database import connect
from segments import demo
from tracking.demo import history, people
from tracking.demo.history import Dated, NoHistory
from tracking.demo.operations import count, operations
from tracking.importing.feeder import Feeder, Stalled
from tracking.intake.definitions import FRESH_SECONDS

ROUTE = "demo"
AGAIN = "Run this again to go on: nothing counts twice."


class Command(BaseCommand):
    """Downloads, invents, sends, and makes segments of it."""

    help = "Load 69,659 real purchases (CDNOW, 1997-98) of 23,570 invented customers. The ingest workers must run."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Load what is not there yet."""
        workspace_id = ensure_workspace()
        if demo.is_loaded(workspace_id):
            self.stdout.write("Demo data is already here.")
            return
        try:
            self._load(workspace_id)
        except NoHistory as error:
            raise CommandError(str(error)) from error
        except Stalled as error:
            raise CommandError(f"No ingest worker has taken anything for a minute. Start one. {AGAIN}") from error
        except psycopg.OperationalError as error:
            raise CommandError(f"The database went away. {AGAIN}") from error
        except OSError as error:
            raise CommandError(f"Cannot write to {settings.DATA_DIR}: {error.strerror}. {AGAIN}") from error
        except KeyboardInterrupt as error:
            raise CommandError(f"Stopped. {AGAIN}") from error

    def _load(self, workspace_id: int) -> None:
        is_changed = demo.declare(workspace_id)
        rows = history.read(history.download(settings.DATA_DIR / "download"))
        by_customer = history.shift(rows, demo.last_day(workspace_id))
        invented = list(people.invent({number: len(orders) for number, orders in by_customer.items()}))
        sample = demo.write_sample(settings.DATA_DIR, invented)
        if is_changed:
            time.sleep(FRESH_SECONDS)  # until the workers, who look every so often, know what we declared
        self._send(workspace_id, invented, by_customer)
        found = demo.purchases(workspace_id)
        if found < len(rows):
            raise CommandError(f"{len(rows) - found} purchases are missing; look into the quarantine. {AGAIN}")
        demo.finish(workspace_id, len(rows))
        self.stdout.write(
            f"{len(rows)} purchases of {len(by_customer)} customers are here. Some of the customers: {sample}."
        )

    def _send(self, workspace_id: int, invented: list[people.Person], by_customer: dict[int, list[Dated]]) -> None:
        total = count(by_customer)
        with (
            connect(application="rolodesk demo") as connection,
            tqdm(total=total, unit="op", unit_scale=True, desc="Applied", disable=None) as bar,
        ):
            feeder = Feeder(connection, workspace_id, ROUTE, bar.update)
            for operation in operations(invented, by_customer):
                feeder.add(operation)
            feeder.drain()
