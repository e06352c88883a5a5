"""Counting calls that had no effect."""

import pytest
import structlog
from structlog.testing import LogCapture

from dialects.kit import drops
from dialects.kit.drops import Drops


def test_drops_are_counted_one_by_one_and_logged_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    capture, now = LogCapture(), [1000.0]
    monkeypatch.setattr(drops, "log", structlog.wrap_logger(None, processors=[capture]))
    monkeypatch.setattr("dialects.kit.drops.time.monotonic", lambda: now[0])
    counter = Drops("track")
    for _ in range(3):
        counter.note("/a", "unusable")
    counter.note("/b", "unknown_delivery")
    assert counter.counts == {("/a", "unusable"): 3, ("/b", "unknown_delivery"): 1}
    assert [(line["route"], line["count"]) for line in capture.entries] == [("/a", 1)]
    now[0] += 60
    counter.note("/a", "unusable")
    assert [(line["route"], line["reason"], line["count"]) for line in capture.entries[1:]] == [
        ("/a", "unusable", 3),
        ("/b", "unknown_delivery", 1),
    ]
    assert counter.counts["/a", "unusable"] == 4
