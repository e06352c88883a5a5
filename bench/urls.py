"""The product's addresses and the empty view."""

from django.urls import include, path

from bench import empty

urlpatterns = [path("bench/empty/", empty.view), path("", include("rolodesk.urls"))]
