"""Operations of the Track API: parse, store durably, answer. Answers never depend on stored people (N11)."""

from django.conf import settings

from dialects.customerio_track import devices as device_parts
from dialects.customerio_track import entity as entities
from dialects.customerio_track import events, forms, people, segments
from dialects.customerio_track.errors import HEADERS, errors
from dialects.kit.http import Headers, Response
from dialects.kit.routing import PARTIAL_SUCCESS, Call
from dialects.kit.threads import in_thread
from rolodesk import json
from segments.services.members import check_changeable
from tracking.intake.collector import collector
from tracking.intake.inbox import submission
from tracking.intake.operations import Operation
from tracking.services.forms import receive

# What the inbox and the history of properties call this face.
SOURCE = "track"
SINGLE_LIMIT = 128 * 1024
# 300 attributes or fields of 1,150 bytes each must fit, with room for escapes; so must 1,000 ids.
MANY_LIMIT = 512 * 1024
# The vendor's 32 KB and 500 KB, which a body must stay below.
ENTITY_LIMIT = 32 * 1024 - 1
BATCH_LIMIT = 500 * 1024 - 1

# Three bytes, line feed included: clients compare with recordings of the live service.
ACCEPTED = Response(200, b"{}\n", HEADERS)
BARE_HEADERS: Headers = tuple(header for header in HEADERS if header[0] != b"content-type")
NO_CONTENT = Response(204, b"", BARE_HEADERS)


# --- People ------------------------------------------------------------------------------------------


async def identify(call: Call) -> Response:
    """Create or update a person."""
    return await _accept(call, people.v1_identify(call.parameters[0], await call.request.body(MANY_LIMIT)))


async def delete(call: Call) -> Response:
    """Remove a person."""
    return await _accept(call, people.v1_delete(call.parameters[0], await call.request.body(SINGLE_LIMIT)))


async def suppress(call: Call) -> Response:
    """Remove a person and bar his identifiers."""
    return await _accept(call, people.v1_suppress(call.parameters[0], await call.request.body(SINGLE_LIMIT)))


async def unsuppress(call: Call) -> Response:
    """Free identifiers that were barred."""
    return await _accept(call, people.v1_unsuppress(call.parameters[0], await call.request.body(SINGLE_LIMIT)))


async def merge(call: Call) -> Response:
    """Join two people."""
    return await _accept(call, people.v1_merge(await call.request.body(SINGLE_LIMIT)))


async def put_device(call: Call) -> Response:
    """Add or update a device of a person."""
    return await _accept(call, device_parts.v1_put(call.parameters[0], await call.request.body(SINGLE_LIMIT)))


async def drop_device(call: Call) -> Response:
    """Take a device away from a person."""
    identifier, token = call.parameters
    return await _accept(call, device_parts.v1_drop(identifier, token, await call.request.body(SINGLE_LIMIT)))


# --- Events ------------------------------------------------------------------------------------------


async def event(call: Call) -> Response:
    """Something that a person did."""
    return await _accept(call, events.v1_event(call.parameters[0], await call.request.body(SINGLE_LIMIT)))


async def anonymous_event(call: Call) -> Response:
    """Something that somebody did whom nobody knows yet."""
    return await _accept(call, events.v1_anonymous_event(await call.request.body(SINGLE_LIMIT)))


# --- Segments and forms --------------------------------------------------------------------------------


async def add_to_segment(call: Call) -> Response:
    """Put people into a manual segment."""
    return await _change_members(call, is_removal=False)


async def remove_from_segment(call: Call) -> Response:
    """Take people out of a manual segment."""
    return await _change_members(call, is_removal=True)


async def _change_members(call: Call, *, is_removal: bool) -> Response:
    body = await call.request.body(MANY_LIMIT)
    change = segments.change_members(call.parameters[0], call.request.query("id_type"), body, is_removal=is_removal)
    await in_thread(
        check_changeable,
        workspace_id=call.rights.workspace_id,
        segment_id=change.segment_id,
        user_id=call.rights.user_id,
    )
    return await _accept(call, [change] if change.people else [])


async def submit_form(call: Call) -> Response:
    """Somebody filled in a form."""
    key, filled = forms.fields(call.parameters[0], await call.request.body(MANY_LIMIT))
    found = await in_thread(receive, workspace_id=call.rights.workspace_id, key=key, data=filled)
    await _accept(call, forms.operations(key, found))
    return NO_CONTENT


# --- Version 2, and the rest -----------------------------------------------------------------------------


async def entity(call: Call) -> Response:
    """One operation on a person, an object or a delivery."""
    return await _accept(call, entities.v2_entity(await call.request.body(ENTITY_LIMIT), call.rights.may))


async def batch(call: Call) -> Response:
    """Many operations at once; those in order are stored, the others named."""
    parsed = entities.v2_batch(await call.request.body(BATCH_LIMIT), call.rights.may)
    accepted = await _accept(call, parsed.operations)
    return Response(PARTIAL_SUCCESS, errors(parsed.errors), HEADERS) if parsed.errors else accepted


async def region(call: Call) -> Response:
    """Where this installation is; clients use it to check their credentials."""
    body = {"url": settings.BASE_URL, "region": settings.REGION, "environment_id": call.rights.workspace_id}
    return Response(200, json.encode(body) + b"\n", HEADERS)


async def _accept(call: Call, operations: list[Operation]) -> Response:
    """Success once it is committed. Raises Overloaded or IntakeUnavailable; then nothing was stored."""
    if operations:
        await collector.submit(submission(call.rights.workspace_id, SOURCE, operations, token_id=call.rights.token_id))
    return ACCEPTED
