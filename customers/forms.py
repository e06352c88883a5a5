"""Forms of the pages about people."""

from typing import Any

from django import forms

MAX_QUERY = 200


class SearchForm(forms.Form):
    """The search box. Its text travels in the body and is kept sealed, never in a URL."""

    q = forms.CharField(max_length=MAX_QUERY, required=False, strip=True, label="Search customers")


class PreferencesForm(forms.Form):
    """How the console looks to one person."""

    theme = forms.ChoiceField(choices=[(key, key) for key in ("light", "dark", "auto")], required=False)
    density = forms.ChoiceField(choices=[(key, key) for key in ("comfortable", "compact")], required=False)
    shortcuts = forms.ChoiceField(choices=[(key, key) for key in ("on", "off")], required=False)

    def chosen(self) -> dict[str, Any]:
        """The choices of a valid form as ``save_preferences`` takes them."""
        clean = self.cleaned_data
        has_shortcuts = {"on": True, "off": False}.get(clean["shortcuts"])
        return {"theme": clean["theme"], "density": clean["density"], "has_shortcuts": has_shortcuts}
