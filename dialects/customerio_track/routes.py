"""Paths of the Track API, with the permission each wants of the token and of its user."""

from dialects.customerio_track import open_views, views
from dialects.customerio_track.permissions import EDIT, ERASE, MERGE, SEGMENTS, SUPPRESS
from dialects.kit.routing import AnyRoute, OpenRoute, Route

PERSON = "/api/v1/customers/{identifier}"
SEGMENT = "/api/v1/segments/{segment_id}"

ROUTES: tuple[AnyRoute, ...] = (
    Route("PUT", PERSON, views.identify, EDIT),
    Route("DELETE", PERSON, views.delete, ERASE),
    Route("PUT", f"{PERSON}/devices", views.put_device, EDIT),
    Route("DELETE", f"{PERSON}/devices/{{device_id}}", views.drop_device, EDIT),
    Route("POST", f"{PERSON}/suppress", views.suppress, SUPPRESS),
    Route("POST", f"{PERSON}/unsuppress", views.unsuppress, SUPPRESS),
    Route("POST", f"{PERSON}/events", views.event, EDIT),
    Route("POST", "/api/v1/events", views.anonymous_event, EDIT),
    Route("POST", "/api/v1/merge_customers", views.merge, MERGE),
    Route("POST", f"{SEGMENT}/add_customers", views.add_to_segment, SEGMENTS),
    Route("POST", f"{SEGMENT}/remove_customers", views.remove_from_segment, SEGMENTS),
    Route("POST", "/api/v1/forms/{form_id}/submit", views.submit_form, EDIT),
    OpenRoute("POST", open_views.METRICS, open_views.metric, EDIT),
    OpenRoute("POST", open_views.PUSH, open_views.push, EDIT),
    OpenRoute("POST", open_views.UNSUBSCRIBE, open_views.unsubscribe, EDIT),
    Route("GET", "/api/v1/accounts/region", views.region, EDIT),
    Route("POST", "/api/v2/entity", views.entity, EDIT),
    Route("POST", "/api/v2/batch", views.batch, EDIT),
)
