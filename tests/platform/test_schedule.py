"""What runs by the clock."""

from typing import Any

from django.conf import settings

from rolodesk.celery import app

SCHEDULE: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE


def test_every_entry_names_a_task_that_exists_and_expires_before_its_next_turn() -> None:
    app.loader.import_default_modules()
    assert SCHEDULE
    for name, entry in SCHEDULE.items():
        assert entry["task"] in app.tasks, name
        assert 0 < entry["options"]["expires"] < entry["schedule"], name


def test_every_task_of_ours_has_an_entry_or_is_asked_for_by_somebody() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in SCHEDULE.values()}
    ours = {name for name in app.tasks if name.startswith(("customers.", "tracking.", "segments.", "dialects."))}
    assert ours == scheduled
