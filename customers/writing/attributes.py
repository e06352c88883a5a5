"""Attributes of devices, objects and relationships: null and the empty text remove one."""

from rolodesk import json
from rolodesk.json import Json


def parted(attributes: dict[str, Json]) -> dict[str, str | list[str]]:
    """What to set, as a JSON document, and the names to remove; parameters ``filled`` and ``removed``."""
    removed = [name for name, value in attributes.items() if value is None or value == ""]
    filled = {name: value for name, value in attributes.items() if name not in removed}
    return {"filled": json.encode(filled).decode(), "removed": removed}
