"""The demo's people, token and file."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from customers.models import Token, User, Workspace
from customers.services import demo, demo_file, tokens

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(settings: Settings, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    settings.DATA_DIR = folder
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
    return folder / "demo.json"


def load(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_the_file_has_exactly_the_promised_form(path: Path, settings: Settings) -> None:
    demo.bootstrap()
    document = load(path)
    workspace = Workspace.objects.get()
    assert document.keys() == {"base_url", "workspace", "people", "tokens"}
    assert document["base_url"] == settings.BASE_URL
    assert document["workspace"] == {"slug": workspace.slug, "id": workspace.pk}
    assert document["people"].keys() == {"admin", "lead", "agent"}
    for name, person in document["people"].items():
        assert person.keys() == {"username", "password"} and person["username"] == name
    assert document["tokens"].keys() == {"track"}
    assert document["tokens"]["track"].keys() == {"site_id", "api_key"}


def test_only_the_owner_can_read_the_file(path: Path) -> None:
    demo.bootstrap()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["demo.json"]


def test_everybody_can_sign_in_with_the_password_of_the_file(path: Path) -> None:
    demo.bootstrap()
    for name, person in load(path)["people"].items():
        user = User.objects.get(username=name)
        assert user.check_password(person["password"])
        assert user.email.endswith(".example") and len(user.initials) == 2


def test_the_token_of_the_file_works_and_its_owner_cannot_sign_in(path: Path) -> None:
    demo.bootstrap()
    track = load(path)["tokens"]["track"]
    rights = tokens.live_tokens("track")[tokens.digest(track["api_key"], track["site_id"])]
    owner = User.objects.get(pk=rights.user_id)
    assert rights.may("edit") and not rights.may("view_workspace")
    assert owner.is_service and not owner.has_usable_password()


def test_a_second_run_changes_nothing_but_the_address(path: Path, settings: Settings) -> None:
    demo.bootstrap()
    before = load(path)
    settings.BASE_URL = "http://127.0.0.1:9999"
    demo.bootstrap()
    assert load(path) == before | {"base_url": "http://127.0.0.1:9999"}
    assert User.objects.get(username="lead").check_password(before["people"]["lead"]["password"])
    assert Token.objects.count() == 1


def test_tokens_of_other_dialects_are_kept(path: Path) -> None:
    demo.bootstrap()
    document = load(path)
    document["tokens"]["app"] = {"masked": "a", "pii": "b"}
    path.write_text(json.dumps(document))
    demo.bootstrap()
    assert load(path) == document


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"people": [], "tokens": 3}'])
def test_a_lost_or_broken_file_is_made_anew_and_the_old_token_ends(path: Path, damage: str) -> None:
    demo.bootstrap()
    before = load(path)
    if damage:
        path.write_text(damage)
    else:
        path.unlink()
    demo.bootstrap()
    after = load(path)
    for name, person in after["people"].items():
        assert person["password"] != before["people"][name]["password"]
        assert User.objects.get(username=name).check_password(person["password"])
    assert len(tokens.live_tokens("track")) == 1
    assert tokens.digest(before["tokens"]["track"]["api_key"], before["tokens"]["track"]["site_id"]) not in (
        tokens.live_tokens("track")
    )


def test_a_file_from_another_database_is_not_believed(path: Path) -> None:
    demo.bootstrap()
    before = load(path)
    User.objects.all().delete()
    demo.bootstrap()
    after = load(path)
    assert after["people"]["agent"]["password"] != before["people"]["agent"]["password"]
    assert User.objects.get(username="agent").check_password(after["people"]["agent"]["password"])
    assert len(tokens.live_tokens("track")) == 1


def test_a_folder_that_takes_no_file_is_one_line_and_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    settings.DATA_DIR = tmp_path / "data"
    with pytest.raises(CommandError) as error:
        call_command("bootstrap_demo")
    assert str(error.value).startswith("Cannot write") and "\n" not in str(error.value)
    assert not User.objects.exists()


def test_a_failed_write_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo.bootstrap()
    before = path.read_text()

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("customers.services.demo_file.os.fsync", full)
    with pytest.raises(demo_file.CannotWrite, match="No space left"):
        demo_file.write(path, {"base_url": ""})
    assert path.read_text() == before


def test_the_command_prints_no_password(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("bootstrap_demo")
    printed = capsys.readouterr().out
    assert str(path) in printed
    assert not any(person["password"] in printed for person in load(path)["people"].values())
