"""What the Track API says when something is wrong: statuses, sentences and the two shapes of bodies."""

from dialects.kit.errors import ErrorRow, ErrorTable, RequestError, WrongMethod
from dialects.kit.http import Headers, Request, Response
from rolodesk import json
from rolodesk.errors import DomainError

# Every answer of the live service carries these, errors included.
HEADERS: Headers = (
    (b"content-type", b"application/json; charset=utf-8"),
    (b"cache-control", b"no-cache, no-store, must-revalidate, max-age=0"),
    (b"access-control-allow-origin", b"*"),
)
CHALLENGE = (b"www-authenticate", b'Basic realm="Track API", charset="UTF-8"')
UNAUTHORIZED = "Unauthorized request"

INVALID, REQUIRED, TOO_LARGE, UNSUPPORTED = "invalid", "required", "too_large", "unsupported"

ERRORS: ErrorTable = {
    # Of requests as such.
    "bad_request": ErrorRow(400, "bad request"),
    "unauthenticated": ErrorRow(401, UNAUTHORIZED),
    "no_such_route": ErrorRow(404, "not found"),
    "wrong_method": ErrorRow(405, "method not allowed"),
    "body_timeout": ErrorRow(408, "request body was not received in time"),
    "body_too_large": ErrorRow(413, "request body is too large", TOO_LARGE),
    "unsupported_encoding": ErrorRow(415, "content encoding is not supported", UNSUPPORTED),
    "invalid_field": ErrorRow(400, "bad request"),
    # Of the domain. A write answers the same whatever is stored, so most of these never show here.
    "error": ErrorRow(500, "internal error"),
    "not_found": ErrorRow(404, "not found"),
    "not_allowed": ErrorRow(401, UNAUTHORIZED),
    "invalid_input": ErrorRow(400, "bad request"),
    "too_many_lookups": ErrorRow(429, "too many requests"),
    "handle_refused": ErrorRow(400, "bad request"),
    "overloaded": ErrorRow(503, "service is busy, try again"),
    "intake_unavailable": ErrorRow(503, "service is unavailable, try again"),
}
UNFORESEEN = ERRORS["error"]


class Invalid(RequestError):
    """Part of a request breaks a rule of this wire. ``message`` is what the vendor says of it.

    It may name an attribute of the very request, hence it goes to the caller and never to a log.
    """

    code = "invalid_field"

    def __init__(self, message: str, *, field: str = "", reason: str = INVALID) -> None:
        super().__init__()
        self.message = message
        self.field = field
        self.reason = reason

    def entry(self) -> dict[str, str]:
        """The object that version 2 has for it."""
        return {"reason": self.reason, "field": self.field, "message": self.message}


def answer_error(request: Request, error: Exception) -> Response:
    """Any exception as an answer in the shape of its version; see section 1.4 of the contract."""
    code = error.code if isinstance(error, (DomainError, RequestError)) else "error"
    row = ERRORS.get(code, UNFORESEEN)
    invalid = error if isinstance(error, Invalid) else Invalid(row.message, reason=row.reason)
    headers = HEADERS
    if isinstance(error, WrongMethod):
        headers = (*headers, (b"allow", str(error.data["allow"]).encode()))
    if isinstance(error, DomainError) and "retry_after" in error.data:
        headers = (*headers, (b"retry-after", str(error.data["retry_after"]).encode()))
    if row.status == ERRORS["unauthenticated"].status:
        # Alike in both versions: it is decided before a version's own rules.
        headers, body = (*headers, CHALLENGE), one_error(invalid)
    else:
        body = errors([invalid.entry()]) if request.raw_path.startswith(b"/api/v2") else one_error(invalid)
    if row.status in (ERRORS["body_timeout"].status, ERRORS["body_too_large"].status):
        # The rest of the body is on its way and must not be taken for the next request.
        headers = (*headers, (b"connection", b"close"))
    return Response(row.status, body, headers)


def one_error(error: Invalid) -> bytes:
    """Version 1."""
    return json.encode({"meta": {"error": error.message}}) + b"\n"


def errors(entries: list[dict[str, str | int]] | list[dict[str, str]]) -> bytes:
    """Version 2."""
    return json.encode({"errors": entries}) + b"\n"
