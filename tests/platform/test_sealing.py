"""Opaque text for cursors and stored searches."""

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rolodesk import sealing
from rolodesk.errors import HandleRefused

KEY, OTHER = b"k" * 32, b"o" * 32
DAY = 24 * 3600
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=6,
)


def unseal(text, *, key=KEY, binding="1:2:ui", max_age=DAY):
    return sealing.unseal(key, binding, text, max_age=max_age)


@given(VALUES)
def test_what_was_sealed_comes_back(value):
    assert unseal(sealing.seal(KEY, "1:2:ui", value)) == value


def test_nothing_of_the_value_can_be_read():
    text = sealing.seal(KEY, "1:2:ui", {"q": "canary@x.example"})
    assert "canary" not in text and text.isascii()
    assert text != sealing.seal(KEY, "1:2:ui", {"q": "canary@x.example"})


@pytest.mark.parametrize("other", [{"binding": "1:3:ui"}, {"binding": "1:2:mcp"}, {"binding": ""}, {"key": OTHER}])
def test_it_opens_for_nobody_else(other):
    text = sealing.seal(KEY, "1:2:ui", "value")
    with pytest.raises(HandleRefused):
        unseal(text, **other)


@given(st.integers(0, 150), st.characters(min_codepoint=33, max_codepoint=0x2FF))
def test_one_changed_character_is_noticed(place, character):
    text = sealing.seal(KEY, "1:2:ui", "a value of some length, to have something to change")
    changed = text[: place % len(text)] + character + text[place % len(text) + 1 :]
    if changed.rstrip("=") != text.rstrip("="):
        with pytest.raises(HandleRefused):
            unseal(changed)


@pytest.mark.parametrize("text", ["", "x", "\0", "ü", "gAAAA", "🙂" * 100, "\ud83d"])
def test_other_text_is_refused(text):
    with pytest.raises(HandleRefused):
        unseal(text)


def test_it_opens_until_it_is_too_old(time_machine):
    now = timezone.now().timestamp()
    time_machine.move_to(now, tick=False)
    text = sealing.seal(KEY, "1:2:ui", "value")
    time_machine.move_to(now + 60, tick=False)
    assert unseal(text, max_age=60) == "value"
    time_machine.move_to(now + 61, tick=False)
    with pytest.raises(HandleRefused):
        unseal(text, max_age=60)


def test_what_is_sealed_by_us_but_is_no_json_is_refused():
    text = sealing._box(KEY, "1:2:ui").encrypt(b"{").decode()
    assert isinstance(sealing._box(KEY, ""), Fernet)
    with pytest.raises(HandleRefused):
        unseal(text)
