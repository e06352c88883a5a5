"""Pages of the console. The dialects' paths are dispatched before Django (``rolodesk.asgi``)."""

from django.contrib import admin
from django.urls import include, path

from customers import views
from tracking import intake_views

urlpatterns = [
    path("", views.home, name="home"),
    path("health/", views.health, name="health"),
    path("metrics/", intake_views.metrics_text, name="metrics"),
    path("preferences/", views.preferences, name="preferences"),
    path("w/<slug:workspace>/", include("customers.urls")),
    path("w/<slug:workspace>/", include("tracking.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
