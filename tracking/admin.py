"""Settings about events and forms in the Django admin."""

from django.contrib import admin

from customers.admin import SuperuserOnlyMixin
from tracking.models import EventDefinition, Form


@admin.register(EventDefinition)
class EventDefinitionAdmin(SuperuserOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """What we know about events of one name."""

    list_display = ("workspace", "kind", "name", "revenue_property")
    list_filter = ("workspace", "kind")


@admin.register(Form)
class FormAdmin(SuperuserOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Forms, with the names of their fields and where each goes; what people wrote is nowhere here."""

    list_display = ("workspace", "key", "name")
    list_filter = ("workspace",)
    readonly_fields = ("fields", "created_at")
