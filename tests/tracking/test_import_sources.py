"""Reading files: encodings, delimiters, line numbers, and lines that are no rows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tracking.importing import sources
from tracking.importing.sources import BadFile, BadLine, GoodLine, Line, open_source

Read = Callable[..., list[Line]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(content: bytes | str, name: str = "file.csv", encoding: str = "") -> list[Line]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with open_source(path, encoding=encoding) as (source, _):
            return list(source)

    return read


ROWS = [GoodLine(2, {"who": "José", "n": "1"}), GoodLine(3, {"who": "Zoë", "n": "2"})]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_found_out(read: Read, delimiter: str, end: str) -> None:
    text = end.join(delimiter.join(row) for row in (("who", "n"), ("José", "1"), ("Zoë", "2"))) + end
    assert read(text) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_encodings_are_found_out(read: Read, encoding: str) -> None:
    content = "who,n\nJosé,1\nZoë,2\n".encode(encoding)
    assert read(content) == ROWS


def test_an_encoding_may_be_named(read: Read) -> None:
    assert read("who,n\nJosé,1\nZoë,2\n".encode("cp850"), encoding="cp850") == ROWS
    with pytest.raises(BadFile):
        read("who\n", encoding="klingon")


def test_a_few_bytes_of_another_encoding_cost_only_their_row(read: Read) -> None:
    content = "who,n\nJosé,1\n".encode() + "Ñandú,3\nZoë,4\nÄÖÜ,5\n".encode() + b"Jos\xe9,6\n"
    lines = read(content)
    assert [type(line) for line in lines] == [GoodLine] * 4 + [BadLine]
    assert lines[-1] == BadLine(6, "not_in_encoding")


def test_line_breaks_within_quotes_belong_to_the_value_and_count_as_lines(read: Read) -> None:
    assert read('who,n\n"a\nb",1\nc,2\n') == [
        GoodLine(2, {"who": "a\nb", "n": "1"}),
        GoodLine(4, {"who": "c", "n": "2"}),
    ]


def test_wrong_numbers_of_cells_are_told_by_line(read: Read) -> None:
    assert read("who,n\na\nb,2\nc,3,4\n\nd,5\n") == [
        BadLine(2, "too_few_cells"),
        GoodLine(3, {"who": "b", "n": "2"}),
        BadLine(4, "too_many_cells"),
        GoodLine(6, {"who": "d", "n": "5"}),
    ]


@pytest.mark.parametrize("broken", ['"a,1', 'a,"1', '"a"x,1'])
def test_a_quote_that_is_never_closed_swallows_no_good_line(read: Read, broken: str) -> None:
    lines = read(f'who,n\n{broken}\nb,2\n"c",3\nd,4\n')
    assert lines[0] == BadLine(2, "line_unreadable") or lines[0] == BadLine(2, "too_few_cells")
    assert lines[1:] == [
        GoodLine(3, {"who": "b", "n": "2"}),
        GoodLine(4, {"who": "c", "n": "3"}),
        GoodLine(5, {"who": "d", "n": "4"}),
    ]


def test_overlong_lines_cost_only_themselves(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_LINE", 20)
    assert read(f"who,n\n{'x' * 50},1\nb,2\n")[-1] == GoodLine(3, {"who": "b", "n": "2"})
    assert read(f'{{"a": "{"x" * 50}"}}\n{{"a": 1}}\n', "file.ndjson") == [
        BadLine(1, "line_too_long"),
        GoodLine(2, {"a": 1}),
    ]


@pytest.mark.parametrize("content", ["", "\n", ",,\n", "a,a\n1,2\n"])
def test_a_file_without_a_proper_heading_is_refused(read: Read, content: str) -> None:
    with pytest.raises(BadFile):
        read(content)


def test_a_missing_file_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="No such file"), open_source(tmp_path / "none.csv"):
        pass


def test_json_lines_keep_their_types(read: Read) -> None:
    lines = read('{"a": 1, "b": [true, null]}\n\n{"a": "x"}\n', "file.jsonl")
    assert lines == [GoodLine(1, {"a": 1, "b": [True, None]}), GoodLine(3, {"a": "x"})]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "json_malformed"),
        ("[1]", "json_no_object"),
        ('"x"', "json_no_object"),
        ('{"a": NaN}', "json_malformed"),
        ('{"a":' + "[" * 40 + "]" * 40 + "}", "json_malformed"),
    ],
)
def test_lines_that_are_no_json_object_cost_only_themselves(read: Read, line: str, code: str) -> None:
    assert read(f'{line}\n{{"a": 1}}\n', "file.ndjson") == [BadLine(1, code), GoodLine(2, {"a": 1})]


def test_the_position_reaches_the_end_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("a,b\n" + "1,2\n" * 10_000)
    with open_source(path) as (source, _):
        positions = [source.position for _ in source]
    assert positions == sorted(positions)
    assert positions[-1] == path.stat().st_size
