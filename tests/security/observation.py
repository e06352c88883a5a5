"""What a viewer can observe of an answer: status, headers, cookies and body, without what is random in each.

Replaced are only the id of the request, CSRF tokens, keys of sessions, random handles and sealed cursors; each
leaves its length behind.
"""

import re
from dataclasses import dataclass

_RANDOM = (
    re.compile(r'(?<=name="csrfmiddlewaretoken" value=")[^"]+'),
    re.compile(r'(?<="X-CSRFToken": ")[^"]+'),
    re.compile(r"(?<=[?&;](?:v|t)=)[\w-]+"),
    re.compile(r"(?<=[?&;]after=)[\w-]+(?:=|%3D)*"),
)
# By the ends of their names; both carry nothing but randomness.
_COOKIES = ("session", "csrf")


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything of an answer that reaches its viewer, and how many statements it took."""

    status: int
    headers: tuple[tuple[str, str], ...]
    cookies: tuple[tuple[str, str], ...]
    body: str
    statements: int = 0


def observe(response, statements: int = 0) -> Observation:
    """The observation of a response of the test client."""
    id_ = response["X-Request-Id"]
    headers = tuple((name, even(value)) for name, value in sorted(response.headers.items()) if name != "X-Request-Id")
    cookies = tuple(
        (name, "" if name.endswith(_COOKIES) else morsel.value) for name, morsel in sorted(response.cookies.items())
    )
    body = even(response.content.decode().replace(id_, "0" * len(id_)))
    return Observation(response.status_code, headers, cookies, body, statements)


def even(text: str) -> str:
    """The text with random parts replaced by as many dots."""
    for pattern in _RANDOM:
        text = pattern.sub(lambda match: "." * len(match[0]), text)
    return text


def first_difference(one: Observation, other: Observation) -> str:
    """Where two observations part, for the message of a failing test; "" if they do not."""
    if one.status == other.status:
        # Before the headers: the length of the body is one of them.
        for left, right in zip(one.body.splitlines(), other.body.splitlines(), strict=False):
            if left != right:
                return f"body: {left.strip()} and {right.strip()}"
        if one.body != other.body:
            return "body: one goes on"
    for name in ("status", "headers", "cookies", "statements"):
        if getattr(one, name) != getattr(other, name):
            return f"{name}: {getattr(one, name)} and {getattr(other, name)}"
    return ""
