"""A small fault run in every test run. Slow: it starts a whole stack, kills its processes and waits for them."""

import json
import subprocess
import sys

import pytest

from rolodesk.local.paths import REPOSITORY
from tests.faults.stack import newcomers_environment

KINDS = {"web", "ingest", "postgres", "valkey", "celery", "beat", "pause", "web child", "celery child"}
KILLS, OPERATIONS = 12, 1200
# Only against a run that hangs; how long it takes is not judged.
PATIENCE_SECONDS = 1200


@pytest.mark.slow
def test_whatever_is_killed_each_accepted_item_has_its_effect_once() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--kills", str(KILLS), "--operations", str(OPERATIONS)],
        cwd=REPOSITORY,
        env=newcomers_environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    said = f"{run.stdout}\n{run.stderr}"
    assert run.returncode == 0, said
    figures = json.loads(run.stdout.splitlines()[-1])
    wrong = {name: figures[name] for name in ("lost", "doubled", "suppressed_left", "violations", "not_judged")}
    assert wrong == dict.fromkeys(wrong, 0), said
    assert figures["kills"] >= KILLS
    assert figures["acknowledged"] >= OPERATIONS
    assert figures["recovery_seconds"].keys() >= KINDS, said
    assert figures["looks"] > 0
