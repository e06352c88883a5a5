"""How the console looks to one person."""

from customers.models import User


def save_preferences(*, user_id: int, theme: str = "", density: str = "", has_shortcuts: bool | None = None) -> None:
    """Keep what was chosen; what is left out stays as it is."""
    chosen = {"theme": theme, "density": density}
    fields: dict[str, str | bool] = {name: value for name, value in chosen.items() if value}
    if has_shortcuts is not None:
        fields["has_shortcuts"] = has_shortcuts
    if fields:
        User.objects.filter(pk=user_id).update(**fields)
