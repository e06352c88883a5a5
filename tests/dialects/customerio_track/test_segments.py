"""Members of segments as operations, sections 2.10 and 2.11 of the contract."""

import json

import pytest

from dialects.customerio_track.errors import Invalid
from dialects.customerio_track.segments import change_members
from rolodesk.errors import NotFound
from rolodesk.json import Json
from tracking.intake.operations import CUSTOMER_ID, ChangeMembers, Ref

HEX = "0190a0b0c0d0712233445566778899aa"
OWN = Ref(CUSTOMER_ID, "0190a0b0-c0d0-7122-3344-5566778899aa")


def change(ids: Json, id_type: str | None = None, segment: str = "3") -> ChangeMembers:
    return change_members(segment, id_type, json.dumps({"ids": ids}).encode(), is_removal=False)


def test_people_are_named_by_the_kind_that_the_query_says() -> None:
    assert (
        change([1, "b"])
        == change([1, "b"], "id")
        == ChangeMembers(3, [Ref("external_id", "1"), Ref("external_id", "b")])
    )
    assert change(["a@b.example"], "email").people == [Ref("email", "a@b.example")]
    assert change([HEX, f"cio_{HEX.upper()}"], "cio_id").people == [OWN]
    assert change_members("3", None, b'{"ids": [1]}', is_removal=True).is_removal


def test_the_key_names_the_kind_whatever_an_id_looks_like() -> None:
    assert change(["a@b.example", f"cio_{HEX}"]).people == [
        Ref("external_id", "a@b.example"),
        Ref("external_id", f"cio_{HEX}"),
    ]


def test_ids_that_can_name_nobody_are_passed_over_and_repeats_are_one() -> None:
    ids: list[Json] = ["a", None, "", " ", [], {}, True, 1.5, "x" * 151, "a\0", "a"]
    assert change(ids).people == [Ref("external_id", "a")]
    assert change([[], "1"], "cio_id").people == []


def test_a_thousand_ids_are_accepted_and_not_one_more() -> None:
    assert len(change(list(range(1000))).people) == 1000
    with pytest.raises(Invalid) as caught:
        change(list(range(1001)))
    assert caught.value.message == "ids must be an array of 1 to 1000 ids"


@pytest.mark.parametrize("ids", [None, [], {}, "a", 5])
def test_there_must_be_a_list_of_ids(ids: Json) -> None:
    with pytest.raises(Invalid):
        change(ids)


@pytest.mark.parametrize("id_type", ["", "ID", "phone", "anonymous_id"])
def test_other_kinds_are_refused(id_type: str) -> None:
    with pytest.raises(Invalid) as caught:
        change(["a"], id_type)
    assert caught.value.message == "id_type must be one of id, email or cio_id"


@pytest.mark.parametrize("segment", ["0", "-1", "x", "", "1.0", "2147483648", "9" * 50, " 1", "\u0661", "1a"])
def test_what_is_no_positive_number_of_32_bits_is_no_segment(segment: str) -> None:
    with pytest.raises(NotFound) as caught:
        change(["a"], segment=segment)
    assert caught.value.data == {"reason": "segment"}
    assert change(["a"], segment="2147483647").segment_id == 2**31 - 1
