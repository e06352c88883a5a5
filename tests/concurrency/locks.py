"""Seeing that somebody waits for a lock, instead of hoping that he does by now."""

import time
from concurrent.futures import Future
from typing import Any

from rolodesk.database import Connection

# Only how long a broken test takes to fail.
PATIENCE = 30.0


def wait_until_blocked(connection: Connection, pid: int, future: Future[Any]) -> None:
    """Until the backend waits for a lock; fails when its work ends without."""
    deadline = time.monotonic() + PATIENCE
    waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
    while time.monotonic() < deadline:
        assert not future.done(), future.exception() or "it did not have to wait"
        if connection.execute(waits, [pid]).fetchone() == (True,):
            return
        time.sleep(0.005)
    raise AssertionError("neither blocked nor done")
