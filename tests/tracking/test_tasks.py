"""Scheduled work about events: safe to run twice, and it does what the table of schedules promises."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from rolodesk import partitions
from rolodesk.database import Connection, connect
from rolodesk.partitions import EVENT, EVENT_SEEN
from tests.intake import DAY, NOON, SECOND
from tracking import tasks
from tracking.models import DirtyCustomer

# The tasks open connections of their own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connection() -> Iterator[Connection]:
    with connect(application="test") as connection:
        yield connection


def test_partitions_of_the_coming_time_are_made(connection: Connection, time_machine: Any) -> None:
    time_machine.move_to(NOON + 5000 * DAY)  # 12 November 2039
    made = {"event_203911", "event_203912", "event_204001", "event_204002"}
    # A run before this one may have left them.
    connection.execute("DROP TABLE IF EXISTS event_203911, event_203912, event_204001, event_204002")
    assert not made & partitions.existing(connection, EVENT)
    for _ in range(2):
        tasks.make_partitions()
    assert made <= partitions.existing(connection, EVENT)


def test_remembered_ids_go_after_a_week(connection: Connection, time_machine: Any) -> None:
    first = NOON.date()
    time_machine.move_to(NOON)
    tasks.make_partitions()
    time_machine.move_to(NOON + 8 * DAY)
    tasks.drop_old_partitions()
    assert EVENT_SEEN.name(first) in partitions.existing(connection, EVENT_SEEN)
    time_machine.move_to(NOON + 9 * DAY)
    for _ in range(2):
        tasks.drop_old_partitions()
    assert EVENT_SEEN.name(first) not in partitions.existing(connection, EVENT_SEEN)


def test_changes_that_no_segment_asked_for_in_a_week_are_forgotten(time_machine: Any) -> None:
    time_machine.move_to(NOON, tick=False)
    ages = [timedelta(0), 7 * DAY, 7 * DAY + SECOND, 400 * DAY]
    for age in ages:
        DirtyCustomer.objects.create(customer_id=uuid4(), at=timezone.now() - age, reason="ingest")
    for _ in range(2):
        tasks.trim_dirty_customers()
    assert sorted(DirtyCustomer.objects.values_list("at", flat=True)) == [NOON - 7 * DAY, NOON]


def test_every_task_here_is_scheduled_with_an_expiry_shorter_than_its_interval() -> None:
    names = {f"tracking.tasks.{name}" for name in ("make_partitions", "drop_old_partitions", "trim_dirty_customers")}
    schedule: dict[str, Any] = settings.CELERY_BEAT_SCHEDULE
    entries = [entry for entry in schedule.values() if entry["task"] in names]
    assert {entry["task"] for entry in entries} == names
    assert all(0 < entry["options"]["expires"] < entry["schedule"] for entry in entries)
