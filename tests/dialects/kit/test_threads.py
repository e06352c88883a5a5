"""Services on threads of their own."""

import asyncio
import threading

import pytest
from django.db import DatabaseError
from structlog.testing import LogCapture

from dialects.kit import threads
from dialects.kit.threads import in_thread
from rolodesk.errors import IntakeUnavailable, NotFound, Overloaded


def test_a_service_runs_outside_of_the_event_loop_and_gives_its_result() -> None:
    def service(one: int, *, other: int) -> tuple[int, int]:
        return one + other, threading.get_ident()

    result, thread = asyncio.run(in_thread(service, 1, other=2))
    assert result == 3
    assert thread != threading.get_ident()


def test_errors_of_the_domain_come_through() -> None:
    def service() -> None:
        raise NotFound(reason="segment")

    with pytest.raises(NotFound):
        asyncio.run(in_thread(service))


def test_a_database_that_fails_is_unavailable_and_its_words_are_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    import structlog

    capture = LogCapture()
    monkeypatch.setattr(threads, "log", structlog.wrap_logger(None, processors=[capture]))

    def service() -> None:
        raise DatabaseError("canary")

    with pytest.raises(IntakeUnavailable) as caught:
        asyncio.run(in_thread(service))
    assert caught.value.data == {"retry_after": 1}
    assert [line["error"] for line in capture.entries] == ["DatabaseError"]
    assert "canary" not in repr(capture.entries) + str(caught.value)


def test_beyond_what_may_wait_calls_are_refused_and_later_ones_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MAX_WAITING", 2)
    gate = threading.Event()

    async def crowd() -> list[object]:
        waiting = [asyncio.ensure_future(in_thread(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await in_thread(gate.wait)
        gate.set()
        found: list[object] = list(await asyncio.gather(*waiting))
        await asyncio.sleep(0)
        return [*found, await in_thread(gate.wait)]

    assert asyncio.run(crowd()) == [True, True, True]
