"""The local stack: checks, keys, environment, configuration and what is left behind."""

import configparser
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from rolodesk.local import __main__ as entry
from rolodesk.local import checks, leftovers, postgres, static, supervision, valkey
from rolodesk.local.child import parse as parse_child
from rolodesk.local.environment import export_lines
from rolodesk.local.errors import CannotStart
from rolodesk.local.keys import MARK, NAMES, load_keys, make_environment
from rolodesk.local.paths import LONGEST_SOCKET_FOLDER, Paths, data_folder, make_private, short_folder
from rolodesk.local.postgres import Postgres
from rolodesk.local.programs import Program, wrap
from rolodesk.local.stack import app_programs


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A data folder as the checks leave it."""
    paths = Paths(tmp_path / "data")
    checks.make_folders(paths)
    return paths


# --- Checks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["0", "65536", "-1", "http", "8 000", "²"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("PORT", given)
    with pytest.raises(CannotStart, match="PORT is"):
        checks.read_port()


def test_the_port_is_8000_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORT", raising=False)
    assert checks.read_port() == 8000
    monkeypatch.setenv("PORT", "18123")
    assert checks.read_port() == 18123


def test_a_taken_port_is_named() -> None:
    with socket.socket() as holder:
        holder.bind((checks.HOST, 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} cannot be used"):
            checks.check_port(port)
    checks.check_port(port)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="cannot be written") as caught:
        checks.make_folders(Paths(tmp_path / "file" / "data"))
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_said(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=7 * 1024**2))
    with pytest.raises(CannotStart, match="Only 7 MiB are free"):
        checks.check_space(paths)


def test_two_stacks_never_share_a_folder(paths: Paths) -> None:
    with checks.take_lock(paths), pytest.raises(CannotStart, match=f"already runs .* {os.getpid()}"):
        checks.take_lock(paths)
    checks.take_lock(paths).close()


def test_folders_of_others_stay_as_they_are(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    checks.make_folders(Paths(tmp_path))
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_what_cannot_start_is_one_line_and_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ROLODESK_DATA", str(tmp_path / "file" / "data"))
    monkeypatch.setenv("PORT", "18123")
    assert entry.main(["up"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1


# --- Paths ------------------------------------------------------------------------------------


def test_the_data_folder_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLODESK_DATA", str(tmp_path))
    assert data_folder() == tmp_path.resolve()
    monkeypatch.delenv("ROLODESK_DATA")
    assert data_folder().name == ".data"


def test_sockets_of_a_long_path_lie_elsewhere(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    short = short_folder(long)
    assert short == short_folder(long) != long
    assert len(str(short)) <= LONGEST_SOCKET_FOLDER
    assert short_folder(Path("/srv/data/run")) == Path("/srv/data/run")


def test_a_planted_link_is_no_private_folder(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(CannotStart, match="belongs to somebody else"):
        make_private(tmp_path / "link")


# --- Keys and environment -----------------------------------------------------------------------


def test_keys_are_made_once_and_kept_private(paths: Paths) -> None:
    keys = load_keys(paths.keys)
    assert set(keys) == {f"ROLODESK_{name}" for name in NAMES}
    assert len(set(keys.values())) == len(NAMES)
    assert load_keys(paths.keys) == keys
    assert paths.keys.stat().st_mode & 0o777 == 0o600


def test_a_missing_key_is_added_to_the_others(paths: Paths) -> None:
    keys = load_keys(paths.keys)
    paths.keys.write_text(json.dumps({"ROLODESK_APP_KEY": keys["ROLODESK_APP_KEY"]}))
    assert load_keys(paths.keys)["ROLODESK_APP_KEY"] == keys["ROLODESK_APP_KEY"]
    assert len(load_keys(paths.keys)) == len(NAMES)


def test_broken_keys_are_never_replaced(paths: Paths) -> None:
    paths.keys.write_text("{")
    with pytest.raises(CannotStart, match="is not JSON"):
        load_keys(paths.keys)
    assert paths.keys.read_text() == "{"


def test_the_caller_may_bring_his_own_servers(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/rolodesk")
    monkeypatch.setenv("ROLODESK_DATA", "elsewhere")
    monkeypatch.delenv("BROKER_URL", raising=False)
    made = make_environment(paths, 18123, database_url="postgresql://ours", broker_url="redis+socket://ours")
    assert made["DATABASE_URL"] == "postgresql://db.example/rolodesk"
    assert made["BROKER_URL"] == "redis+socket://ours"
    assert made["ROLODESK_DATA"] == made[MARK] == str(paths.data)


def test_a_shell_gets_the_settings_but_not_the_mark(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DATABASE_URL", "BROKER_URL", "PORT", *(f"ROLODESK_{name}" for name in NAMES)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ROLODESK_DATA", str(paths.data))
    assert entry.main(["env"]) == 1
    assert capsys.readouterr().err.startswith("There is nothing in the data folder")
    keys = load_keys(paths.keys)
    given = dict(line.removeprefix("export ").split("=", 1) for line in export_lines())
    assert given["ROLODESK_APP_KEY"] == shlex.quote(keys["ROLODESK_APP_KEY"])
    assert given["DATABASE_URL"].startswith("'postgresql://rolodesk@/rolodesk?host=%2F")
    assert given["BROKER_URL"].endswith("/valkey.sock")
    assert MARK not in given


def test_static_files_are_collected_again_when_a_source_changes(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "runtime.txt").write_text("a==1")
    (tmp_path / "static").mkdir()
    before = static.fingerprint(tmp_path)
    assert static.fingerprint(tmp_path) == before
    (tmp_path / "static" / "a.css").touch()
    with_file = static.fingerprint(tmp_path)
    assert with_file != before
    (tmp_path / "requirements" / "runtime.txt").write_text("a==2")
    assert static.fingerprint(tmp_path) != with_file


# --- Programs -----------------------------------------------------------------------------------


def server(tmp_path: Path, user: str | None = None) -> Postgres:
    """A cluster that nobody starts."""
    return Postgres(tmp_path / "bin", tmp_path / "cluster", tmp_path / "so ck", user)


def test_postgres_listens_on_a_socket_only_and_logs_no_statement(tmp_path: Path) -> None:
    command = server(tmp_path).program().command
    assert {"listen_addresses=", "log_statement=none", "log_min_error_statement=panic"} <= set(command)
    assert "fsync=off" not in command
    assert "fsync=off" in server(tmp_path).program(durable=False).command
    assert server(tmp_path).url.endswith("%2Fso%20ck")


def test_valkey_keeps_nothing(paths: Paths) -> None:
    command = valkey.program(paths).command
    assert command[command.index("--save") + 1] == ""
    assert command[command.index("--port") + 1] == "0"


def test_a_wrapped_command_comes_out_as_it_went_in(tmp_path: Path) -> None:
    program = Program("x", ["run", "--user", "y", "--", "-z"], 10, is_service=True, user="nobody", stop_signal="INT")
    options = parse_child(wrap(program, tmp_path / "x.pid")[3:])
    assert (options.command, options.user, options.signal) == (program.command, "nobody", "INT")
    assert options.service


def test_the_supervisor_starts_services_first_and_leaves_apps_to_us(paths: Paths, tmp_path: Path) -> None:
    services = [server(tmp_path / "100%").program(), valkey.program(paths)]
    parser = configparser.RawConfigParser()
    parser.read_string(supervision.render(paths, [*services, *app_programs(paths, 18123)]))
    assert parser["group:apps"]["programs"] == "web,ingest0,ingest1,celery,beat"
    assert parser["program:postgres"]["stopsignal"] == "INT"
    assert "100%%" in parser["program:postgres"]["command"]
    order = [int(parser[name]["priority"]) for name in ("program:postgres", "program:valkey", "group:apps")]
    assert order == sorted(order)
    started = [name for name in parser.sections() if parser[name].get("autostart") == "true"]
    assert started == ["program:postgres", "program:valkey"]


def test_the_web_server_gets_port_and_static_files(paths: Paths) -> None:
    web = next(program for program in app_programs(paths, 18123) if program.name == "web")
    assert "--no-access-log" in web.command
    assert "--port 18123" in shlex.join(web.command)
    assert str(paths.static) in web.command


@pytest.mark.parametrize("arguments", [[], ["run"], ["run", "--"], ["down"]])
def test_a_call_without_sense_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        entry.parse(arguments)


def test_the_binaries_are_where_the_wheel_has_them() -> None:
    assert (postgres.find_binaries(None) / "postgres").is_file()


# --- Leftovers ------------------------------------------------------------------------------------


def test_only_marked_processes_are_ended(paths: Paths) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    ours = subprocess.Popen(sleep, env=os.environ | {MARK: str(paths.data)})
    other = subprocess.Popen(sleep, env=os.environ | {MARK: f"{paths.data}2", "ROLODESK_DATA": str(paths.data)})
    try:
        paths.pid("web").write_text(str(ours.pid))
        until = time.monotonic() + 10
        while leftovers.find(paths) != [ours.pid] and time.monotonic() < until:
            time.sleep(0.01)  # between fork and exec a child has our environment
        leftovers.clear(paths)
        assert ours.wait(10) != 0
        assert other.poll() is None
        assert not paths.pid("web").exists()
    finally:
        other.kill()
        other.wait()
        ours.kill()


def test_a_child_ends_with_its_parent(paths: Paths) -> None:
    child = wrap(Program("nap", ["sleep", "60"], 10), paths.pid("nap"))
    code = "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()"
    parent = subprocess.Popen([sys.executable, "-c", code, *child], env=os.environ | {MARK: str(paths.data)})
    try:
        until = time.monotonic() + 30
        while not _is_napping(paths) and time.monotonic() < until:
            time.sleep(0.02)
        assert _is_napping(paths)
    finally:
        parent.kill()
        parent.wait()
    while leftovers.find(paths) and time.monotonic() < until:
        time.sleep(0.02)
    assert leftovers.find(paths) == []


def _is_napping(paths: Paths) -> bool:
    """Whether the child has become what it should."""
    try:
        return Path(f"/proc/{paths.pid('nap').read_text().strip()}/comm").read_text() == "sleep\n"
    except OSError:
        return False
