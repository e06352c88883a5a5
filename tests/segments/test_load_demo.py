"""The demo's data end to end, on a small history."""

import functools
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from customers.models import AuditEntry, CustomerProfile, PropertyDefinition, Workspace
from segments import demo
from segments.models import Segment, SegmentMember
from tracking.demo import history
from tracking.importing import feeder
from tracking.importing.feeder import Feeder
from tracking.intake.worker import Worker
from tracking.integrity import checks
from tracking.models import Event, EventCounter, EventDefinition, InboxItem

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = [(1, "19970101", 1, "11.77"), (2, "19970112", 1, "12.00"), (2, "19980630", 5, "77.00")] + [
    (3, f"199702{day:02}", 2, "10.50") for day in range(1, 12)
]
TEXT = "customer_id date number_of_cds dollar_value\r\n" + "".join(
    f" {customer:05} {day} {cds:2} {value:>7}\r\n" for customer, day, cds, value in ROWS
)


@pytest.fixture(autouse=True)
def small_history(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    wheel = tmp_path / "small.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lifetimes/datasets/CDNOW_master.txt", TEXT)
    monkeypatch.setattr(history, "download", lambda _folder: wheel)
    monkeypatch.setattr("segments.management.commands.load_demo.FRESH_SECONDS", 0)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    worker = Worker(0)
    monkeypatch.setattr(feeder, "pause", worker.turn)
    yield worker
    worker.close()


def test_every_purchase_is_there_once_with_its_amount(worker: Worker) -> None:
    call_command("load_demo")
    assert Event.objects.count() == len(ROWS)
    assert sum(row.revenue or 0 for row in EventCounter.objects.all()) == sum(Decimal(row[3]) for row in ROWS)
    assert max(Event.objects.values_list("ts", flat=True)).date() == datetime.now(UTC).date() - timedelta(days=1)
    assert CustomerProfile.objects.filter(raw_props__orders_count=11).count() == 1
    assert checks.run().is_sound


def test_personal_data_is_declared_personal_and_the_rest_public(worker: Worker) -> None:
    call_command("load_demo")
    classes = dict(PropertyDefinition.objects.values_list("path", "data_class"))
    assert classes["name"] == 1
    assert {classes[path] for path in ("plan", "city", "orders_count", "cds", "value", "order_no")} == {0}
    stored = {path for row in CustomerProfile.objects.all() for path in row.raw_props}
    assert stored <= classes.keys()
    assert EventDefinition.objects.get(name="Purchase").revenue_property == "value"


def test_segments_have_the_members_they_promise(worker: Worker) -> None:
    call_command("load_demo")
    sizes = {
        segment.name: SegmentMember.objects.filter(segment_id=segment.pk).count() for segment in Segment.objects.all()
    }
    assert sizes == {"Collectors": 1, "Active this quarter": 1, "Phone support queue": 3}
    assert [one.name for one in Segment.objects.filter(is_access_scope=True)] == ["Phone support queue"]


def test_a_second_run_says_so_and_sends_nothing(worker: Worker, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_demo")
    capsys.readouterr()
    worker.close()
    call_command("load_demo")
    assert capsys.readouterr().out == "Demo data is already here.\n"
    assert not InboxItem.objects.exists()


def test_a_run_that_was_killed_is_completed_without_doubles(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeder, "SUBMISSION_OPERATIONS", 4)

    def die(_feeder: Feeder) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Feeder, "drain", die)
        with pytest.raises(CommandError, match="go on"):
            call_command("load_demo")
    worker.turn()
    assert Event.objects.exists()
    # Days later: the times must be those of the first attempt, since they are part of the key.
    later = datetime.now(UTC) + timedelta(days=3)
    monkeypatch.setattr(demo, "datetime", type("Later", (datetime,), {"now": classmethod(lambda _cls, _zone: later)}))
    call_command("load_demo")
    assert Event.objects.count() == len(ROWS)
    assert checks.run().is_sound
    assert AuditEntry.objects.filter(action=demo.STARTED).count() == 1


def test_lost_purchases_are_sent_again(worker: Worker) -> None:
    call_command("load_demo")
    Event.objects.all().delete()
    EventCounter.objects.all().delete()
    call_command("load_demo")
    assert Event.objects.count() == len(ROWS)


def test_purchases_that_do_not_arrive_are_an_error(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Feeder, "drain", lambda _feeder: None)
    with pytest.raises(CommandError, match="missing"):
        call_command("load_demo")
    assert not AuditEntry.objects.filter(action=demo.LOADED).exists()


def test_without_a_worker_it_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segments.management.commands.load_demo.Feeder", functools.partial(Feeder, patience=0.05))
    with pytest.raises(CommandError, match="No ingest worker") as error:
        call_command("load_demo")
    assert "\n" not in str(error.value)
    assert Workspace.objects.count() == 1


def test_a_failed_download_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_folder: Path) -> Path:
        raise history.NoHistory("it could not be downloaded")

    monkeypatch.setattr(history, "download", fail)
    with pytest.raises(CommandError, match="could not be downloaded"):
        call_command("load_demo")


def test_the_sample_file_is_private_and_findable(worker: Worker, tmp_path: Path) -> None:
    call_command("load_demo")
    path = tmp_path / demo.SAMPLE_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text().splitlines()) == 4
