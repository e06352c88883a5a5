"""What the product logs, as it would stand on standard error."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What our handler of logs writes."""
    (handler,) = (one for one in logging.getLogger().handlers if is_ours(one))
    assert isinstance(handler, logging.StreamHandler)
    buffer, before = io.StringIO(), handler.stream
    handler.setStream(buffer)
    try:
        yield buffer
    finally:
        handler.setStream(before)


def is_ours(handler: logging.Handler) -> bool:
    """Whether this handler was made by ``rolodesk.logging``."""
    return isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
