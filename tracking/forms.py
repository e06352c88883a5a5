"""Forms of the timeline and of the quarantine."""

from typing import Any

from django import forms

from tracking.timeline import NEWEST, OLDEST, Filters


class TimelineForm(forms.Form):
    """What part of the timeline to show."""

    types = forms.TypedMultipleChoiceField(coerce=int, required=False)
    text = forms.CharField(max_length=100, required=False)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    order = forms.ChoiceField(choices=[(NEWEST, "Newest first"), (OLDEST, "Oldest first")], required=False)
    # Browsers do not send a box that is not ticked; ``switches`` says that it was there.
    switches = forms.BooleanField(required=False)
    system = forms.BooleanField(required=False)

    def __init__(self, data: Any, *, types: list[int]) -> None:
        super().__init__(data)
        self.fields["types"].choices = [(id_, str(id_)) for id_ in types]  # type: ignore[attr-defined]

    def filters(self) -> Filters:
        """The filters of a valid form."""
        clean = self.cleaned_data
        return Filters(
            tuple(clean["types"]),
            clean["text"],
            clean["since"],
            clean["until"],
            clean["order"] or NEWEST,
            has_system=clean["system"] or not clean["switches"],
        )


class QuarantineForm(forms.Form):
    """Which operations are meant: one, or all of one reason."""

    item = forms.IntegerField(required=False, min_value=1)
    reason = forms.CharField(max_length=60, required=False)

    def clean(self) -> dict[str, Any]:
        """Exactly one of the two."""
        clean = self.cleaned_data
        if bool(clean.get("item")) == bool(clean.get("reason")):
            raise forms.ValidationError("name one operation, or a reason")
        return clean

    def chosen(self) -> dict[str, Any]:
        """The choice of a valid form as the services take it."""
        return {"item_id": self.cleaned_data["item"], "reason": self.cleaned_data["reason"]}
