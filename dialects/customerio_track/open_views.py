"""Calls that take no credentials: reports about messages, and unsubscribing.

The id of the message is the secret, and says whose it is. Valid credentials that come all the same name
the workspace, and may make a message known; others are never refused.
"""

from dialects.customerio_track import deliveries
from dialects.customerio_track.views import ACCEPTED, SINGLE_LIMIT, SOURCE
from dialects.kit.drops import Drops
from dialects.kit.errors import TooManyRequests
from dialects.kit.http import Response
from dialects.kit.limits import Limit, address_of
from dialects.kit.routing import OpenCall
from dialects.kit.threads import in_thread
from tracking.intake.collector import collector
from tracking.intake.inbox import submission
from tracking.intake.operations import ReportDelivery, Unsubscribe
from tracking.services.deliveries import workspace_of

METRICS, PUSH, UNSUBSCRIBE = "/api/v1/metrics", "/api/v1/push/events", "/unsubscribe/{delivery_id}"

# Whole offices share an address; a program that reports more has credentials, and then no limit.
LIMIT = Limit("track", capacity=300, rate=10.0)
drops = Drops("track")


async def metric(call: OpenCall) -> Response:
    """What became of a message."""
    await _limit(call)
    return await _report(call, METRICS, deliveries.v1_metric(await call.request.body(SINGLE_LIMIT)))


async def push(call: OpenCall) -> Response:
    """What became of a push, in the older form."""
    await _limit(call)
    return await _report(call, PUSH, deliveries.v1_push(await call.request.body(SINGLE_LIMIT)))


async def unsubscribe(call: OpenCall) -> Response:
    """The recipient of a message wants no more."""
    await _limit(call)
    body = await call.request.body(SINGLE_LIMIT)
    deliveries.check_content_type(call.request.headers.get(b"content-type"))
    return await _accept(call, UNSUBSCRIBE, deliveries.unsubscribe(call.parameters[0], body))


async def _limit(call: OpenCall) -> None:
    """Raises TooManyRequests."""
    if call.rights is None:
        seconds = await in_thread(LIMIT.take, address_of(call.request))
        if seconds:
            raise TooManyRequests(retry_after=seconds)


async def _report(call: OpenCall, route: str, report: ReportDelivery | None) -> Response:
    if report is None:
        drops.note(route, "unusable")
        return ACCEPTED
    if call.rights is None and report.recipient is not None:
        # Strangers cannot make a message known.
        report = ReportDelivery(report.delivery_id, report.metric, None, report.channel, report.details, report.at)
    return await _accept(call, route, report)


async def _accept(call: OpenCall, route: str, operation: ReportDelivery | Unsubscribe) -> Response:
    if call.rights is not None:
        workspace_id, token_id = call.rights.workspace_id, call.rights.token_id
    else:
        found = await in_thread(workspace_of, operation.delivery_id)
        if found is None:
            drops.note(route, "unknown_delivery")
            return ACCEPTED
        workspace_id, token_id = found, None
    await collector.submit(submission(workspace_id, SOURCE, [operation], token_id=token_id))
    return ACCEPTED
