"""Settings about events in the Django admin."""

from django.contrib import admin

from customers.admin import SuperuserOnlyMixin
from tracking.models import EventDefinition


@admin.register(EventDefinition)
class EventDefinitionAdmin(SuperuserOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """What we know about events of one name."""

    list_display = ("workspace", "kind", "name", "revenue_property")
    list_filter = ("workspace", "kind")
