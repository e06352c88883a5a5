"""Submitted forms as operations, section 2.12 of the contract."""

import json

import pytest

from dialects.customerio_track import forms
from dialects.customerio_track.errors import Invalid
from rolodesk.json import Json
from tracking.intake.operations import EVERYTHING, Identify, Ref, SubmitForm
from tracking.services.forms import Submission

ANNA = Ref("email", "anna@fjord.example")


def fields(data: Json, form: str = "signup") -> tuple[str, dict[str, str]]:
    return forms.fields(form, json.dumps({"data": data}).encode())


def submitted(attributes: dict[str, str]) -> list[object]:
    return list(forms.operations("signup", Submission("email", ANNA.value, attributes, {"email": ANNA.value})))


def test_fields_are_text_under_canonical_names() -> None:
    assert fields({" ne\u0301 ": "a\0", "email": "a@b.example"}, " signup ") == (
        "signup",
        {"n\u00e9": "a\ufffd", "email": "a@b.example"},
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "data is required"),
        ([], "data must be a hash"),
        ({"age": 5}, "value for field 'age' must be a string"),
        ({"age": None}, "value for field 'age' must be a string"),
        ({"tags": ["a"]}, "value for field 'tags' must be a string"),
        ({"": "x"}, "attribute name cannot be empty"),
        ({"x" * 151: "x"}, "attribute name cannot be longer than 150 bytes"),
        ({"bio": "v" * 1001}, "value for attribute 'bio' cannot be longer than 1000 bytes"),
        ({f"f{n}": "x" for n in range(301)}, "data cannot have more than 300 fields"),
    ],
)
def test_fields_that_break_a_rule_are_refused(data: Json, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        fields(data)
    assert caught.value.message == message


def test_300_fields_of_full_size_are_accepted() -> None:
    full = {f"f{n:03}".ljust(150, "x"): "v" * 1000 for n in range(300)}
    assert fields(full) == ("signup", full)


@pytest.mark.parametrize("form", ["", " ", "x" * 151, "a\0"])
def test_a_form_must_have_an_id(form: str) -> None:
    with pytest.raises(Invalid):
        fields({}, form)


def test_a_submission_is_one_operation() -> None:
    assert submitted({"plan": "gold"}) == [SubmitForm("signup", ANNA, {"plan": "gold"}, {"email": ANNA.value})]


def test_what_a_field_says_about_messages_is_said_before_and_is_no_property() -> None:
    assert submitted({"plan": "gold", "unsubscribed": "true", "anonymous_id": "v-1", "_update": "true"}) == [
        Identify(ANNA, {"anonymous_id": "v-1"}, consent={EVERYTHING: False}),
        SubmitForm("signup", ANNA, {"plan": "gold"}, {"email": ANNA.value}),
    ]
