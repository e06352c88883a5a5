"""Files as rows with line numbers: CSV of any usual encoding and delimiter, and JSON lines.

A line that cannot be read becomes a ``BadLine`` and reading goes on with the next one; so does a record
whose quotation mark was never closed, which would otherwise swallow the good lines after it.
"""

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from charset_normalizer import from_bytes

from rolodesk import json
from rolodesk.json import Json

SAMPLE_BYTES = 1 << 20
MAX_LINE = 1 << 20
DELIMITERS = ",;\t|"
JSON_SUFFIXES = frozenset({".ndjson", ".jsonl"})
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
REPLACEMENT = "\ufffd"


class BadFile(ValueError):
    """The file as a whole cannot be read; ``str(error)`` says why in one line."""


@dataclass(frozen=True, slots=True)
class GoodLine:
    """A row and the line it starts on, counted from 1."""

    number: int
    row: dict[str, Json]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no row; the code holds nothing of it."""

    number: int
    code: str


Line = GoodLine | BadLine


class Source(Protocol):
    """A file being read."""

    @property
    def columns(self) -> list[str] | None:
        """Column names, or None when each row has its own."""

    @property
    def position(self) -> int:
        """How many bytes have been read."""

    def __iter__(self) -> Iterator[Line]:
        """The lines, good and bad."""


def guess_encoding(path: Path) -> str:
    """From the byte order mark, else UTF-8 if that fits, else what is likeliest. Raises BadFile."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    for mark, encoding in BOMS:
        if sample.startswith(mark):
            return encoding
    # The last character may be cut in half.
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample)
    broken = text.count(REPLACEMENT)
    if broken == 0 or sum(char > "\x7f" for char in text) > 2 * broken:
        return "utf-8"  # a few broken rows do not make a file of another encoding
    best = from_bytes(sample).best()
    if best is None:
        raise BadFile("The encoding cannot be guessed; give it with --encoding.")
    return best.encoding


@dataclass(slots=True)
class _Lines:
    """Physical lines of a text file, with their numbers; lines can be given back."""

    file: IO[str]
    number: int = 0
    _returned: deque[str] = field(default_factory=deque)

    def next(self) -> str | None:
        """The next line with its end, None after the last. An overlong one is cut, and the rest skipped."""
        line = self._returned.popleft() if self._returned else self.file.readline(MAX_LINE)
        if not line:
            return None
        self.number += 1
        if len(line) >= MAX_LINE and not line.endswith(("\n", "\r")):
            while (rest := self.file.readline(MAX_LINE)) and not rest.endswith(("\n", "\r")):
                pass
        return line

    def give_back(self, lines: list[str]) -> None:
        """Read these again."""
        self._returned.extendleft(reversed(lines))
        self.number -= len(lines)


@dataclass(slots=True)
class CsvSource:
    """A CSV file with a heading; ``open_source`` makes one."""

    file: IO[str]
    raw: IO[bytes]
    columns: list[str] | None = None
    delimiter: str = ","
    _lines: _Lines = field(init=False)

    def __post_init__(self) -> None:
        self._lines = _Lines(self.file)
        heading = self._lines.next() or ""
        self.delimiter = max(DELIMITERS, key=heading.count)
        try:
            names = [name.strip() for name in next(csv.reader([heading], delimiter=self.delimiter), [])]
        except csv.Error as error:
            raise BadFile("The first line is no heading.") from error
        if not any(names):
            raise BadFile("The first line is empty; it must hold the names of the columns.")
        if len(set(names)) != len(names):
            raise BadFile("Two columns have the same name.")
        self.columns = names

    @property
    def position(self) -> int:
        """How many bytes have been read."""
        return self.raw.tell()

    def __iter__(self) -> Iterator[Line]:
        while (line := self._record()) is not None:
            yield line

    def _record(self) -> Line | None:
        """One record, which quoted line breaks may spread over several lines."""
        taken: list[str] = []

        def lines() -> Iterator[str]:
            while (line := self._lines.next()) is not None:
                taken.append(line)
                yield line

        while True:
            taken.clear()
            start = self._lines.number + 1
            try:
                cells = next(csv.reader(lines(), delimiter=self.delimiter, strict=True), None)
            except csv.Error:
                self._lines.give_back(taken[1:])
                return BadLine(start, "line_unreadable")
            if cells is None:
                return None
            if cells:  # an empty line is no record
                return self._row(start, cells, taken)

    def _row(self, start: int, cells: list[str], taken: list[str]) -> Line:
        names = self.columns or []
        code = ""
        if any(len(line) >= MAX_LINE for line in taken):
            code = "line_too_long"
        elif len(cells) != len(names):
            code = "too_few_cells" if len(cells) < len(names) else "too_many_cells"
        elif any(_is_undecodable(cell) for cell in cells):
            code = "not_in_encoding"
        if code:
            self._lines.give_back(taken[1:])
            return BadLine(start, code)
        return GoodLine(start, dict(zip(names, cells, strict=True)))


@dataclass(slots=True)
class JsonSource:
    """A file of one JSON object a line."""

    file: IO[str]
    raw: IO[bytes]
    columns: list[str] | None = None

    @property
    def position(self) -> int:
        """How many bytes have been read."""
        return self.raw.tell()

    def __iter__(self) -> Iterator[Line]:
        lines = _Lines(self.file)
        while (line := lines.next()) is not None:
            if line.strip():
                yield self._read(lines.number, line)

    @staticmethod
    def _read(number: int, line: str) -> Line:
        if _is_undecodable(line):
            return BadLine(number, "not_in_encoding")
        if len(line) >= MAX_LINE:
            return BadLine(number, "line_too_long")
        try:
            row = json.decode(line.encode())
        except json.JsonError:
            return BadLine(number, "json_malformed")
        return GoodLine(number, row) if isinstance(row, dict) else BadLine(number, "json_no_object")


def _is_undecodable(text: str) -> bool:
    """Whether a byte did not belong to the encoding: ``surrogateescape`` marks it so."""
    return not text.isascii() and any("\udc80" <= char <= "\udcff" for char in text)


@contextmanager
def open_source(path: Path, *, encoding: str = "") -> Iterator[tuple[Source, str]]:
    """Open a file by its suffix; gives the source and the encoding used. Raises BadFile."""
    try:
        encoding = codecs.lookup(encoding or guess_encoding(path)).name
        raw = path.open("rb")
    except LookupError as error:
        raise BadFile("The encoding is unknown.") from error
    except OSError as error:
        raise BadFile(f"Cannot read {path}: {error.strerror}.") from error
    # Line ends stay as they are, since the CSV reader must see those within quotation marks.
    with io.TextIOWrapper(raw, encoding, errors="surrogateescape", newline="") as text:
        if path.suffix.lower() in JSON_SUFFIXES:
            yield JsonSource(text, raw), encoding
        else:
            yield CsvSource(text, raw), encoding
