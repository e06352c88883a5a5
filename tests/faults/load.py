"""Eight clients that send until each thing they send is accepted, and keep the history of it.

Three answers, as in Jepsen: ok, refused (it was certainly not stored) and unknown. What is unknown is sent
again as it was, as real clients do.
"""

import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.contracts.client import basic
from tests.faults.operations import Client
from tests.faults.people import Operation

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 15
PATIENCE_SECONDS = 240
PAUSE_SECONDS = (0.05, 0.4)
# How often a client hangs up after it has sent a request: what it sent is stored as a rule, and it cannot know.
HANG_UPS = 0.03
HANG_UP_SECONDS = 0.05
OK, PARTIAL, BAD, BUSY, SERVER_ERROR = 200, 207, 400, 429, 500
# The one answer of 5xx that says that nothing was stored.
CERTAINLY_BUSY = b"service is busy"


@dataclass(frozen=True, slots=True)
class Answer:
    """``verdict`` is ok, refused, busy (refused for now) or unknown."""

    verdict: str
    status: int = 0
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Account:
    """Where a connection sends to."""

    port: int
    site_id: str
    api_key: str


@dataclass(slots=True)
class Figures:
    """What a connection counted. ``operations`` are those that were acknowledged as valid."""

    requests: int = 0
    operations: int = 0
    refused: int = 0
    unknown: int = 0
    busy: int = 0
    server_errors: int = 0
    hang_ups: int = 0


@dataclass(slots=True, eq=False)
class Sender:
    """One connection, on a thread of its own."""

    client: Client
    account: Account
    stop: threading.Event
    figures: Figures = field(default_factory=Figures)
    odd: list[str] = field(default_factory=list)
    # When the newest request that was accepted had begun.
    accepted_at: float = 0.0
    thread: threading.Thread = field(init=False)
    _connection: http.client.HTTPConnection | None = None

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, name=f"sender {self.client.people.number}", daemon=True)

    def _run(self) -> None:
        """Send until told to stop, or until something is not accepted for too long."""
        random = Random(self.client.random.random())
        while not self.stop.is_set():
            operations = self.client.next()
            if not self._send(operations, random):
                for operation in operations:
                    operation.item.has_given_up = True
                    if operation.item.record is not None:
                        operation.item.record.root.is_uncertain = True
                self.odd.append("gave up: what came of it is not judged")
                return

    def _send(self, operations: list[Operation], random: Random) -> bool:
        method, path, body = self._request(operations, random)
        content = json.dumps(body).encode()
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            began = time.monotonic()
            is_patient = random.random() >= HANG_UPS
            answer = self._attempt(method, path, content, 0.0 if is_patient else random.uniform(0, HANG_UP_SECONDS))
            self.figures.requests += 1
            self._note(operations, answer)
            if answer.verdict in ("ok", "refused"):
                if answer.verdict == "ok":
                    self.accepted_at = began
                return True
            time.sleep(random.uniform(*PAUSE_SECONDS))
        return False

    def _request(self, operations: list[Operation], random: Random) -> tuple[str, str, Any]:
        if len(operations) > 1:
            return "POST", "/api/v2/batch", {"batch": [one.entity for one in operations]}
        (operation,) = operations
        if operation.request is not None and random.random() < 0.6:
            return operation.request
        return "POST", "/api/v2/entity", operation.entity

    def _attempt(self, method: str, path: str, content: bytes, hang_up_after: float) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(HOST, self.account.port, timeout=TIMEOUT_SECONDS)
            try:
                self._connection.connect()
            except OSError:
                self._close()
                return Answer("busy")
        headers = {
            "authorization": basic(self.account.site_id, self.account.api_key),
            "content-type": "application/json",
        }
        try:
            self._connection.request(method, path, content, headers)
            if hang_up_after:
                time.sleep(hang_up_after)
                self._close()
                self.figures.hang_ups += 1
                return Answer("unknown")
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            self._close()
            return Answer("unknown")
        if response.status in (OK, PARTIAL):
            return Answer("ok", response.status, body)
        if response.status == BUSY or CERTAINLY_BUSY in body:
            return Answer("busy", response.status, body)
        return Answer("unknown" if response.status >= SERVER_ERROR else "refused", response.status, body)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    # --- History --------------------------------------------------------------------------------------

    def _note(self, operations: list[Operation], answer: Answer) -> None:
        if answer.verdict == "busy":
            self.figures.busy += 1
        elif answer.verdict == "unknown":
            self.figures.unknown += 1
            self.figures.server_errors += answer.status >= SERVER_ERROR
            for operation in operations:
                operation.item.unknown += 1
        else:
            wrong = self._refused(len(operations), answer)
            for index, operation in enumerate(operations):
                self._settle(operation, is_ok=index not in wrong, answer=answer)

    def _refused(self, count: int, answer: Answer) -> set[int]:
        """The items that were refused, by index."""
        if answer.status == PARTIAL:
            return {int(one["batch_index"]) for one in json.loads(answer.body)["errors"]}
        return set() if answer.verdict == "ok" else set(range(count))

    def _settle(self, operation: Operation, *, is_ok: bool, answer: Answer) -> None:
        if is_ok:
            operation.item.ok += 1
            self.figures.operations += 1
        else:
            operation.item.refused += 1
            self.figures.refused += 1
        if is_ok is not operation.is_valid:
            self.odd.append(f"{operation.item.marker} ({operation.item.effect}) was answered with {answer.status}")
