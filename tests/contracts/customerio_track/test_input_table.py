"""The input table of security.md I10, row by row, on every route of the Track API.

A documented answer, never one of 5xx, and never half applied: what is refused leaves nothing in the inbox,
what is accepted can be applied.
"""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from psycopg.sql import SQL, Identifier

from customers.models import User, Workspace
from customers.services.workspaces import create_workspace
from dialects.customerio_track import open_views
from dialects.customerio_track.dialect import DIALECT
from dialects.kit.limits import Limit
from rolodesk.database import Connection, connect
from rolodesk.json import altered
from tests.contracts.client import TrackClient, basic, request
from tests.contracts.conftest import PERMISSIONS, Inbox
from tests.contracts.customerio_track.examples import EXAMPLES, SEGMENT_ID, Example, on_segment, with_body
from tests.factories import grant, make_segment
from tracking.intake.worker import Worker
from tracking.models import Form

HERE = "@@"
SLOT = 9
# Calls that say all they have to say by their address.
OPTIONAL = ("DELETE", "suppress", "unsuppress", "unsubscribe")
bodies = pytest.mark.parametrize("example", with_body(), ids=lambda one: one.name)


@pytest.fixture
def workspace(service: User) -> Workspace:
    """One that knows the usual kinds of identifiers, so that what is accepted can be applied."""
    workspace = Workspace.objects.get(pk=create_workspace(name="Shop"))
    grant(service, workspace, *PERMISSIONS)
    return workspace


@pytest.fixture
def connection(transactional_db: None) -> Iterator[Connection]:
    with connect(application="test") as opened:
        yield opened


@pytest.fixture(autouse=True)
def counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts and limits begin anew in each test."""
    monkeypatch.setattr(altered, "counts", type(altered.counts)())
    monkeypatch.setattr(open_views, "LIMIT", Limit("test-input-table", capacity=10**6, rate=10**6))


def send(track: TrackClient, example: Example, content: bytes, *values: str) -> int:
    """The status of the example's call with this body; an error has the shape of its endpoint."""
    response = track.send(example.method, example.path(*values), content=content)
    if response.status_code >= 400:
        said = response.json()
        assert said["errors"][0]["message"] if "errors" in said else said["meta"], content[:80]
    return response.status_code


def spliced(example: Example, where: tuple[str | int, ...], raw: bytes) -> bytes:
    """The body with raw text in place of a value."""
    return json.dumps(example.bent(where, HERE)).encode().replace(f'"{HERE}"'.encode(), raw)


def apply_all(connection: Connection) -> dict[str, int]:
    """Apply what waits; what became of it."""
    worker = Worker(SLOT)
    try:
        while worker.turn():
            pass
    finally:
        worker.close()
    names = "accepted", "applied", "duplicate", "suppressed", "ignored", "quarantined"
    row = connection.execute(
        "SELECT sum(accepted), sum(applied), sum(duplicate), sum(suppressed), sum(ignored), sum(quarantined)"
        " FROM intake_total"
    ).fetchone()
    assert row is not None
    found = {name: int(n or 0) for name, n in zip(names, row, strict=True)}
    assert found["accepted"] == sum(n for name, n in found.items() if name != "accepted")
    return found


def test_every_route_has_an_example() -> None:
    assert {(one.method, one.template) for one in EXAMPLES} == set(DIALECT.routes)


def test_the_examples_are_accepted_as_they_are(track: TrackClient, inbox: Inbox) -> None:
    segment, stored = make_segment(Workspace.objects.get(pk=track.workspace_id)), 0
    for example in EXAMPLES:
        values = [value.replace(SEGMENT_ID, str(segment.pk)) for value in example.values]
        response = track.send(example.method, example.path(*values), example.body)
        assert response.status_code in (200, 204), example.name
        stored += example.stored
        assert len(inbox()) == stored, example.name


# --- Bodies that are refused whole --------------------------------------------------------------------

MALFORMED = {
    "cut off": b"{",
    "trailing garbage": b"{} x",
    "two texts": b"{}{}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "invalid UTF-8 in a value": b'{"a": "\xff"}',
    "invalid UTF-8 in a key": b'{"\xff": 1}',
    "an encoded surrogate": b'{"a": "\xed\xa0\x80"}',
    "UTF-16": "{}".encode("utf-16"),
    "a bare NUL": b'{"a": "x\0y"}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "a number beyond all": b'{"a": 1e999}',
    "a number next to nothing": b'{"a": 1e-999}',
    "an exponent beyond all": b'{"a": 1e99999999999999999999}',
    "33 levels": b'{"a":' * 33 + b"1" + b"}" * 33,
    "100,000 levels": b"[" * 100_000,
    "no object": b"[]",
    "null": b"null",
    "a number": b"1",
}


@bodies
def test_a_body_that_is_no_acceptable_json_is_400(track: TrackClient, inbox: Inbox, example: Example) -> None:
    example = on_segment(track, example)
    for kind, content in MALFORMED.items():
        assert send(track, example, content) == (413 if len(content) > example.limit else 400), kind
    is_optional = any(part in OPTIONAL for part in (example.method, *example.template.split("/")))
    assert send(track, example, b"") == (200 if is_optional else 400)
    assert len(inbox()) == (example.stored if is_optional else 0)
    assert not Form.objects.exists()


@bodies
def test_a_body_over_the_limit_is_413_plain_or_chunked_and_415_compressed(
    track: TrackClient, inbox: Inbox, example: Example
) -> None:
    example = on_segment(track, example)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(example.limit // 1000 + 1):
            yield b" " * 1000

    for content in (json.dumps(example.body).encode().ljust(example.limit + 1), chunks()):
        response = track.send(example.method, example.path(), content=content)
        assert (response.status_code, response.headers["connection"]) == (413, "close")
        assert "request body is too large" in response.text
    headers = {"authorization": basic(track.site_id, track.api_key)}
    for encoding in ("gzip", "GZIP", "br", "gzip, identity"):
        response = request(
            example.method, example.path(), content=b"\x1f\x8b", headers=headers | {"content-encoding": encoding}
        )
        assert response.status_code == 415
    assert inbox() == []
    fitting = json.dumps(example.body).encode().ljust(example.limit)
    assert send(track, example, fitting) in (200, 204)


# --- Characters ---------------------------------------------------------------------------------------

UNSTORABLE = (b"\\u0000", b"\\ud800", b"\\udfff x", b"\\uD83D\\u0041")
FREE = [one for one in with_body() if one.hash]
NAMED = [one for one in with_body() if one.whom]


def refusal(example: Example) -> int:
    """How a bad item is answered."""
    return 207 if "batch" in example.template else 400


def test_what_cannot_be_stored_is_replaced_and_counted(
    track: TrackClient, inbox: Inbox, connection: Connection
) -> None:
    for number, (example, text) in enumerate(product(FREE, UNSTORABLE), 1):
        assert send(track, example, spliced(example, example.hash, b'"x%sy"' % text)) in (200, 204)
        stored = repr(inbox()[-1])
        assert "x\ufffd" in stored, example.name
        assert "\\x00" not in stored, example.name
        assert altered.counts["character"] == number
    assert apply_all(connection)["quarantined"] == 0


def test_what_cannot_be_stored_in_a_key_is_replaced_too(track: TrackClient, connection: Connection) -> None:
    for number, text in enumerate(UNSTORABLE):
        assert send(track, EXAMPLES[0], b'{"%d%s": {"b%s": 1}}' % (number, text, text)) == 200
    assert apply_all(connection)["applied"] == len(UNSTORABLE)
    (props,) = connection.execute("SELECT raw_props FROM customer_profile").fetchone() or ()
    assert sorted(key[:2] for key in props) == [f"{number}\ufffd" for number in range(len(UNSTORABLE))]
    assert {name[:2] for value in props.values() for name in value} == {"b\ufffd"}


def test_an_identifier_with_such_characters_is_refused(track: TrackClient, inbox: Inbox) -> None:
    for example, text in product(NAMED, (*UNSTORABLE, "\ufffd".encode())):
        assert send(track, example, spliced(example, example.whom, b'"x%sy"' % text)) == refusal(example), example.name
    assert inbox() == []


PATHS = [one for one in EXAMPLES if one.values and SEGMENT_ID not in one.values]


NO_NAMES = ("%00", "a%00b", "%FF", "%ED%A0%80", "%EF%BF%BD", "%20", "x" * 1001, "%C3%BC" * 501)


def test_a_name_in_the_path_that_cannot_be_one_is_refused(track: TrackClient, inbox: Inbox) -> None:
    for example in PATHS:
        for index, value in product(range(len(example.values)), NO_NAMES):
            values = [value if at == index else good for at, good in enumerate(example.values)]
            assert track.send(example.method, example.path(*values), example.body).status_code == 400, values
    assert inbox() == []


# --- Sizes ----------------------------------------------------------------------------------------------


# A device's token may be longer, and an e-mail has letters of its own.
SIZED = [one for one in NAMED if one.whom[-1] != "email" and "devices" not in one.template]


def test_identifiers_end_at_150_bytes(track: TrackClient, inbox: Inbox) -> None:
    stored = 0
    for example, letter in product(SIZED, ("x", "\u00fc", "\U0001f600")):
        fitting = letter * (150 // len(letter.encode()))
        assert send(track, example, spliced(example, example.whom, json.dumps(fitting).encode())) in (200, 204)
        longer = json.dumps(fitting + letter).encode()
        assert send(track, example, spliced(example, example.whom, longer)) == refusal(example)
        stored += example.stored
        assert len(inbox()) == stored, example.name


def test_names_in_the_path_end_at_150_bytes(track: TrackClient, inbox: Inbox) -> None:
    stored = 0
    for example in (one for one in PATHS if "identifier" in one.template):
        for value, status in (("x" * 150, 200), ("%C3%BC" * 75, 200), ("x" * 151, 400), ("%C3%BC" * 76, 400)):
            values = (value, *example.values[1:])
            assert track.send(example.method, example.path(*values), example.body).status_code == status, example.name
        stored += 2 * example.stored
        assert len(inbox()) == stored


KEYED = [one for one in FREE if "events" not in one.template and "metrics" not in one.template]


def test_names_of_attributes_end_at_150_bytes(track: TrackClient, inbox: Inbox) -> None:
    for number, example in enumerate(KEYED, 1):
        for name, is_fitting in (("x" * 150, True), ("\u00fc" * 75, True), ("x" * 151, False), ("\u00fc" * 76, False)):
            body = example.bent((*example.hash[:-1], name), "1")
            status = send(track, example, json.dumps(body).encode())
            assert (status in (200, 204)) if is_fitting else (status == refusal(example)), example.name
        assert len(inbox()) == 2 * number * example.stored


# --- Numbers --------------------------------------------------------------------------------------------

NUMBERS = {
    # As it is sent, and as it is kept.
    "9223372036854775807": "9223372036854775807",
    "9223372036854775808": '"9223372036854775808"',
    "-18446744073709551616": '"-18446744073709551616"',
    "1234567890" * 5: '"' + "1234567890" * 5 + '"',
    "0.1234567890123456789012345": "0.1234567890123456789012345",
    "12345678901234567890.123456789": "12345678901234567890.123456789",
    "0.10": "0.10",
    "1e3": "1000",
    "0." + "1234567890" * 5: '"0.' + "1234567890" * 5 + '"',
}


def test_numbers_reach_the_profile_and_the_event_digit_by_digit(track: TrackClient, connection: Connection) -> None:
    calls = 0
    for key, text in enumerate(NUMBERS):
        facts = f'{{"n{key}": {text}, "list{key}": [{{"n": {text}}}]}}'
        item = '{"type": "person", "action": "%s", "identifiers": {"id": "%s"}, "name": "n", "attributes": %s}'
        for method, path, content in (
            ("PUT", "/api/v1/customers/ada", facts),
            ("POST", "/api/v1/customers/ada/events", f'{{"name": "n", "data": {facts}}}'),
            ("POST", "/api/v2/entity", item % ("identify", "eve", facts)),
            ("POST", "/api/v2/batch", f'{{"batch": [{item % ("event", "eve", facts)}]}}'),
        ):
            assert track.send(method, path, content=content.encode()).status_code == 200
            calls += 1
    assert altered.counts["long_number"] == 8 * sum(kept.startswith('"') for kept in NUMBERS.values())
    assert apply_all(connection)["applied"] == calls
    for key, kept in enumerate(NUMBERS.values()):
        for table in ("customer_profile", "event"):
            found = connection.execute(
                SQL(
                    "SELECT (raw_props -> %(name)s)::text, (raw_props -> %(list)s -> 0 -> 'n')::text FROM {}"
                    " WHERE raw_props ? %(name)s"
                ).format(Identifier(table)),
                {"name": f"n{key}", "list": f"list{key}"},
            ).fetchall()
            assert found == [(kept, kept)] * 2


# --- Keys that stand twice ------------------------------------------------------------------------------


def test_equal_keys_are_400_where_they_would_mean_somebody_else(track: TrackClient, inbox: Inbox) -> None:
    twice = b'{"id": "ada", "id": "bob"}'
    merge = b'{"type": "person", "action": "merge", "primary": %s, "secondary": {"id": "eve"}}' % twice
    suppress = b'{"type": "person", "action": "suppress", "identifiers": %s}' % twice
    for path, content in (
        ("/api/v1/merge_customers", b'{"primary": %s, "secondary": {"id": "eve"}}' % twice),
        ("/api/v1/merge_customers", b'{"primary": {"id": "x"}, "primary": {"id": "ada"}, "secondary": {"id": "eve"}}'),
        ("/api/v2/entity", merge),
        ("/api/v2/entity", suppress),
    ):
        assert track.send("POST", path, content=content).status_code == 400, content
    plain = b'{"type": "person", "action": "identify", "identifiers": %s}' % twice
    response = track.send("POST", "/api/v2/batch", content=b'{"batch": [%s, %s, %s]}' % (merge, plain, suppress))
    assert response.status_code == 207
    assert [one["batch_index"] for one in response.json()["errors"]] == [0, 2]
    assert len(inbox()) == 1


def test_else_the_last_of_equal_keys_counts_and_they_are_counted(track: TrackClient, inbox: Inbox) -> None:
    for number, example in enumerate(FREE, 1):
        key = json.dumps(example.hash[-1]).encode()
        content = spliced(example, example.hash, b'"first", %s: "last"' % key)
        assert send(track, example, content) in (200, 204)
        stored = repr(inbox()[-1])
        assert ("last" in stored, "first" in stored) == (True, False), example.name
        assert altered.counts["repeated_key"] == number


# --- Times ----------------------------------------------------------------------------------------------

NOW = datetime.now(UTC).replace(microsecond=0)
YESTERDAY, AHEAD = NOW - timedelta(days=1), NOW + timedelta(days=3)
TIMES = {
    # What is sent, and when it counts as: None for now, "set aside" where nobody can mean it.
    int(YESTERDAY.timestamp()): YESTERDAY,
    str(int(YESTERDAY.timestamp())): YESTERDAY,
    int(YESTERDAY.timestamp()) * 1000: YESTERDAY,
    int(AHEAD.timestamp()): None,
    int(AHEAD.timestamp()) * 1000: None,
    "yesterday": None,
    "1.5.2026": None,
    0: "set aside",
    -1: "set aside",
    10**14: "set aside",
    2**62: "set aside",
    10**30: "set aside",
    -(10**30): "set aside",
}


def test_times_in_either_unit_ahead_and_absurd(track: TrackClient, connection: Connection) -> None:
    for number, sent in enumerate(TIMES):
        event = {"name": "n", "timestamp": sent, "data": {"number": number}}
        entity = {"type": "person", "action": "event", "identifiers": {"id": "ada"}, "name": "n", "timestamp": sent}
        entity |= {"attributes": {"number": number}}
        for path, body in (
            ("/api/v1/customers/ada/events", event),
            ("/api/v1/events", event | {"anonymous_id": "v"}),
            ("/api/v2/entity", entity),
            ("/api/v2/batch", {"batch": [entity]}),
        ):
            assert track.send("POST", path, body).status_code == 200
    done = apply_all(connection)
    absurd = [sent for sent, meant in TIMES.items() if meant == "set aside"]
    assert done["quarantined"] == 4 * len(absurd)
    assert connection.execute("SELECT DISTINCT reason FROM quarantine").fetchall() == [("absurd_time",)]
    for number, (sent, meant) in enumerate(TIMES.items()):
        rows = connection.execute(
            "SELECT ts, received_at, raw_props FROM event WHERE raw_props ->> 'number' = %s", [str(number)]
        ).fetchall()
        assert len(rows) == (0 if meant == "set aside" else 4), sent
        for ts, received_at, props in rows:
            assert ts == (meant or received_at), sent
            assert props.get("$sent_at") == (AHEAD.isoformat() if isinstance(sent, int) and not meant else None), sent


# --- Anything anywhere ----------------------------------------------------------------------------------

HOSTILE = (
    b"null", b"true", b"false", b"0", b"-0", b"-1", b"1.5", b"1e308", b"-1e-300", b"9" * 400, b"0." + b"9" * 400,
    b'""', b'" "', b'"\\u0000"', b'"\\ud800"', b'"\\u200b"', b'"' + b"x" * 20_000 + b'"', b'"%s %(a)s {0} ${x}"',
    b'"\'; DROP TABLE customer; --"', b'"<script>"', b'"=1+1"', b'"a\\tb\\nc\\r\\\\."', b'"\\\\N"', b'"__class__"',
    b"[]", b"{}", b"[[]]", b'[null, {"a": [1]}]', b'{"": ""}', b'{"a": 1, "a": 2}', b'{"$gt": ""}',
    b"[" * 30 + b"]" * 30,
    b'{"id": "x"}', b'["ada"]', b'{"action": "add_relationships"}', b'"2026-11-01T00:00:00Z"', b"1e999", b"NaN",
)  # fmt: skip


# Some hundred requests each.
@pytest.mark.slow
@bodies
def test_any_value_in_any_place_is_taken_whole_or_refused_whole(
    track: TrackClient, inbox: Inbox, connection: Connection, example: Example
) -> None:
    example = on_segment(track, example)
    places = [where for where in _places(example.body) if where]
    stored = 0
    for where in places:
        for raw in HOSTILE:
            status = send(track, example, spliced(example, where, raw))
            assert status in (200, 204, 207, 400), (where, raw[:40])
            found = len(inbox())
            assert found - stored in ((0, 1) if status in (200, 204) else (0,)), (where, raw[:40])
            stored = found
    done = apply_all(connection)
    assert (done["accepted"], done["quarantined"]) == (stored, 0)


def _places(body: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place within a body."""
    yield path
    if isinstance(body, dict):
        for key, value in body.items():
            yield from _places(value, (*path, key))
    elif isinstance(body, list):
        for index, value in enumerate(body):
            yield from _places(value, (*path, index))
