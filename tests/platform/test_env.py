"""Settings from the environment: typed, loud, and from files where they are secret."""

import base64
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from rolodesk import env

NAME = "ROLODESK_TEST_VALUE"
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


@pytest.fixture
def value(monkeypatch):
    """Sets the variable."""
    monkeypatch.delenv(NAME, raising=False)
    return lambda text: monkeypatch.setenv(NAME, text)


def test_text_comes_as_it_is(value):
    value(" a b ")
    assert env.text(NAME) == env.text(NAME, "other") == " a b "


def test_text_that_is_missing_has_its_default_or_stops_the_process(value):
    assert env.text(NAME, "other") == "other" and env.text(NAME, "") == ""
    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.text(NAME)


@pytest.mark.parametrize("word", ["1", "true", "True", "yes", "on", "y", "ok"])
def test_a_flag_is_on(value, word):
    value(word)
    assert env.flag(NAME, default=False) is True


@pytest.mark.parametrize("word", ["0", "false", "no", "off", "n", ""])
def test_a_flag_is_off(value, word):
    value(word)
    assert env.flag(NAME, default=True) is False


@pytest.mark.parametrize("default", [True, False])
def test_a_flag_that_is_missing_has_its_default(value, default):
    assert env.flag(NAME, default=default) is default


def test_a_number_is_whole_or_stops_the_process(value):
    assert env.number(NAME, default=7) == 7
    value("42")
    assert env.number(NAME, default=7) == 42
    value("many")
    with pytest.raises((ValueError, ImproperlyConfigured)):
        env.number(NAME, default=7)


def test_words_are_split_at_commas(value):
    assert env.words(NAME, default=["a"]) == ["a"]
    value("b,c")
    assert env.words(NAME, default=["a"]) == ["b", "c"]


def test_a_folder_is_absolute_and_need_not_exist(value, tmp_path):
    assert env.folder(NAME, default=tmp_path / "x" / ".." / "y") == tmp_path.resolve() / "y"
    value("relative/folder")
    assert env.folder(NAME, default=tmp_path) == Path.cwd() / "relative/folder"


def test_a_key_is_32_bytes_of_base64(value):
    value(KEY)
    assert env.key(NAME) == bytes(range(32))


@pytest.mark.parametrize(
    "text", ["", "short", "not base64!", "é", KEY[:-4], base64.urlsafe_b64encode(b"x" * 33).decode()]
)
def test_a_key_of_another_form_stops_the_process_without_being_quoted(value, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match=NAME) as caught:
        env.key(NAME)
    assert not text or text not in str(caught.value)


def test_a_key_has_no_default(value):
    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.key(NAME)


def test_a_secret_may_come_from_a_file(value, monkeypatch, tmp_path):
    (tmp_path / "key").write_text(KEY)
    # A name of its own: what came from a file is read once in a process.
    monkeypatch.setenv(f"{NAME}_SECRET_FILE", str(tmp_path / "key"))
    assert env.key(f"{NAME}_SECRET") == bytes(range(32)) and env.text(f"{NAME}_SECRET", "other") == KEY
