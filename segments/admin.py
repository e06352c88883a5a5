"""Settings about segments in the Django admin."""

from django.contrib import admin

from customers.admin import SuperuserOnlyMixin
from segments.models import Segment


@admin.register(Segment)
class SegmentAdmin(SuperuserOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Segments, without their members."""

    list_display = ("workspace", "name", "kind", "is_access_scope", "data_class")
    list_filter = ("workspace", "kind")
