"""From a row to an event, or to the reason why it is none."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tracking.importing.mapping import BadMapping, BadRow, Mapper, read_columns
from tracking.intake.operations import Ref

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
KINDS = ["external_id", "email"]
ROW = {"no": "C-1", "mail": "a@b.example", "day": "2026-03-01", "what": "Purchase", "amount": "12.50"}


def make_mapper(*maps: str, event: str = "", **options: Any) -> Mapper:
    columns = read_columns(maps or ["external_id=no", "time=day", "event=what"], KINDS, constant_event=event)
    return Mapper(workspace_id=1, columns=columns, now=NOW, constant_event=event, **options)


def test_a_row_becomes_an_event() -> None:
    track = make_mapper().map(ROW).track
    assert track.who == Ref("external_id", "C-1")
    assert track.name == "Purchase"
    assert track.at == 1772323200_000000
    assert track.properties == {"mail": "a@b.example", "amount": Decimal("12.50")}


def test_properties_can_be_renamed_and_limited() -> None:
    maps = ["id=no", "time=day", "event=what", "property.total=amount"]
    assert make_mapper(*maps).map(ROW).track.properties == {"total": Decimal("12.50"), "mail": "a@b.example"}
    assert make_mapper(*maps, is_only_mapped=True).map(ROW).track.properties == {"total": Decimal("12.50")}


def test_the_first_identifier_with_a_value_names_the_customer() -> None:
    mapper = make_mapper("external_id=no", "email=mail", "time=day", event="Visit")
    assert mapper.map(ROW).track.who == Ref("external_id", "C-1")
    assert mapper.map(ROW | {"no": " "}).track.who == Ref("email", "a@b.example")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("0.50", Decimal("0.50")),
        ("007", "007"),
        ("+49301", "+49301"),
        ("1e5", "1e5"),
        ("1" * 20, "1" * 20),
        ("true", "true"),
        ("a\0b", "a\ufffdb"),
    ],
)
def test_only_plain_numbers_become_numbers(text: str, value: object) -> None:
    assert make_mapper().map(ROW | {"amount": text}).track.properties["amount"] == value
    kept = make_mapper(is_text_only=True).map(ROW | {"amount": text}).track.properties["amount"]
    assert kept == text.replace("\0", "\ufffd")


def test_empty_cells_are_no_properties() -> None:
    assert "amount" not in make_mapper().map(ROW | {"amount": ""}).track.properties


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"no": ""}, "identifier_missing"),
        ({"no": "x" * 151}, "identifier_invalid"),
        ({"no": None}, "identifier_missing"),
        ({"day": ""}, "time_missing"),
        ({"day": "soon"}, "time_unreadable"),
        ({"day": "1955-01-01"}, "time_absurd"),
        ({"day": "2026-03-16"}, "time_in_future"),
        ({"what": ""}, "event_missing"),
        ({"what": "x" * 101}, "event_too_long"),
        ({"x" * 151: "1"}, "property_name_too_long"),
    ],
)
def test_a_row_that_is_no_event_says_why_without_a_value(change: dict[str, Any], code: str) -> None:
    with pytest.raises(BadRow) as error:
        make_mapper().map(ROW | change)
    assert error.value.code == str(error.value) == code


def test_our_own_number_must_be_one() -> None:
    mapper = make_mapper("customer_id=no", "time=day", event="Visit")
    with pytest.raises(BadRow, match="identifier_invalid"):
        mapper.map(ROW)


@pytest.mark.parametrize(("value", "code"), [("", "event_id_missing"), ("x" * 200, "event_id_invalid")])
def test_a_column_of_ids_must_hold_ids(value: str, code: str) -> None:
    mapper = make_mapper("id=no", "time=day", "event=what", "event_id=key")
    assert mapper.map(ROW | {"key": "k1"}).track.id == "k1"
    with pytest.raises(BadRow, match=code):
        mapper.map(ROW | {"key": value})


def test_without_a_column_of_ids_the_content_is_the_id() -> None:
    first, again = make_mapper(), make_mapper()
    ids = [first.map(row).id for row in (ROW, ROW, ROW | {"amount": "13"})]
    assert len(set(ids)) == 3
    assert [again.map(row).id for row in (ROW, ROW, ROW | {"amount": "13"})] == ids


def test_the_id_of_a_row_does_not_depend_on_how_columns_are_mapped_or_ordered() -> None:
    other = make_mapper("id=no", "time=day", "event=what", "property.total=amount")
    assert other.map(dict(reversed(ROW.items()))).id == make_mapper().map(ROW).id


def test_one_file_may_be_imported_as_two_events() -> None:
    maps = ["id=no", "time=day"]
    assert make_mapper(*maps, event="A").map(ROW).id != make_mapper(*maps, event="B").map(ROW).id


@pytest.mark.parametrize(
    ("maps", "event"),
    [
        (["id"], "E"),
        (["=no"], "E"),
        (["id="], "E"),
        (["id=no"], "E"),
        (["time=day"], "E"),
        (["id=no", "time=day"], ""),
        (["id=no", "time=day", "event=what"], "E"),
        (["id=no", "external_id=no", "time=day"], "E"),
        (["id=no", "time=day", "colour=x"], "E"),
    ],
)
def test_mappings_that_make_no_sense_are_refused(maps: list[str], event: str) -> None:
    with pytest.raises(BadMapping):
        read_columns(maps, KINDS, constant_event=event)
