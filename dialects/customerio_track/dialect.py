"""Customer.io's Track API, versions 1 and 2: write only, Basic authentication with site id and API key."""

from dialects.customerio_track.errors import ERRORS, answer_error
from dialects.customerio_track.routes import ROUTES
from dialects.kit.authentication import TokenMap
from dialects.kit.routing import Face
from dialects.registry import Dialect

FACE = "track"

tokens = TokenMap(FACE)
DIALECT = Dialect(
    name="customerio_track",
    face=FACE,
    prefixes=("/api/v1", "/api/v2"),
    application=Face(FACE, ROUTES, tokens, answer_error),
    error_table=ERRORS,
    routes=tuple((route.method, route.template) for route in ROUTES),
)
