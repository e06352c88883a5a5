"""Forms on somebody's web site: what was submitted, as the form is mapped."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from customers.identifiers import is_valid
from rolodesk.errors import InvalidInput
from rolodesk.json import REPLACEMENT, Json
from tracking.models import Form

# Attribute that names a person -> kind of identifier.
IDENTIFYING = {"id": "external_id", "email": "email"}
# What tools that send forms say of the form itself.
ABOUT_THE_FORM = frozenset({"form_id", "form_name", "form_type", "form_url", "form_url_param"})
MAX_FIELDS = 300


@dataclass(frozen=True, slots=True)
class Submission:
    """Who filled in a form, which attributes that sets, and what he wrote."""

    kind: str
    value: str
    attributes: dict[str, str]
    data: dict[str, str]


def receive(*, workspace_id: int, key: str, data: dict[str, str]) -> Submission:
    """Take a submission; an unknown form, or an unknown field of it, is registered even if it is refused.

    So somebody can map the fields of a form that does not say who filled it in. Raises InvalidInput with
    the reason ``form_unidentified``, ``form_ambiguous`` or ``form_identifier``.
    """
    fields = {name: value for name, value in data.items() if name not in ABOUT_THE_FORM}
    mapping = _register(workspace_id, key, fields)
    named: list[tuple[str, str]] = []
    attributes: dict[str, str] = {}
    for name, value in fields.items():
        target = mapping.get(name, name)
        if target in IDENTIFYING:
            named += [(IDENTIFYING[target], value.strip())] if value.strip() else []
        elif target is not None:
            attributes[str(target)] = value
    if not named:
        raise InvalidInput(reason="form_unidentified")
    if len(named) > 1:
        raise InvalidInput(reason="form_ambiguous")
    ((kind, text),) = named
    if not is_valid(text) or REPLACEMENT in text:
        raise InvalidInput(reason="form_identifier")
    return Submission(kind, text, attributes, fields)


def _register(workspace_id: int, key: str, names: Iterable[str]) -> dict[str, Json]:
    """Know the form and its fields; returns its mapping."""
    form = Form.objects.filter(workspace_id=workspace_id, key=key).first()
    if form is None or _unknown(form, names):
        with transaction.atomic():
            Form.objects.bulk_create([Form(workspace_id=workspace_id, key=key)], ignore_conflicts=True)
            form = Form.objects.select_for_update().get(workspace_id=workspace_id, key=key)
            form.fields = [*form.fields, *_unknown(form, names)]
            form.save(update_fields=["fields"])
    mapping: dict[str, Json] = form.mapping
    return mapping


def _unknown(form: Form, names: Iterable[str]) -> list[str]:
    """Fields that are not registered, as far as there is room for them."""
    known = set(form.fields)
    return [name for name in names if name not in known][: max(0, MAX_FIELDS - len(known))]
