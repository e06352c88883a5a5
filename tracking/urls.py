"""Regions of the timeline."""

from django.urls import path

from tracking import views

app_name = "tracking"

urlpatterns = [
    path("timeline/<uuid:customer>/", views.timeline_region, name="timeline"),
    path("timeline/<uuid:customer>/filter/", views.timeline_filter, name="timeline_filter"),
]
