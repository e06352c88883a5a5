"""From errors to what a wire says: each dialect has one table, code -> status and words.

Two families have codes: the errors of the domain, and those of requests as such (below), which never
reach the core. A test demands a row for every code in the table of every dialect.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rolodesk.errors import DomainError


class RequestError(Exception):
    """A request that is refused before the core sees it; ``data`` never holds a value of the request."""

    code = "bad_request"

    def __init__(self, **data: str | int) -> None:
        super().__init__(self.code)
        self.data = data


class Unauthenticated(RequestError):
    """Credentials are missing, malformed, unknown, expired, or without the right that the route wants."""

    code = "unauthenticated"


class NoSuchRoute(RequestError):
    """Nothing lives at this path."""

    code = "no_such_route"


class WrongMethod(RequestError):
    """The path exists, the method does not; ``data["allow"]`` lists those that do."""

    code = "wrong_method"


class BodyTooLarge(RequestError):
    """The body is longer than the route's limit; noticed while reading, not after."""

    code = "body_too_large"


class BodyTimeout(RequestError):
    """The client stopped sending its body, or sends it too slowly."""

    code = "body_timeout"


class UnsupportedEncoding(RequestError):
    """The body is compressed, which these faces do not take."""

    code = "unsupported_encoding"


class TooManyRequests(RequestError):
    """The sender used up what one address may send; ``data["retry_after"]`` is in seconds."""

    code = "too_many_requests"


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """How one code is answered; ``reason`` is for wires that have a short word beside the sentence."""

    status: int
    message: str
    reason: str = "invalid"


ErrorTable = Mapping[str, ErrorRow]


def every_code() -> frozenset[str]:
    """The codes of all errors that exist, for the test that every table knows them."""
    return frozenset(kind.code for root in (DomainError, RequestError) for kind in _family(root))


def _family(kind: type[DomainError] | type[RequestError]) -> Iterator[type[DomainError] | type[RequestError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)
