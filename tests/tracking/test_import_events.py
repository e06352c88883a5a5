"""Files of events through the write gate; a worker runs between two looks at the inbox."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from customers.models import AuditEntry, Workspace
from rolodesk.database import connect
from tests.factories import make_customer, make_workspace
from tracking.importing import feeder, run
from tracking.importing.feeder import Feeder, Stalled
from tracking.intake.operations import Ref, Track
from tracking.intake.worker import Worker
from tracking.models import Event, InboxItem

pytestmark = pytest.mark.django_db(transaction=True)

HEADING = "customer,when,amount\n"
MAPS = ["--map", "id=customer", "--map", "time=when", "--event", "Purchase"]


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(slug="shop")


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    worker = Worker(0)
    monkeypatch.setattr(feeder, "pause", worker.turn)
    yield worker
    worker.close()


def run_import(path: Path, *options: str, text: str | None = None) -> None:
    if text is not None:
        path.write_text(text)
    call_command("import_events", str(path), "--workspace", "shop", *MAPS, *options)


def counts(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def test_good_rows_go_in_and_bad_ones_are_told_by_line(
    workspace: Workspace, worker: Worker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = HEADING + "c1,2026-01-01,1.50\nSECRET,never,2\nc1,2026-01-02,3\ntoo,few\nc2,2026-01-03,4\n"
    run_import(tmp_path / "file.csv", "--report", str(tmp_path / "report.csv"), text=text)
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == "accepted 3, duplicate 0, malformed 2"
    assert "line 3: time_unreadable" in captured.err and "line 5: too_few_cells" in captured.err
    assert "SECRET" not in captured.err + captured.out
    with (tmp_path / "report.csv").open() as file:
        assert list(csv.reader(file)) == [["line", "code"], ["3", "time_unreadable"], ["5", "too_few_cells"]]
    assert Event.objects.count() == 3
    assert AuditEntry.objects.get(action="events.imported").data == {"accepted": 3, "duplicate": 0, "malformed": 2}


def test_a_file_twice_makes_no_doubles(
    workspace: Workspace, worker: Worker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Two rows are equal in everything: two purchases, both times.
    text = HEADING + "c1,2026-01-01,1\nc1,2026-01-01,1\nc2,2026-01-01,1\n"
    run_import(tmp_path / "file.csv", text=text)
    assert counts(capsys) == "accepted 3, duplicate 0, malformed 0"
    run_import(tmp_path / "file.csv", "--report", str(tmp_path / "report.csv"))
    assert counts(capsys) == "accepted 0, duplicate 3, malformed 0"
    assert (tmp_path / "report.csv").read_text().splitlines()[1:] == ["2,duplicate", "3,duplicate", "4,duplicate"]
    assert Event.objects.count() == 3


def test_an_id_twice_in_a_file_counts_once(
    workspace: Workspace,
    worker: Worker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Submissions of two rows, so that one repeat stands in the same and one in a later submission.
    monkeypatch.setattr(feeder, "SUBMISSION_OPERATIONS", 2)
    monkeypatch.setattr(run, "SUBMISSION_OPERATIONS", 2)
    text = "customer,when,key\n" + "".join(f"c1,2026-01-0{day},k{day}\n" for day in (1, 1, 2, 3, 4, 1, 5))
    run_import(tmp_path / "file.csv", "--map", "event_id=key", text=text)
    assert counts(capsys) == "accepted 5, duplicate 2, malformed 0"
    assert Event.objects.count() == 5


def test_events_can_be_told_by_our_own_number(
    workspace: Workspace, worker: Worker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = make_customer(workspace)
    path = tmp_path / "file.ndjson"
    path.write_text(f'{{"who": "{customer}", "at": 1767225600, "name": "Visit", "tags": ["a"]}}\n')
    arguments = ["--map", "customer_id=who", "--map", "time=at", "--map", "event=name"]
    for expected in ("accepted 1, duplicate 0, malformed 0", "accepted 0, duplicate 1, malformed 0"):
        call_command("import_events", str(path), "--workspace", "shop", *arguments)
        assert counts(capsys) == expected
    event = Event.objects.get()
    assert (event.customer_id, event.raw_props) == (customer, {"tags": ["a"]})


def test_what_the_workers_set_aside_is_told(
    workspace: Workspace,
    worker: Worker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_args: object) -> None:
        raise ValueError

    monkeypatch.setattr("tracking.intake.apply.Applier._event", refuse)
    run_import(tmp_path / "file.csv", text=HEADING + "c1,2026-01-01,1\n")
    assert counts(capsys).startswith("1 of the accepted are in quarantine")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--map", "property.x=nothing"], "no column nothing"),
        (["--timezone", "Moon/Crater"], "time zone"),
        (["--encoding", "klingon"], "encoding"),
        (["--report", "/nowhere/report.csv"], "Cannot write"),
    ],
)
def test_options_that_do_not_fit_end_it_with_one_line(
    workspace: Workspace, tmp_path: Path, options: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message) as error:
        run_import(tmp_path / "file.csv", *options, text=HEADING + "c1,2026-01-01,1\n")
    assert "\n" not in str(error.value)
    assert not InboxItem.objects.exists()


def test_an_unknown_workspace_or_file_ends_it_with_one_line(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run_import(tmp_path / "none.csv")
    Workspace.objects.all().delete()
    with pytest.raises(CommandError, match="no workspace"):
        run_import(tmp_path / "file.csv", text=HEADING)


def test_without_a_worker_it_gives_up_and_loses_nothing(workspace: Workspace) -> None:
    with connect(application="test") as connection:
        patient = Feeder(connection, workspace.pk, "import", patience=0.05)
        patient.add(Track(who=Ref("external_id", "c1"), name="Visit", at=1767225600_000000, id="1"))
        with pytest.raises(Stalled):
            patient.drain()
    assert InboxItem.objects.get().n == 1
    assert patient.applied == 0


def test_no_more_waits_than_the_faces_leave_room_for(
    workspace: Workspace, worker: Worker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 0

    def look_and_work() -> None:
        nonlocal most
        most = max(most, sum(InboxItem.objects.values_list("n", flat=True)))
        worker.turn()

    monkeypatch.setattr(feeder, "pause", look_and_work)
    monkeypatch.setattr(feeder, "SUBMISSION_OPERATIONS", 10)
    settings.INTAKE_BACKLOG_CAP = 50
    told: list[int] = []
    with connect(application="test") as connection:
        polite = Feeder(connection, workspace.pk, "import", told.append)
        for number in range(205):
            polite.add(
                Track(who=Ref("external_id", f"c{number % 7}"), name="Visit", at=1767225600_000000, id=f"{number}")
            )
        polite.drain()
    assert 0 < most <= 30
    assert sum(told) == polite.applied == polite.submitted == Event.objects.count() == 205
