"""``POST /api/v1/forms/{form_id}/submit``, section 2.12 of the contract."""

from customers.models import Workspace
from rolodesk.json import Json
from tests.contracts.client import TrackClient, request
from tests.contracts.conftest import Inbox
from tracking.intake.operations import EVERYTHING, Identify, Ref, SubmitForm
from tracking.models import Form

ANNA = Ref("email", "anna@fjord.example")
PATH = "/api/v1/forms/signup/submit"


def registered() -> dict[str, list[str]]:
    return {form.key: form.fields for form in Form.objects.all()}


def test_a_submission_is_204_without_a_body(track: TrackClient, inbox: Inbox) -> None:
    for path in (PATH, f"{PATH}/"):
        response = track.send("POST", path, {"data": {"email": ANNA.value, "plan": "gold", "form_url": "x"}})
        assert (response.status_code, response.content) == (204, b"")
        assert dict(response.headers) == {
            "cache-control": "no-cache, no-store, must-revalidate, max-age=0",
            "access-control-allow-origin": "*",
        }
    data = {"email": ANNA.value, "plan": "gold"}
    assert inbox() == [SubmitForm("signup", ANNA, {"plan": "gold"}, data)] * 2
    assert registered() == {"signup": ["email", "plan"]}


def test_a_form_is_known_by_the_decoded_part_of_its_path(track: TrackClient, inbox: Inbox) -> None:
    response = track.send("POST", "/api/v1/forms/a%2Fb%20c/submit", {"data": {"id": "5"}})
    assert response.status_code == 204
    assert inbox() == [SubmitForm("a/b c", Ref("external_id", "5"), {}, {"id": "5"})]


def test_fields_are_mapped_as_the_form_says(track: TrackClient, workspace: Workspace, inbox: Inbox) -> None:
    Form.objects.create(workspace=workspace, key="signup", mapping={"mail": "email", "note": None})
    data = {"mail": ANNA.value, "note": "x", "city": "Bern"}
    assert track.send("POST", PATH, {"data": data}).status_code == 204
    assert inbox() == [SubmitForm("signup", ANNA, {"city": "Bern"}, data)]


def test_a_field_about_messages_is_consent(track: TrackClient, inbox: Inbox) -> None:
    data = {"email": ANNA.value, "unsubscribed": "true"}
    assert track.send("POST", PATH, {"data": data}).status_code == 204
    assert inbox() == [Identify(ANNA, consent={EVERYTHING: False}), SubmitForm("signup", ANNA, {}, data)]


REFUSED: list[tuple[Json, str, bool]] = [
    ({"plan": "gold"}, "data must include an identifier: id or email, or a field that is mapped to one", True),
    ({"id": "5", "email": "a@b.example"}, "data must include exactly one identifier", True),
    ({"id": "x" * 151}, "the identifier in data must have at most 150 bytes, all of them characters", True),
    ({"id": "5", "age": 5}, "value for field 'age' must be a string", False),
    ({"id": "5", "bio": "v" * 1001}, "value for attribute 'bio' cannot be longer than 1000 bytes", False),
    ({f"f{n}": "x" for n in range(301)}, "data cannot have more than 300 fields", False),
    ([], "data must be a hash", False),
    (None, "data is required", False),
]


def test_what_breaks_a_rule_is_400_with_a_list(track: TrackClient, inbox: Inbox) -> None:
    for number, (data, message, is_registered) in enumerate(REFUSED):
        response = track.send("POST", f"/api/v1/forms/{number}/submit", {"data": data})
        assert (response.status_code, response.json()) == (400, {"meta": {"errors": [message]}})
        assert registered().get(str(number)) == (list(data) if is_registered else None)
    assert inbox() == []


def test_a_form_of_full_size_fits(track: TrackClient, inbox: Inbox) -> None:
    data = {"id": "5"} | {f"f{n:03}".ljust(150, "x"): "v" * 1000 for n in range(299)}
    assert track.send("POST", PATH, {"data": data}).status_code == 204
    assert len(inbox()) == 1


def test_a_form_must_have_an_id(track: TrackClient, inbox: Inbox) -> None:
    for form_id in ("%20", "x" * 151, "a%00"):
        response = track.send("POST", f"/api/v1/forms/{form_id}/submit", {"data": {"id": "5"}})
        assert response.status_code == 400, form_id
        assert set(response.json()["meta"]) == {"errors"}
    assert registered() == {}


def test_a_form_needs_credentials(inbox: Inbox) -> None:
    response = request("POST", PATH, body={"data": {"id": "5"}})
    assert (response.status_code, response.json()) == (401, {"meta": {"error": "Unauthorized request"}})
    assert registered() == {}
