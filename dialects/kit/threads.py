"""Work of a hot face that must wait for the database or for Valkey: on a few threads, never in the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

import structlog
from django.db import Error, close_old_connections

from rolodesk.errors import IntakeUnavailable, Overloaded

log = structlog.get_logger("rolodesk.web")

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 4
# What waits beyond these would be answered too late to be of use.
MAX_WAITING = 200

_pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="dialect")
_waiting: set[asyncio.Future[Any]] = set()  # of whatever services return


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a service returns. Raises what it raises, Overloaded, or IntakeUnavailable when the database fails."""
    if len(_waiting) >= MAX_WAITING:
        raise Overloaded(retry_after=1)
    loop = asyncio.get_running_loop()
    future = loop.run_in_executor(_pool, _run, partial(function, *args, **kwargs))
    _waiting.add(future)
    future.add_done_callback(_waiting.discard)
    return await future


def _run(call: Callable[[], T]) -> T:
    try:
        return call()
    except Error as error:
        # Its text can hold values (security.md N12), its type cannot.
        log.error("database not usable", error=type(error).__name__)
        raise IntakeUnavailable(retry_after=1) from error
    finally:
        # As after a request of Django's: the connection goes back to the pool.
        close_old_connections()
