"""Operations of the Track API: parse, store durably, answer. Answers never depend on what is stored."""

from django.conf import settings

from dialects.customerio_track import parse
from dialects.customerio_track.errors import HEADERS, errors
from dialects.kit.http import Response
from dialects.kit.routing import PARTIAL_SUCCESS, Call
from rolodesk import json
from tracking.intake.collector import collector
from tracking.intake.inbox import submission
from tracking.intake.operations import Operation

# What the inbox and the history of properties call this face.
SOURCE = "track"
SINGLE_LIMIT = 128 * 1024
# The vendor's 500 KB, which a body must stay below.
BATCH_LIMIT = 500 * 1024 - 1

# Three bytes, line feed included: clients compare with recordings of the live service.
ACCEPTED = Response(200, b"{}\n", HEADERS)


async def identify(call: Call) -> Response:
    """Create or update a person."""
    return await _accept(call, parse.v1_identify(call.parameters[0], await call.request.body(SINGLE_LIMIT)))


async def event(call: Call) -> Response:
    """Something that a person did."""
    return await _accept(call, parse.v1_event(call.parameters[0], await call.request.body(SINGLE_LIMIT)))


async def batch(call: Call) -> Response:
    """Many operations at once; those in order are stored, the others named."""
    parsed = parse.v2_batch(await call.request.body(BATCH_LIMIT))
    accepted = await _accept(call, parsed.operations)
    return Response(PARTIAL_SUCCESS, errors(parsed.errors), HEADERS) if parsed.errors else accepted


async def region(call: Call) -> Response:
    """Where this installation is; clients use it to check their credentials."""
    body = {"url": settings.BASE_URL, "region": "us", "environment_id": call.rights.workspace_id}
    return Response(200, json.encode(body) + b"\n", HEADERS)


async def _accept(call: Call, operations: list[Operation]) -> Response:
    """Success once it is committed. Raises Overloaded or IntakeUnavailable; then nothing was stored."""
    if operations:
        await collector.submit(submission(call.rights.workspace_id, SOURCE, operations, token_id=call.rights.token_id))
    return ACCEPTED
