"""The Django admin: settings only. Nothing about a person is registered; people are read through the gates."""

from typing import Any, ClassVar

# Imported first, so that what they register can be replaced here.
from allauth.mfa import admin as _factors  # noqa: F401
from allauth.mfa.models import Authenticator
from allauth.usersessions import admin as _sessions  # noqa: F401
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from customers.models import AuditEntry, IdentifierKind, ObjectType, PropertyDefinition, Token, Topic, User, Workspace

admin.site.site_header = admin.site.site_title = "Rolodesk"
admin.site.index_title = "Settings"


def sign_in(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseRedirect:  # noqa: ARG001
    """To the one door of the console: Django's own form knows nothing of second factors."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.GET.get("next", reverse("admin:index")))
    if not admin.site.has_permission(request):
        raise PermissionDenied
    return HttpResponseRedirect(reverse("admin:index"))


def may_enter(request: HttpRequest) -> bool:
    """Superusers: nothing that staff needs may live only here."""
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))


admin.site.login = sign_in  # type: ignore[method-assign]
admin.site.has_permission = may_enter  # type: ignore[method-assign]
# Their pages show keys of sessions and seeds of second factors: whoever has those is somebody else.
admin.site.unregister([UserSession, Authenticator])

# What the filters beside a list ask for.
FILTER_ENDS = frozenset(["", "__exact", "__isnull", "__id__exact"])


class SuperuserOnlyMixin:
    """A model that only superusers may open."""

    list_filter: ClassVar[Any]  # names of fields
    show_facets = admin.ShowFacets.NEVER

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:  # noqa: ARG002  # names are checked
        """Only what a filter offers: Django would let any column be tried letter by letter."""
        return any(lookup.startswith(name) and lookup.removeprefix(name) in FILTER_ENDS for name in self.list_filter)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return may_enter(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Superusers."""
        return self.has_module_permission(request)

    has_add_permission = has_view_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


class ReadOnlyMixin(SuperuserOnlyMixin):
    """A model that is only looked at."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody."""
        return False

    has_change_permission = has_add_permission
    has_delete_permission = has_add_permission


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


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Second factors, which can be taken from who has lost them, without their seeds."""

    list_display = ("user", "type", "created_at", "last_used_at")
    exclude = ("data",)
    has_delete_permission = SuperuserOnlyMixin.has_view_permission


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """The audit."""

    list_display = ("at", "action", "face", "user_id", "workspace_id", "route")
    list_filter = ("action", "face")
    ordering = ("-at",)
