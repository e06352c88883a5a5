"""The stack for real. Slow: each test makes a cluster and starts servers."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolodesk.local import leftovers
from rolodesk.local.keys import MARK
from rolodesk.local.paths import REPOSITORY, Paths
from rolodesk.local.up import is_healthy

PROBE = """
import json, os, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    found = connection.execute(
        "SELECT current_database(), current_setting('synchronous_commit'),"
        " (SELECT count(*) FROM pg_extension WHERE extname = 'pg_prewarm')"
    ).fetchone()
path = os.environ["BROKER_URL"].removeprefix("redis+socket://")
with redis.Redis(unix_socket_path=path) as broker:
    print(json.dumps([*found, broker.ping(), os.environ["ROLODESK_EMBEDDED"]]))
"""


START_SECONDS = 120


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder. Root's own folders are closed to PostgreSQL, so its cluster may lie elsewhere."""
    yield tmp_path / "data"
    for link in tmp_path.rglob("postgres"):
        if link.is_symlink():
            shutil.rmtree(link.readlink())


def environment(data: Path, **more: str) -> dict[str, str]:
    """As a newcomer's shell has it: the stack that runs the tests has left its settings in ours."""
    theirs = ("DATABASE_URL", "BROKER_URL", "MAKELEVEL", "XDG_RUNTIME_DIR", MARK)
    kept = {
        name: value for name, value in os.environ.items() if name not in theirs and not name.startswith("ROLODESK_")
    }
    return kept | {"ROLODESK_DATA": str(data), **more}


def run(data: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command with services of its own, as a developer calls it."""
    return subprocess.run(
        [sys.executable, "-m", "rolodesk.local", "run", "--folder", "own", "--", *command],
        cwd=REPOSITORY,
        env=environment(data),
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_a_command_finds_its_own_database_and_broker(data: Path) -> None:
    first = run(data, sys.executable, "-c", PROBE)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == ["rolodesk", "on", 1, True, "1"]
    # The folder is there now; what the command says by its exit code comes through, and nothing is left.
    second = run(data, "sh", "-c", "exit 7")
    assert second.returncode == 7, second.stderr
    assert not list((data / "own" / "run").glob("*.pid"))


@pytest.mark.slow
def test_up_serves_until_it_is_told_to_stop_and_leaves_nothing(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    paths = Paths(data)
    process = subprocess.Popen(
        [sys.executable, "-m", "rolodesk.local", "up"],
        cwd=REPOSITORY,
        env=environment(paths.data, PORT=str(port), ROLODESK_DEMO="0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        has_started = wait_for(port, process)
        demo = json.loads(paths.demo.read_text()) if has_started else {}
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=START_SECONDS)
    finally:
        process.kill()
    assert has_started, said
    assert process.returncode == 0, said
    assert demo["base_url"] == f"http://127.0.0.1:{port}"
    assert demo["people"]["agent"]["password"] in said
    assert paths.demo.stat().st_mode & 0o777 == 0o600
    assert leftovers.find(paths) == []
    with socket.create_server(("127.0.0.1", port)):
        pass


def wait_for(port: int, process: "subprocess.Popen[str]") -> bool:
    """Whether the web server answers, and the stack has said all it has to say."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if is_healthy(port):
            time.sleep(1)  # it prints the sign-ins just after it has seen the same
            return True
        time.sleep(0.2)
    return False
