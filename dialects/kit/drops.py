"""Accepted calls that had no effect because they named nothing we know: counted, and logged without values."""

import time
from collections import Counter
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger("rolodesk.web")

# Strangers can cause these, so they must not be able to fill the log.
LOG_SECONDS = 60.0


@dataclass(slots=True)
class Drops:
    """Counts of one face by route and reason, since the process began."""

    face: str
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _unlogged: Counter[tuple[str, str]] = field(default_factory=Counter)
    _logged_at: float = float("-inf")

    def note(self, route: str, reason: str) -> None:
        """Count one; a line each for what gathered, once a minute at most."""
        self.counts[route, reason] += 1
        self._unlogged[route, reason] += 1
        if time.monotonic() - self._logged_at < LOG_SECONDS:
            return
        self._logged_at = time.monotonic()
        for (where, why), count in self._unlogged.items():
            log.info("calls dropped", face=self.face, route=where, reason=why, count=count)
        self._unlogged.clear()
