"""Invented customers."""

import time

import phonenumbers
import pytest
from email_validator import validate_email

from tracking.demo.people import PLANS, Person, invent

CUSTOMERS = 23_570


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return list(invent({number: number % 20 + 1 for number in range(1, CUSTOMERS + 1)}))


def test_every_email_and_phone_is_its_owners_alone(people: list[Person]) -> None:
    assert len(people) == CUSTOMERS
    assert len({one.email for one in people}) == CUSTOMERS
    assert len({one.phone for one in people}) == CUSTOMERS
    assert len({one.external_id for one in people}) == CUSTOMERS


def test_nobody_real_can_be_reached(people: list[Person]) -> None:
    assert all(one.email.endswith(".example") and one.email.isascii() for one in people)
    assert all(one.phone.startswith("+1") and one.phone[5:10] == "55501" for one in people)


def test_emails_and_phones_are_valid(people: list[Person]) -> None:
    for one in people[:: CUSTOMERS // 300]:
        validate_email(one.email, check_deliverability=False, test_environment=True)
        assert phonenumbers.is_valid_number(phonenumbers.parse(one.phone))


def test_the_same_numbers_give_the_same_people(people: list[Person]) -> None:
    orders = {number: number % 20 + 1 for number in range(1, 200)}
    assert list(invent(orders)) == people[:199] == list(invent(dict(reversed(orders.items()))))


def test_the_first_people_never_change(people: list[Person]) -> None:
    # A run that goes on with one of an older release must send the same people.
    assert [one.external_id for one in people[:2]] == ["CD-00001", "CD-00002"]
    assert [one.phone for one in people[:2]] == ["+12025550100", "+12035550100"]


def test_names_are_of_many_languages(people: list[Person]) -> None:
    assert sum(not one.name.isascii() for one in people) > CUSTOMERS // 20


def test_those_who_buy_more_pay_for_better_plans(people: list[Person]) -> None:
    def share(least: int, most: int) -> float:
        some = [one for one in people if least <= one.number % 20 + 1 <= most]
        return sum(one.plan == PLANS[2] for one in some) / len(some)

    assert share(15, 20) > share(5, 9) > share(1, 1) == 0


def test_inventing_everybody_takes_seconds() -> None:
    start = time.monotonic()
    list(invent(dict.fromkeys(range(1, CUSTOMERS + 1), 3)))
    assert time.monotonic() - start < 10


def test_more_people_than_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="phone"):
        list(invent({10**6: 1}))
