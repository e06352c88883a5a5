"""What the Track API says when something is wrong: statuses, sentences and the three shapes of bodies."""

from collections.abc import Callable

from customers.identifiers import MAX_BYTES
from dialects.kit.errors import ErrorRow, ErrorTable, RequestError
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
    "too_many_requests": ErrorRow(429, "too many requests"),
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
# Reasons of services that have a sentence of their own here.
SENTENCES: dict[str | int, str] = {
    "segment": "segment not found",
    "not_manual": "only manual segments can be changed",
    "form_unidentified": "data must include an identifier: id or email, or a field that is mapped to one",
    "form_ambiguous": "data must include exactly one identifier",
    "form_identifier": f"the identifier in data must have at most {MAX_BYTES} bytes, all of them characters",
}


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
    """Any exception as an answer in the shape of its endpoint; see section 1.4 of the contract."""
    known = error if isinstance(error, (DomainError, RequestError)) else DomainError()
    row, data = ERRORS.get(known.code, UNFORESEEN), known.data
    invalid = error if isinstance(error, Invalid) else Invalid(_sentence(row, data), reason=row.reason)
    headers = HEADERS
    if "allow" in data:
        headers = (*headers, (b"allow", str(data["allow"]).encode()))
    if "retry_after" in data:
        headers = (*headers, (b"retry-after", str(data["retry_after"]).encode()))
    if row.status == ERRORS["unauthenticated"].status:
        # Alike everywhere: it is decided before an endpoint's own rules.
        headers, body = (*headers, CHALLENGE), one_error(invalid)
    else:
        body = _shape(request.segments())(invalid)
    if row.status in (ERRORS["body_timeout"].status, ERRORS["body_too_large"].status):
        # The rest of the body is on its way and must not be taken for the next request.
        headers = (*headers, (b"connection", b"close"))
    return Response(row.status, body, headers)


def _sentence(row: ErrorRow, data: dict[str, str | int]) -> str:
    return SENTENCES.get(data.get("reason", ""), row.message)


def _shape(path: list[str]) -> Callable[[Invalid], bytes]:
    """How the endpoint at this path says what is wrong; unknown ones say it as their version does."""
    if path[:2] == ["api", "v2"]:
        return lambda invalid: errors([invalid.entry()])
    of_devices = path[2:3] == ["customers"] and path[4:5] == ["devices"]
    if path[:2] == ["api", "v1"] and (of_devices or path[2:3] in (["forms"], ["segments"])):
        return error_list
    return one_error


def one_error(error: Invalid) -> bytes:
    """Version 1 as a rule."""
    return json.encode({"meta": {"error": error.message}}) + b"\n"


def error_list(error: Invalid) -> bytes:
    """Version 1 of devices, forms and segments."""
    return json.encode({"meta": {"errors": [error.message]}}) + b"\n"


def errors(entries: list[dict[str, str | int]] | list[dict[str, str]]) -> bytes:
    """Version 2."""
    return json.encode({"errors": entries}) + b"\n"
