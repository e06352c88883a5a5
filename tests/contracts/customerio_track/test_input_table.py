"""The input table of security.md I10, row by row, on every route of the Track API.

A documented answer, never one of 5xx, and never half applied: what is refused leaves nothing in the inbox,
what is accepted can be applied.
"""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from customers.models import User, Workspace
from customers.services.workspaces import create_workspace
from dialects.customerio_track import open_views
from dialects.customerio_track.dialect import DIALECT
from dialects.kit.limits import Limit
from rolodesk.database import Connection, connect
from rolodesk.json import altered
from tests.contracts.client import TrackClient, basic, request
from tests.contracts.conftest import PERMISSIONS, Inbox
from tests.contracts.customerio_track.examples import EXAMPLES, Example, on_segment, with_body
from tests.factories import grant
from tracking.intake.worker import Worker
from tracking.models import Form

HERE = "@@"
SLOT = 9
OPTIONAL = ("DELETE", "suppress", "unsubscribe")
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


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
def test_the_examples_are_accepted_as_they_are(track: TrackClient, inbox: Inbox, example: Example) -> None:
    example = on_segment(track, example)
    response = track.send(example.method, example.path(), example.body)
    assert response.status_code in (200, 204), response.text
    assert len(inbox()) == example.stored


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
    "100,000 lists": b"[" * 60_000 + b"]" * 60_000,
    "no object": b"[]",
    "null": b"null",
    "a number": b"1",
}


@bodies
@pytest.mark.parametrize("kind", MALFORMED)
def test_a_body_that_is_no_acceptable_json_is_400(
    track: TrackClient, inbox: Inbox, example: Example, kind: str
) -> None:
    example = on_segment(track, example)
    content = MALFORMED[kind]
    too_long = len(content) > example.limit
    assert send(track, example, content) == (413 if too_long else 400)
    assert inbox() == []
    assert not Form.objects.exists()


@bodies
def test_an_empty_body_is_400_unless_the_call_needs_none(track: TrackClient, inbox: Inbox, example: Example) -> None:
    example = on_segment(track, example)
    is_optional = example.method in OPTIONAL or any(part in OPTIONAL for part in example.template.split("/"))
    is_optional |= example.template.endswith("unsuppress")
    assert send(track, example, b"") == (200 if is_optional else 400)
    assert len(inbox()) == (example.stored if is_optional else 0)


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
free = pytest.mark.parametrize("example", [one for one in with_body() if one.hash], ids=lambda one: one.name)
named = pytest.mark.parametrize("example", [one for one in with_body() if one.whom], ids=lambda one: one.name)


@free
def test_what_cannot_be_stored_is_replaced_and_counted(
    track: TrackClient, inbox: Inbox, connection: Connection, example: Example
) -> None:
    for number, text in enumerate(UNSTORABLE, 1):
        assert send(track, example, spliced(example, example.hash, b'"x%sy"' % text)) in (200, 204)
        stored = repr(inbox()[-1])
        assert "x\ufffd" in stored
        assert "\\x00" not in stored
        assert altered.counts["character"] == number
    assert apply_all(connection)["quarantined"] == 0


@pytest.mark.parametrize("text", UNSTORABLE)
def test_what_cannot_be_stored_in_a_key_is_replaced_too(
    track: TrackClient, connection: Connection, text: bytes
) -> None:
    assert send(track, EXAMPLES[0], b'{"a%s": {"b%s": 1}}' % (text, text)) == 200
    assert apply_all(connection)["applied"] == 1
    (props,) = connection.execute("SELECT raw_props FROM customer_profile").fetchone() or ()
    ((key, value),) = props.items()
    assert key.startswith("a\ufffd")
    assert [name[:2] for name in value] == ["b\ufffd"]


@named
def test_an_identifier_with_such_characters_is_refused(track: TrackClient, inbox: Inbox, example: Example) -> None:
    status = 207 if "batch" in example.template else 400
    for text in (*UNSTORABLE, "\ufffd".encode()):
        assert send(track, example, spliced(example, example.whom, b'"x%sy"' % text)) == status
    assert inbox() == []


PATHS = [one for one in EXAMPLES if one.values and "{segment}" not in one.values]


@pytest.mark.parametrize("example", PATHS, ids=lambda one: one.name)
@pytest.mark.parametrize("value", ["%00", "a%00b", "%FF", "%ED%A0%80", "%EF%BF%BD", "%20", "x" * 1001, "%C3%BC" * 501])
def test_a_name_in_the_path_that_cannot_be_one_is_refused(
    track: TrackClient, inbox: Inbox, example: Example, value: str
) -> None:
    for index in range(len(example.values)):
        values = [value if at == index else good for at, good in enumerate(example.values)]
        response = track.send(example.method, example.path(*values), example.body)
        assert response.status_code == 400, values
    assert inbox() == []


# --- Sizes ----------------------------------------------------------------------------------------------


@named
@pytest.mark.parametrize("letter", ["x", "\u00fc", "\U0001f600"])
def test_identifiers_end_at_150_bytes(track: TrackClient, inbox: Inbox, example: Example, letter: str) -> None:
    if "devices" in example.template or example.template == "/api/v1/customers/{identifier}":
        pytest.skip("a token may be longer, and an e-mail has letters of its own")
    fitting = letter * (150 // len(letter.encode()))
    assert send(track, example, spliced(example, example.whom, json.dumps(fitting).encode())) in (200, 204)
    assert len(inbox()) == example.stored
    longer = json.dumps(fitting + letter).encode()
    status = 207 if "batch" in example.template else 400
    assert send(track, example, spliced(example, example.whom, longer)) == status
    assert len(inbox()) == example.stored


@pytest.mark.parametrize("example", [one for one in PATHS if "identifier" in one.template], ids=lambda one: one.name)
def test_names_in_the_path_end_at_150_bytes(track: TrackClient, inbox: Inbox, example: Example) -> None:
    for value, status in (("x" * 150, 200), ("%C3%BC" * 75, 200), ("x" * 151, 400), ("%C3%BC" * 76, 400)):
        values = (value, *example.values[1:])
        assert track.send(example.method, example.path(*values), example.body).status_code == status
    assert len(inbox()) == 2 * example.stored


KEYED = [one for one in with_body() if one.hash and "events" not in one.template and "metrics" not in one.template]


@pytest.mark.parametrize("example", KEYED, ids=lambda one: one.name)
def test_names_of_attributes_end_at_150_bytes(track: TrackClient, inbox: Inbox, example: Example) -> None:
    for name, is_fitting in (("x" * 150, True), ("\u00fc" * 75, True), ("x" * 151, False), ("\u00fc" * 76, False)):
        body = example.bent((*example.hash[:-1], name), "1")
        expected = (200, 204) if is_fitting else (207, 400)
        assert send(track, example, json.dumps(body).encode()) in expected
    assert len(inbox()) == 2 * example.stored


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


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_reach_the_profile_and_the_event_digit_by_digit(
    track: TrackClient, connection: Connection, text: str
) -> None:
    batch = (
        f'{{"batch": [{{"type": "person", "action": "%s", "identifiers": {{"id": "ada"}}, "name": "n",'
        f' "attributes": {{"n": {text}}}}}]}}'
    )
    calls = (
        ("PUT", "/api/v1/customers/ada", f'{{"n": {text}, "list": [{{"n": {text}}}]}}'),
        ("POST", "/api/v1/customers/ada/events", f'{{"name": "n", "data": {{"n": {text}}}}}'),
        ("POST", "/api/v2/batch", batch % "event"),
        ("POST", "/api/v2/batch", batch % "identify"),
    )
    for method, path, content in calls:
        assert track.send(method, path, content=content.encode()).status_code == 200
    assert altered.counts["long_number"] == (5 if NUMBERS[text].startswith('"') else 0)
    assert apply_all(connection)["applied"] == len(calls)
    statement = "SELECT (raw_props -> 'n')::text, (raw_props -> 'list' -> 0 -> 'n')::text FROM {}"
    assert connection.execute(statement.format("customer_profile")).fetchall() == [(NUMBERS[text],) * 2]
    assert connection.execute(statement.format("event")).fetchall() == [(NUMBERS[text], None)] * 2


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


@free
def test_else_the_last_of_equal_keys_counts_and_they_are_counted(
    track: TrackClient, inbox: Inbox, example: Example
) -> None:
    key = json.dumps(example.hash[-1]).encode()
    content = spliced(example, example.hash, b'"first", %s: "last"' % key)
    assert send(track, example, content) in (200, 204)
    stored = repr(inbox())
    assert "last" in stored
    assert "first" not in stored
    assert altered.counts["repeated_key"] == 1


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


@pytest.mark.parametrize("sent", TIMES, ids=str)
def test_times_in_either_unit_ahead_and_absurd(track: TrackClient, connection: Connection, sent: str | int) -> None:
    event = {"name": "n", "timestamp": sent}
    entity = {"type": "person", "action": "event", "identifiers": {"id": "ada"}, **event}
    for path, body in (
        ("/api/v1/customers/ada/events", event),
        ("/api/v1/events", event | {"anonymous_id": "v"}),
        ("/api/v2/entity", entity),
        ("/api/v2/batch", {"batch": [entity]}),
    ):
        assert track.send("POST", path, body).status_code == 200
    done, expected = apply_all(connection), TIMES[sent]
    rows = connection.execute("SELECT ts, received_at, raw_props FROM event").fetchall()
    if expected == "set aside":
        assert (done["quarantined"], rows) == (4, [])
        reasons = connection.execute("SELECT DISTINCT reason FROM quarantine").fetchall()
        assert reasons == [("absurd_time",)]
        return
    assert len(rows) == 4
    for ts, received_at, props in rows:
        assert ts == (expected or received_at)
        is_ahead = isinstance(sent, int) and expected is None
        assert props == ({"$sent_at": AHEAD.isoformat()} if is_ahead else {})


# --- Anything anywhere ----------------------------------------------------------------------------------

HOSTILE = (
    b"null", b"true", b"false", b"0", b"-0", b"-1", b"1.5", b"1e308", b"-1e-300", b"9" * 400, b"0." + b"9" * 400,
    b'""', b'" "', b'"\\u0000"', b'"\\ud800"', b'"\\u200b"', b'"' + b"x" * 20_000 + b'"', b'"%s %(a)s {0} ${x}"',
    b'"\'; DROP TABLE customer; --"', b'"<script>"', b'"=1+1"', b'"a\\tb\\nc\\r\\\\."', b'"\\\\N"', b'"__class__"',
    b"[]", b"{}", b"[[]]", b'[null, {"a": [1]}]', b'{"": ""}', b'{"a": 1, "a": 2}', b'{"$gt": ""}',
    b"[" * 30 + b"]" * 30,
    b'{"id": "x"}', b'["ada"]', b'{"action": "add_relationships"}', b'"2026-11-01T00:00:00Z"', b"1e999", b"NaN",
)  # fmt: skip


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
