"""Being asked to stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rolodesk.local.errors import Stopped

KINDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def deaf() -> None:
    """Hear no further wish to stop: we are at it."""
    for kind in KINDS:
        signal.signal(kind, signal.SIG_IGN)


def raise_stopped(_number: int, _frame: FrameType | None) -> None:
    """The handler; only the first wish counts, lest it interrupt the stopping."""
    deaf()
    raise Stopped


@contextmanager
def stoppable() -> Iterator[None]:
    """Within, a wish to stop raises ``Stopped``."""
    before = {kind: signal.signal(kind, raise_stopped) for kind in KINDS}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
