"""Submitted forms. Raises Invalid, touches nothing stored."""

from dialects.customerio_track.bodies import document
from dialects.customerio_track.errors import TOO_LARGE, Invalid
from dialects.customerio_track.fields import MAX_ATTRIBUTES, attribute, clean_names, required_hash, required_identifier
from dialects.customerio_track.people import identify
from tracking.intake.operations import Identify, Operation, Ref, SubmitForm
from tracking.services.forms import Submission


def fields(form_id: str, body: bytes) -> tuple[str, dict[str, str]]:
    """``POST /api/v1/forms/{form_id}/submit``: the form, and what was filled in."""
    key = required_identifier(form_id, "form_id", "form_id")
    data = required_hash(document(body).get("data"), "data", "data")
    if len(data) > MAX_ATTRIBUTES:
        raise Invalid(f"data cannot have more than {MAX_ATTRIBUTES} fields", field="data", reason=TOO_LARGE)
    filled = {name: attribute(name, value, "data.") for name, value in clean_names(data).items()}
    for name, value in filled.items():
        if type(value) is not str:
            raise Invalid(f"value for field '{name}' must be a string", field=f"data.{name}")
    return key, filled


def operations(key: str, submission: Submission) -> list[Operation]:
    """The submission, after what an identify call with the same attributes says beside properties."""
    who = Ref(submission.kind, submission.value)
    found: list[Operation] = []
    properties = submission.attributes
    for said in identify(who, submission.attributes):
        if isinstance(said, Identify):
            properties = said.properties
            if said.identifiers or said.consent or said.is_all_consent:
                found.append(Identify(who, said.identifiers, consent=said.consent, is_all_consent=said.is_all_consent))
    return [*found, SubmitForm(key, who, properties, submission.data)]
