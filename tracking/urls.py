"""Regions of the timeline, and pages about the intake."""

from django.urls import path

from tracking import intake_views, views

app_name = "tracking"

urlpatterns = [
    path("timeline/<uuid:customer>/", views.timeline_region, name="timeline"),
    path("timeline/<uuid:customer>/filter/", views.timeline_filter, name="timeline_filter"),
    path("quarantine/", intake_views.quarantine_list, name="quarantine"),
    path("quarantine/<int:item>/", intake_views.quarantine_detail, name="quarantine_detail"),
    path("quarantine/redrive/", intake_views.quarantine_redrive, name="quarantine_redrive"),
    path("quarantine/discard/", intake_views.quarantine_discard, name="quarantine_discard"),
]
