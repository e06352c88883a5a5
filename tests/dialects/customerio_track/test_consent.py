"""What identify says about messages, section 2.1 of the contract."""

import pytest

from dialects.customerio_track.consent import consent_of
from rolodesk.json import Json
from tracking.intake.operations import EVERYTHING

PREFERENCES = "cio_subscription_preferences"
ONE = f"{PREFERENCES}.topics.topic_1"


@pytest.mark.parametrize("value", [True, 1, "1", "true", "TRUE", "True", "tRuE"])
def test_the_words_for_unsubscribed(value: Json) -> None:
    assert consent_of({"unsubscribed": value}) == ({EVERYTHING: False}, False)


@pytest.mark.parametrize("value", [False, 0, 2, -1, "0", "false", "yes", "", " true", "truer", None, [], {}, [True]])
def test_everything_else_means_subscribed(value: Json) -> None:
    assert consent_of({"unsubscribed": value}) == ({EVERYTHING: True}, False)


def test_saying_nothing_changes_nothing() -> None:
    assert consent_of({"id": "5"}) == ({}, False)


def test_whole_preferences_name_all_topics_and_forget_the_others() -> None:
    topics = {"topic_1": True, "topic_2": False, "topic_2147483647": True}
    assert consent_of({PREFERENCES: {"topics": topics}}) == ({1: True, 2: False, 2147483647: True}, True)
    assert consent_of({PREFERENCES: {"topics": {}}}) == ({}, True)


def test_whole_preferences_may_come_as_text() -> None:
    assert consent_of({PREFERENCES: '{"topics": {"topic_1": false}}'}) == ({1: False}, True)


def test_a_dotted_key_is_about_its_topic_only_and_beats_the_whole() -> None:
    assert consent_of({ONE: False, f"{PREFERENCES}.topics.topic_7": "true"}) == ({1: False, 7: True}, False)
    assert consent_of({ONE: False, PREFERENCES: {"topics": {"topic_1": True}}}) == ({1: False}, True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (1, True), ("1", True), ("TRUE", True), (False, False), (0, False), ("0", False), ("False", False)],
)
def test_the_words_for_yes_and_no_about_a_topic(value: Json, expected: bool) -> None:
    assert consent_of({ONE: value}) == ({1: expected}, False)


@pytest.mark.parametrize("value", [None, "", "perhaps", 2, [], {}, [True]])
def test_odd_words_about_a_topic_are_passed_over(value: Json) -> None:
    assert consent_of({ONE: value}) == ({}, False)
    assert consent_of({PREFERENCES: {"topics": {"topic_1": value, "topic_2": True}}}) == ({2: True}, True)


@pytest.mark.parametrize(
    "name", ["topic_0", "topic_01", "topic_-1", "topic_", "topic_x", "Topic_1", "1", "topic_2147483648", "topic_\u0661"]
)
def test_names_that_are_no_topic_are_passed_over(name: str) -> None:
    assert consent_of({f"{PREFERENCES}.topics.{name}": True}) == ({}, False)
    assert consent_of({PREFERENCES: {"topics": {name: True}}}) == ({}, True)


@pytest.mark.parametrize(
    "preferences",
    [None, 5, "", "text", "[]", "{", '{"topics": 1}', [], {}, {"topics": None}, {"topics": [1]}, "1e999", "[" * 9_000],
)
def test_malformed_preferences_forget_nothing(preferences: Json) -> None:
    assert consent_of({PREFERENCES: preferences}) == ({}, False)


def test_a_dotted_key_that_is_about_no_topic_says_nothing() -> None:
    assert consent_of({f"{PREFERENCES}.channels.email": True}) == ({}, False)
