"""Customer.io's Track API, versions 1 and 2: write only, Basic authentication with site id and API key.

Reports about messages and the unsubscribe call, which lives at the root of the host, take no credentials.
"""

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
    prefixes=("/api/v1", "/api/v2", "/unsubscribe"),
    application=Face(FACE, ROUTES, tokens, answer_error),
    error_table=ERRORS,
    routes=tuple((route.method, route.template) for route in ROUTES),
)
