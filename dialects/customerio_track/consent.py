"""What an identify call says about messages: ``unsubscribed`` and the subscription preferences."""

import re

from dialects.customerio_track.fields import MAX_INTEGER, is_true
from rolodesk import json
from rolodesk.json import Json, JsonError
from tracking.intake.operations import EVERYTHING

UNSUBSCRIBED = "unsubscribed"
PREFERENCES = "cio_subscription_preferences"
# How a key begins that is about one topic only.
DOTTED = f"{PREFERENCES}."
DOTTED_TOPIC = f"{DOTTED}topics."

_TOPIC = re.compile(r"topic_([1-9][0-9]{0,9})")
_NO = (False, 0, "false", "0")


def consent_of(attributes: dict[str, Json]) -> tuple[dict[int, bool], bool]:
    """Topic -> whether subscribed, and whether topics that are not named are to be forgotten.

    Parts that make no sense are passed over: the vendor takes odd values for "subscribed" and refuses none.
    """
    consent: dict[int, bool] = {}
    topics = _topics(attributes.get(PREFERENCES))
    for name, value in (topics or {}).items():
        _note(consent, name, value)
    for name, value in attributes.items():
        if name.startswith(DOTTED_TOPIC):
            _note(consent, name.removeprefix(DOTTED_TOPIC), value)
    if UNSUBSCRIBED in attributes:
        consent[EVERYTHING] = not is_true(attributes[UNSUBSCRIBED])
    return consent, topics is not None


def _topics(preferences: Json) -> dict[str, Json] | None:
    """The topics of a whole set of preferences, which some clients send as text; None when it is none."""
    if type(preferences) is str:
        try:
            preferences = json.decode(preferences.encode())
        except (JsonError, ArithmeticError):
            return None
    topics = preferences.get("topics") if type(preferences) is dict else None
    return topics if type(topics) is dict else None


def _note(consent: dict[int, bool], name: str, value: Json) -> None:
    match = _TOPIC.fullmatch(name)
    if match is None or int(match[1]) > MAX_INTEGER:
        return
    if is_true(value):
        consent[int(match[1])] = True
    elif (value.lower() if type(value) is str else value) in _NO:
        consent[int(match[1])] = False
