"""Forms of the timeline."""

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

    def __init__(self, data: Any, *, types: list[int]) -> None:
        super().__init__(data)
        self.fields["types"].choices = [(id_, str(id_)) for id_ in types]  # type: ignore[attr-defined]

    def filters(self) -> Filters:
        """The filters of a valid form."""
        clean = self.cleaned_data
        return Filters(tuple(clean["types"]), clean["text"], clean["since"], clean["until"], clean["order"] or NEWEST)
