"""What a crawl brought home, and the search for values in it, in twelve encodings."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape, unescape
from urllib.parse import quote, quote_plus

ENCODINGS = (
    "plain", "lower", "upper", "url", "double url", "html", "json", "base64", "hex", "md5", "sha1", "sha256",
)  # fmt: skip
# Marks and breaks within a value would hide it from the search.
_BREAKS = re.compile(rb"</?(?:mark|wbr)>")
_HASHES = ("md5", "sha1", "sha256")


def encodings(value: str) -> dict[str, set[bytes]]:
    """Every form of a value that is looked for. Hashes are those of the usual spellings, as of an avatar."""
    plain = value.encode()
    spellings = {text.encode() for text in (value, value.lower(), value.upper(), value.strip())}
    url = {quote(value, safe=""), quote(value), quote_plus(value)}
    found = {
        "plain": {plain},
        "lower": {value.lower().encode()},
        "upper": {value.upper().encode()},
        "url": {text.encode() for text in url} | {text.lower().encode() for text in url},
        "double url": {quote(text, safe="").encode() for text in url},
        "html": _html(value),
        "json": {json.dumps(value)[1:-1].encode(), json.dumps(value, ensure_ascii=False)[1:-1].encode()},
        "base64": _base64(plain),
        "hex": {plain.hex().encode(), plain.hex().upper().encode()},
    }
    hashes = {name: {hashlib.new(name, text).hexdigest().encode() for text in spellings} for name in _HASHES}
    return found | hashes


def _html(value: str) -> set[bytes]:
    named = escape(value)
    decimal = "".join(f"&#{ord(letter)};" for letter in value)
    hexadecimal = "".join(f"&#x{ord(letter):x};" for letter in value)
    ascii_only = named.encode("ascii", "xmlcharrefreplace").decode()
    return {text.encode() for text in (named, decimal, hexadecimal, hexadecimal.upper(), ascii_only)}


def _base64(plain: bytes) -> set[bytes]:
    """Wherever the value begins within three bytes; its first and last letters depend on what is beside it."""
    found = set()
    for shift in range(3):
        start, end = (shift * 8 + 5) // 6, (shift + len(plain)) * 8 // 6
        text = b64encode(b"\0" * shift + plain)[start:end]
        found |= {text, text.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


@dataclass(slots=True)
class Haul:
    """Distinct lines, each with the first place it was found at; pages share most of theirs."""

    lines: dict[bytes, str] = field(default_factory=dict)
    pages: int = 0

    def add(self, where: str, content: bytes | str, *, typed: str = "") -> None:
        """Keep some content. What the viewer typed himself may come back in the field that he typed it into."""
        raw = content.encode() if isinstance(content, str) else content
        if typed:
            raw = raw.replace(f'value="{escape(typed)}"'.encode(), b"")
        self.pages += 1
        for line in raw.splitlines():
            self.lines.setdefault(line, where)
            whole = _BREAKS.sub(b"", line)
            if whole != line:
                self.lines.setdefault(whole, where)

    def find(self, values: Iterable[str]) -> dict[str, list[str]]:
        """The values that are in the haul: value -> encoding and place of each."""
        everything = b"\n".join(self.lines)
        hits: dict[str, list[str]] = {}
        for value in values:
            for name, forms in encodings(value).items():
                for form in forms:
                    if form in everything:
                        place = next(where for line, where in self.lines.items() if form in line)
                        hits.setdefault(value, []).append(f"{name} at {place}")
        return hits

    def has(self, value: str) -> bool:
        """Whether a value stands there as a person would read it."""
        return any(value in unescape(line.decode("utf-8", "replace")) for line in self.lines)
