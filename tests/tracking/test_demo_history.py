"""Reading the purchase history and moving it to our time."""

import subprocess
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tracking.demo import history
from tracking.demo.history import NoHistory, parse, read, shift
from tracking.demo.operations import count, operations
from tracking.demo.people import invent
from tracking.intake.operations import Identify, Ref, Track, decode, encode

# The file's own form: a heading, columns set with spaces, DOS line ends.
TEXT = (
    " customer_id  date number_of_cds  dollar_value\r\n"
    " 00001 19970101  1   11.77\r\n"
    " 00002 19970112  1   12.00\r\n"
    " 00002 19970112  5   77.00\r\n"
    " 00002 19980630  2    0.00\r\n"
)
LAST = date(2026, 3, 14)


def test_rows_are_numbered_and_keep_their_cents() -> None:
    rows = parse(TEXT)
    assert [row.row for row in rows] == [1, 2, 3, 4]
    assert rows[0].customer == 1 and rows[0].day == date(1997, 1, 1) and rows[0].cds == 1
    assert rows[0].value == Decimal("11.77") and str(rows[1].value) == "12.00"


def test_the_newest_purchase_falls_on_the_last_day_and_distances_stay() -> None:
    moved = shift(parse(TEXT), LAST)
    assert max(one.at.date() for rows in moved.values() for one in rows) == LAST
    days = [one.at.date() for one in moved[2]]
    assert (days[2] - days[0]).days == (date(1998, 6, 30) - date(1997, 1, 12)).days


def test_times_are_within_opening_hours_in_order_and_the_same_each_time() -> None:
    moved = shift(parse(TEXT), LAST)
    assert moved == shift(reversed(parse(TEXT)), LAST)
    assert [one.purchase.row for one in moved[2]] == [2, 3, 4]
    times = [one.at for one in moved[2]]
    assert times == sorted(times)
    assert all(datetime(*at.timetuple()[:3], 7, tzinfo=UTC) <= at for at in times)
    assert all(at < datetime(*at.timetuple()[:3], 23, tzinfo=UTC) for at in times)


def test_the_text_is_read_out_of_the_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "lifetimes.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lifetimes/datasets/CDNOW_sample.txt", "other")
        archive.writestr("lifetimes/datasets/CDNOW_master.txt", TEXT)
    assert read(wheel) == parse(TEXT)


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_a_broken_wheel_is_said_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    wheel = tmp_path / "lifetimes.whl"
    if content is None:
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("lifetimes/other.txt", "")
    else:
        wheel.write_bytes(content)
    with pytest.raises(NoHistory) as error:
        read(wheel)
    assert "\n" not in str(error.value)


def test_a_failed_download_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "WARNING: retrying\nERROR: no such host\n")

    monkeypatch.setattr("tracking.demo.history.subprocess.run", fail)
    with pytest.raises(NoHistory, match="no such host") as error:
        history.download(tmp_path)
    assert "\n" not in str(error.value)


def test_a_download_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], **_options: object) -> None:
        raise subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr("tracking.demo.history.subprocess.run", hang)
    with pytest.raises(NoHistory):
        history.download(tmp_path)


def test_each_customer_signs_up_buys_and_is_counted() -> None:
    moved = shift(parse(TEXT), LAST)
    people = list(invent({number: len(rows) for number, rows in moved.items()}))
    made = list(operations(people, moved))
    assert len(made) == count(moved) == 8
    first, *bought, last = made[3:]
    assert isinstance(first, Identify) and isinstance(last, Identify)
    assert first.who == Ref("external_id", "CD-00002")
    assert first.identifiers == {"email": people[1].email, "phone": people[1].phone}
    assert first.at == _micros(moved[2][0].at) and last.at == _micros(moved[2][-1].at)
    assert last.properties["orders_count"] == 3
    assert all(isinstance(one, Track) for one in bought)
    assert [one.id for one in bought if isinstance(one, Track)] == ["cdnow-2", "cdnow-3", "cdnow-4"]


def test_amounts_reach_the_inbox_as_they_stand_in_the_file() -> None:
    moved = shift(parse(TEXT), LAST)
    people = invent({number: len(rows) for number, rows in moved.items()})
    body = encode(list(operations(people, moved)))
    assert b'"value":77.00' in body and b'"value":11.77' in body
    assert len(decode(body)) == 8


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
