"""The input policy of security.md I10, as far as the decoder itself decides."""

from decimal import Decimal

import pytest
import structlog
from structlog.testing import LogCapture

from rolodesk import json
from rolodesk.json import JsonError, altered, decode, encode, storable

LONG = "1234567890" * 5


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.fixture(autouse=True)
def counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(altered, "counts", type(altered.counts)())


# --- Refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"{}x", b"{}{}", b"{}\0", b"\xef\xbb\xbf{}", b"{'a': 1}", b'{"a": 1,}', b'{"a": 01}',
        b'{"a": +1}',
        b'{"a": "\xff"}', b'{"\xff": 1}', b'{"a": "\xc0\x80"}', b'{"a": "\xed\xa0\x80"}', b'{"a": "\xf4\x90\x80\x80"}',
        b'{"a": "x\0y"}', b'{"a": "\x1f"}', b'{"a": "\\ud800', b'{"a": "\\u12"}', b'{"a": "\\ud8zz"}',
        "{}".encode("utf-16"),
        b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": -1e999}', b'{"a": 1e-999}',
        b'{"a": 0e999999}', b'{"a": 0e99999999999999999999}', b'{"a": 1e99999999999999999999}',
        nested(33), nested(5_000), nested(100_000), b"[" * 100_000, b'{"a":' * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_json_of_ours_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(JsonError) as caught:
        decode(body)
    assert str(caught.value) in {"malformed JSON", "nested too deeply", "a number is out of range"}


def test_thirty_two_levels_are_enough_and_allowed() -> None:
    assert decode(nested(32))
    json.check_depth([[1]], limit=2)
    with pytest.raises(JsonError):
        json.check_depth([[1]], limit=1)


# --- Altered, and counted -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "value", "count"),
    [
        (b'{"a": "x\\u0000y"}', {"a": "x\ufffdy"}, 1),
        (b'{"a\\u0000": 1}', {"a\ufffd": 1}, 1),
        (b'{"a": "\\ud800"}', {"a": "\ufffd"}, 1),
        (b'{"a": "\\udfff\\uD800\\uDFFF\\u0000"}', {"a": "\ufffd\U000103ff\ufffd"}, 2),
        (b'{"a": "\\uD83D\\u0041"}', {"a": "\ufffdA"}, 1),
        # These only look like it.
        (b'{"a": "\\\\u0000 \\\\ud800"}', {"a": "\\u0000 \\ud800"}, 0),
        (b'{"a": "\\\\\\u0000"}', {"a": "\\\ufffd"}, 1),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}, 0),
    ],
)
def test_characters_that_cannot_be_stored_are_replaced_and_counted(body: bytes, value: object, count: int) -> None:
    assert decode(body) == value
    assert altered.counts["character"] == count


@pytest.mark.parametrize(
    ("body", "value", "count"),
    [
        (b'{"a":1,"a":2}', {"a": 2}, 1),
        (b'{"a": 1, "\\u0061": 2, "a": 3}', {"a": 3}, 2),
        (b'{"a" : {"b" : 1, "b" : [1]}}', {"a": {"b": [1]}}, 1),
        (b'[{"a":1},{"a":1}]', [{"a": 1}, {"a": 1}], 0),
        (b'{"a":"{\\"b\\":1}"}', {"a": '{"b":1}'}, 0),
        (b'{"a":"\\":\\":","a":1}', {"a": 1}, 1),
        (b'{"a":["\\":"]}', {"a": ['":']}, 0),
    ],
)
def test_of_equal_keys_the_last_wins_and_they_are_counted(body: bytes, value: object, count: int) -> None:
    assert decode(body) == value
    assert altered.counts["repeated_key"] == count


# --- Numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "0.1",
        "0.10",
        "-0.0",
        "1234567890.123456789012345678901",
        "1E+30",
        "1E-30",
        "9223372036854775807",
        "-1",
        "1E+308",
    ],
)
def test_numbers_keep_their_digits(text: str) -> None:
    assert encode(decode(text.encode())) == text.encode()


@pytest.mark.parametrize(
    ("text", "is_text"),
    [
        (str(2**63 - 1), False),
        (str(2**63), True),
        (str(-(2**64)), True),
        (LONG, True),
        ("9" * 4_000, True),
        ("0." + LONG, True),
        ("0." + "1" * 38, False),
    ],
)
def test_numbers_that_no_program_handles_become_text_and_are_counted(text: str, is_text: bool) -> None:
    found = storable(decode(f'{{"a": [{text}]}}'.encode()))["a"][0]
    assert (found == text) if is_text else (found == Decimal(text))
    assert altered.counts["long_number"] == is_text


# --- The log ------------------------------------------------------------------------------------------


def test_what_was_altered_is_logged_once_a_minute_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    capture, now = LogCapture(), [1000.0]
    monkeypatch.setattr(json, "log", structlog.wrap_logger(None, processors=[capture]))
    monkeypatch.setattr("rolodesk.json.time.monotonic", lambda: now[0])
    monkeypatch.setattr(json, "altered", json.Altered())
    for _ in range(3):
        decode(b'{"canary": 1, "canary": 2}')
    assert capture.entries == [{"event": "input altered", "reason": "repeated_key", "count": 1, "log_level": "info"}]
    now[0] += 60
    decode(b'{"a": "\\u0000"}')
    assert [(line["reason"], line["count"]) for line in capture.entries[1:]] == [("repeated_key", 2), ("character", 1)]
