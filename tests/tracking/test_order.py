"""Serial operations have their place in the order of everything, with any number of workers."""

from collections.abc import Iterator

import pytest

from rolodesk.database import connect
from tests.tracking.intake import Gate, by_id, open_gate
from tracking.intake import sql
from tracking.intake.operations import Delete, Identify, Merge, Operation, Track

MANY = 100


@pytest.fixture
def gate(transactional_db: None) -> Iterator[Gate]:
    with open_gate() as opened:
        yield opened


def hot(key: str) -> Operation:
    return Track(by_id(key), "Visit")


def serial(key: str) -> Operation:
    return Delete(by_id(key))


def names(claimed: list[sql.Claimed]) -> list[str]:
    """What the rows are about, by the one letter of each."""
    return [row.body.split('external_id","')[1][0] for row in claimed]


@pytest.mark.parametrize(
    ("waiting", "first", "second"),
    [
        # The first worker takes some and is not done yet; what may the second take?
        ("ab", "a", "b"),
        ("aB", "a", ""),  # a serial row waits for those before it
        ("abC", "a", "b"),
        ("aBc", "a", ""),  # and nothing overtakes it
        ("Ab", "A", ""),
        ("AB", "A", ""),
        ("abCd", "ab", ""),
    ],
)
def test_what_a_second_worker_may_claim(gate: Gate, waiting: str, first: str, second: str) -> None:
    for letter in waiting:
        gate.send(serial(letter) if letter.isupper() else hot(letter))
    with connect(application="one") as one, connect(application="two") as two, one.transaction():
        assert names(sql.claim(one, len(first))) == list(first)
        with two.transaction():
            assert names(sql.claim(two, MANY)) == list(second)


def test_one_worker_takes_all_in_order(gate: Gate) -> None:
    for letter in "aBcDe":
        gate.send(serial(letter) if letter.isupper() else hot(letter))
    assert names(sql.claim(gate.connection, MANY)) == list("aBcDe")


def test_what_is_committed_meanwhile_is_free_on_the_next_try(gate: Gate) -> None:
    gate.send(hot("a"))
    gate.send(serial("B"))
    with connect(application="one") as one:
        with one.transaction():
            assert names(sql.claim(one, 1)) == ["a"]
            assert sql.claim(gate.connection, MANY) == []
        assert names(sql.claim(gate.connection, MANY)) == ["B"]


def test_only_so_many_serial_rows_are_taken_at_once(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs as much as a batch of others, and nobody sees any of them before all are applied."""
    monkeypatch.setattr(sql, "SERIAL_ROWS", 2)
    for letter in "aBcDeFgH":
        gate.send(serial(letter) if letter.isupper() else hot(letter))
    taken = []
    while claimed := sql.claim(gate.connection, MANY):
        taken.append("".join(names(claimed)))
    assert taken == ["aBcDe", "FgH"]


def test_a_request_is_as_serial_as_its_most_serial_operation(gate: Gate) -> None:
    gate.send(hot("a"), serial("b"), hot("c"))
    gate.send(hot("d"), Identify(by_id("e")))
    assert gate.rows("SELECT is_serial FROM inbox ORDER BY id") == [True, False]


def test_requests_that_follow_each_other_take_effect_in_that_order(gate: Gate) -> None:
    ada, eve = by_id("ada"), by_id("eve")
    for operation in (Identify(ada), Identify(eve), Merge(ada, eve), Delete(ada), Identify(ada, properties={"n": 1})):
        gate.send(operation)
    gate.apply()
    assert gate.props(gate.owner(ada)) == {"n": 1}
    assert gate.totals()["applied"] == 5
