"""Addresses of the naive application."""

from django.urls import path

from bench.naive import views

urlpatterns = [path("events/", views.create_event), path("events/batch/", views.create_events)]
