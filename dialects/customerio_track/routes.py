"""Paths of the Track API that are served, with the permission each wants of the token and of its user."""

from dialects.customerio_track import views
from dialects.kit.routing import Route

EDIT = "edit"

ROUTES = (
    Route("PUT", "/api/v1/customers/{identifier}", views.identify, EDIT),
    Route("POST", "/api/v1/customers/{identifier}/events", views.event, EDIT),
    Route("GET", "/api/v1/accounts/region", views.region, EDIT),
    Route("POST", "/api/v2/batch", views.batch, EDIT),
)
