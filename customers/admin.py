"""The Django admin: settings only. Nothing about a person is registered; people are read through the gates."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from customers.models import AuditEntry, IdentifierKind, ObjectType, PropertyDefinition, Token, Topic, User, Workspace

admin.site.site_header = admin.site.site_title = "Rolodesk"
admin.site.index_title = "Settings"


class SuperuserOnlyMixin:
    """A model that only superusers may open."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return bool(request.user.is_active and getattr(request.user, "is_superuser", False))

    def has_view_permission(self, request: HttpRequest, _obj: Any = None) -> bool:
        """Superusers."""
        return self.has_module_permission(request)

    has_add_permission = has_view_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


class ReadOnlyMixin(SuperuserOnlyMixin):
    """A model that is only looked at."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody."""
        return False


@admin.register(User)
class RolodeskUserAdmin(SuperuserOnlyMixin, UserAdmin):  # type: ignore[type-arg]
    """Colleagues and service users."""

    fieldsets = (*(UserAdmin.fieldsets or ()), ("Rolodesk", {"fields": ("is_service",)}))
    list_display = ("username", "first_name", "last_name", "is_active", "is_superuser", "is_service")
    search_fields = ("username",)


@admin.register(Workspace)
class WorkspaceAdmin(SuperuserOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Tenants."""

    list_display = ("name", "slug", "timezone", "currency")


@admin.register(IdentifierKind)
class IdentifierKindAdmin(SuperuserOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Kinds of identifiers."""

    list_display = ("workspace", "name", "label", "data_class", "has_lookup", "is_searchable")
    list_filter = ("workspace",)


@admin.register(PropertyDefinition)
class PropertyDefinitionAdmin(SuperuserOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Types and classes of properties."""

    list_display = ("workspace", "entity", "path", "type", "data_class", "is_pinned", "is_searchable")
    list_filter = ("workspace", "data_class")


class NamedMixin(SuperuserOnlyMixin):
    """A list of names that customers' rows point at: it is changed, and nothing is taken out of it."""

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody."""
        return False


@admin.register(Topic)
class TopicAdmin(NamedMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """What customers subscribe to."""

    list_display = ("workspace", "number", "name", "description")
    list_filter = ("workspace",)


@admin.register(ObjectType)
class ObjectTypeAdmin(NamedMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Types of objects."""

    list_display = ("workspace", "number", "name")
    list_filter = ("workspace",)


@admin.register(Token)
class TokenAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Tokens, without their secrets."""

    list_display = ("name", "face", "workspace", "user", "expires_at", "revoked_at")
    exclude = ("digest",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """The audit."""

    list_display = ("at", "action", "face", "user_id", "workspace_id", "route")
    list_filter = ("action", "face")
    ordering = ("-at",)
