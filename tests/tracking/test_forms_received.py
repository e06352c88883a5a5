"""Taking submissions of forms: registering, mapping, and who is meant."""

import threading

import pytest
from django.db import close_old_connections

from customers.services.workspaces import create_workspace
from rolodesk.errors import InvalidInput
from tracking.models import Form
from tracking.services.forms import ABOUT_THE_FORM, Submission, receive


@pytest.fixture
def workspace_id(db: None) -> int:
    return create_workspace(name="Shop")


def refusal(workspace_id: int, data: dict[str, str]) -> object:
    with pytest.raises(InvalidInput) as caught:
        receive(workspace_id=workspace_id, key="signup", data=data)
    return caught.value.data["reason"]


def make_form(workspace_id: int, **mapping: object) -> Form:
    return Form.objects.create(workspace_id=workspace_id, key="signup", mapping=mapping)


def fields(workspace_id: int) -> list[str]:
    return list(Form.objects.get(workspace_id=workspace_id, key="signup").fields)


def test_an_unknown_form_is_registered_with_its_fields(workspace_id: int) -> None:
    found = receive(workspace_id=workspace_id, key="signup", data={"email": "a@b.example", "plan": "gold"})
    assert found == Submission("email", "a@b.example", {"plan": "gold"}, {"email": "a@b.example", "plan": "gold"})
    assert fields(workspace_id) == ["email", "plan"]


def test_later_fields_are_added_once_and_the_form_stays_one(workspace_id: int) -> None:
    for data in ({"id": "5"}, {"id": "5", "b": ""}, {"id": "5", "b": "", "a": ""}):
        receive(workspace_id=workspace_id, key="signup", data=data)
    assert fields(workspace_id) == ["id", "b", "a"]
    assert Form.objects.count() == 1


def test_forms_of_one_key_in_two_workspaces_are_two(workspace_id: int) -> None:
    receive(workspace_id=workspace_id, key="signup", data={"id": "5"})
    receive(workspace_id=create_workspace(name="Other"), key="signup", data={"id": "5", "b": ""})
    assert fields(workspace_id) == ["id"]


def test_what_a_tool_says_of_the_form_itself_is_no_field(workspace_id: int) -> None:
    about = dict.fromkeys(ABOUT_THE_FORM, "x")
    assert receive(workspace_id=workspace_id, key="signup", data={"id": " 5 ", **about}) == Submission(
        "external_id", "5", {}, {"id": " 5 "}
    )
    assert fields(workspace_id) == ["id"]


def test_a_mapped_field_fills_another_attribute_and_a_disabled_one_none(workspace_id: int) -> None:
    make_form(workspace_id, mail="email", tariff="plan", note=None)
    data = {"mail": "a@b.example", "tariff": "gold", "note": "x", "city": "Bern"}
    found = receive(workspace_id=workspace_id, key="signup", data=data)
    assert found == Submission("email", "a@b.example", {"plan": "gold", "city": "Bern"}, data)


def test_an_identifier_that_is_mapped_away_names_nobody(workspace_id: int) -> None:
    make_form(workspace_id, email=None, id="customer_number")
    assert refusal(workspace_id, {"email": "a@b.example", "id": "5"}) == "form_unidentified"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"plan": "gold"}, "form_unidentified"),
        ({}, "form_unidentified"),
        ({"id": "", "email": " "}, "form_unidentified"),
        ({"id": "5", "email": "a@b.example"}, "form_ambiguous"),
        ({"id": "x" * 151}, "form_identifier"),
        ({"id": "\u00fc" * 76}, "form_identifier"),
        ({"email": "a\ufffd"}, "form_identifier"),
    ],
)
def test_exactly_one_identifier_must_be_there_and_the_form_is_registered_all_the_same(
    workspace_id: int, data: dict[str, str], reason: str
) -> None:
    assert refusal(workspace_id, data) == reason
    assert fields(workspace_id) == list(data)


def test_two_fields_that_are_mapped_to_one_identifier_are_two(workspace_id: int) -> None:
    make_form(workspace_id, mail="email")
    assert refusal(workspace_id, {"mail": "a@b.example", "email": "a@b.example"}) == "form_ambiguous"


def test_an_empty_identifier_beside_a_filled_one_does_not_count(workspace_id: int) -> None:
    assert receive(workspace_id=workspace_id, key="signup", data={"id": "", "email": "a@b.example"}).kind == "email"


def test_a_form_remembers_300_fields_at_most(workspace_id: int) -> None:
    receive(workspace_id=workspace_id, key="signup", data={"id": "5"} | {f"a{n}": "" for n in range(298)})
    receive(workspace_id=workspace_id, key="signup", data={"id": "5"} | {f"b{n}": "" for n in range(5)})
    assert len(fields(workspace_id)) == 300
    assert fields(workspace_id)[-1] == "b0"


def test_a_known_form_costs_one_statement(workspace_id: int, django_assert_num_queries) -> None:
    receive(workspace_id=workspace_id, key="signup", data={"id": "5"})
    with django_assert_num_queries(1):
        receive(workspace_id=workspace_id, key="signup", data={"id": "6"})


def test_two_first_submissions_at_once_make_one_form_with_the_fields_of_both(transactional_db: None) -> None:
    workspace_id = create_workspace(name="Shop")
    start = threading.Barrier(2)
    failed: list[BaseException] = []

    def submit(name: str) -> None:
        try:
            start.wait()
            receive(workspace_id=workspace_id, key="signup", data={"id": "5", name: ""})
        except BaseException as error:  # noqa: BLE001  # told to the test below
            failed.append(error)
        finally:
            close_old_connections()

    threads = [threading.Thread(target=submit, args=[name]) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(fields(workspace_id)) == ["a", "b", "id"]
