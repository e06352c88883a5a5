"""The Django admin: settings for superusers, nothing about customers."""

from html.parser import HTMLParser

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from customers import audit
from customers.models import AuditEntry, Token, User
from tests.factories import make_user
from tests.pages import PRIVATE_VALUES, given_away, is_kept_private, text_of

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
OURS = [model for model in REGISTERED if model._meta.app_label in {"customers", "tracking", "segments"}]
READ_ONLY = [AuditEntry, Token, Authenticator]


def url_of(model, name="changelist", *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def labels(models):
    return [model._meta.label for model in models]


@pytest.fixture
def root(cast, sign_in):
    return sign_in(cast.root)


# --- What is there -----------------------------------------------------------------------------


def test_no_model_with_stored_values_is_registered():
    values = [model for model in apps.get_models() if any(f.name.startswith("raw_") for f in model._meta.fields)]
    assert len(values) > 5
    assert not set(values) & set(REGISTERED)


def test_nothing_about_a_customer_is_registered():
    fields = {f"{model._meta.label}.{field.name}" for model in REGISTERED for field in model._meta.fields}
    about = {name for name in fields if name.endswith((".customer_id", ".sealed", ".digest"))}
    assert about == {"customers.Token.digest"}


def test_what_we_register_is_settings():
    assert labels(OURS) == [
        "customers.AuditEntry", "customers.IdentifierKind", "customers.ObjectType", "customers.PropertyDefinition",
        "customers.Token", "customers.Topic", "customers.User", "customers.Workspace", "segments.Segment",
        "tracking.EventDefinition", "tracking.Form",
    ]  # fmt: skip


def test_the_admin_of_grants_is_not_mounted(root, cast):
    for path in (f"customers/workspace/{cast.workspace.pk}/permissions/", "guardian/userobjectpermission/"):
        assert root.get(f"/admin/{path}").status_code in {302, 404}
    assert not [model for model in REGISTERED if model._meta.app_label == "guardian"]


# --- For whom ----------------------------------------------------------------------------------


@pytest.fixture
def staff(db):
    """A member of staff with every permission that Django knows, who is no superuser."""
    user = make_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    return user


@pytest.mark.slow  # three pages of each of twenty models, twice for two people
def test_who_is_no_superuser_opens_no_page(cast, sign_in, staff):
    for user in (cast.lead, staff):
        client = sign_in(user)
        for model in REGISTERED:
            for page in [reverse("admin:index"), url_of(model), url_of(model, "change", "1")]:
                assert client.get(page).status_code in {302, 403, 404}, (user, page)
                assert client.post(page, {"action": "delete_selected"}).status_code in {302, 403, 404}, (user, page)


def test_who_is_no_superuser_has_no_right_to_any_of_our_models(cast, staff):
    request = RequestFactory().get("/")
    for user in (staff, cast.lead, User(is_superuser=True, is_active=False)):
        request.user = user
        for model in OURS:
            assert set(admin.site._registry[model].get_model_perms(request).values()) == {False}


def test_who_is_not_signed_in_goes_to_the_sign_in_page(client, db):
    for model in REGISTERED:
        response = client.get(url_of(model), follow=True)
        assert response.redirect_chain[-1][0].startswith("/accounts/login/")


def test_there_is_one_door_and_it_lets_superusers_in(cast, client, sign_in):
    door = reverse("admin:login")
    assert client.get(f"{door}?next=/admin/customers/user/")["Location"].startswith(
        "/accounts/login/?next=/admin/customers"
    )
    assert sign_in(cast.lead).get(door).status_code == 403
    assert sign_in(cast.root).get(door)["Location"] == reverse("admin:index")


def test_what_is_read_only_cannot_be_added_changed_or_deleted(cast, root, viewer_of):
    audit.record(viewer_of(cast.lead), "personal.shown")
    entry = AuditEntry.objects.get()
    for model in READ_ONLY:
        assert root.get(url_of(model, "add")).status_code == 403
    assert root.post(url_of(AuditEntry, "change", entry.pk), {"action": "x"}).status_code == 403
    assert root.post(url_of(AuditEntry, "delete", entry.pk), {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [str(entry.pk)], "post": "yes"}
    root.post(url_of(AuditEntry), data)
    assert AuditEntry.objects.filter(action="personal.shown").exists()


def test_the_audit_is_looked_at_without_values(cast, root, sign_in, anna):
    sign_in(cast.lead).get(f"/w/{cast.workspace.slug}/customers/{anna}/")
    client = sign_in(cast.root)
    entry = AuditEntry.objects.get(action="personal.shown")
    for page in (url_of(AuditEntry), url_of(AuditEntry, "change", entry.pk)):
        response = client.get(page)
        assert response.status_code == 200 and "personal.shown" in text_of(response)
        assert not given_away(response, PRIVATE_VALUES)


# --- Look-ups ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "query"),
    [
        ("customers.User", "email__startswith=a"),
        ("customers.User", "password__startswith=pbkdf2"),
        ("customers.User", "last_name__regex=."),
        ("customers.User", "groups__user__email__startswith=a"),
        ("customers.Token", "digest__startswith=a"),
        ("customers.Token", "user__password__startswith=a"),
        ("mfa.Authenticator", "data__secret__startswith=a"),
        ("customers.AuditEntry", "data__names__contains=email"),
        ("customers.AuditEntry", "customer_ids__contains=x"),
        ("customers.PropertyDefinition", "workspace__token__digest__startswith=a"),
        ("customers.Workspace", "name__startswith=S"),
        ("segments.Segment", "workspace__name__startswith=S"),
        ("tracking.EventDefinition", "name__startswith=S"),
    ],
)
def test_only_what_the_page_offers_can_be_filtered_by(root, label, query):
    assert root.get(f"{url_of(apps.get_model(label))}?{query}").status_code == 400


def test_the_filters_of_the_pages_work(cast, root):
    workspace = cast.workspace.pk
    for label, query in [
        ("customers.User", "is_active__exact=1"),
        ("customers.User", "groups__isnull=True"),
        ("customers.AuditEntry", "action=personal.shown"),
        ("customers.AuditEntry", "face=ui"),
        ("customers.IdentifierKind", f"workspace__id__exact={workspace}"),
        ("customers.PropertyDefinition", f"data_class=1&workspace__id__exact={workspace}"),
        ("segments.Segment", "kind__exact=manual"),
        ("tracking.EventDefinition", "kind=event"),
    ]:
        assert root.get(f"{url_of(apps.get_model(label))}?{query}").status_code == 200, (label, query)


def test_no_page_of_ours_counts_by_facet_or_completes_what_is_typed(root):
    for model in OURS:
        assert admin.site._registry[model].show_facets is ShowFacets.NEVER
        assert not admin.site._registry[model].autocomplete_fields


def test_who_asks_for_completions_gets_names_of_colleagues_at_most(cast, root, anna):
    asked = {"app_label": "customers", "model_name": "token", "field_name": "user", "term": "lea"}
    response = root.get("/admin/autocomplete/", asked)
    assert response.json()["results"] == [{"id": str(cast.lead.pk), "text": "lead"}]
    assert root.get("/admin/autocomplete/", asked | {"field_name": "workspace"}).status_code == 404


def test_only_names_of_colleagues_can_be_searched():
    assert {model._meta.label: admin.site._registry[model].search_fields for model in OURS} == {
        label: ("username",) if label == "customers.User" else () for label in labels(OURS)
    }


# --- Secrets -----------------------------------------------------------------------------------


def test_neither_tokens_nor_second_factors_nor_sessions_show_their_secret(cast, root):
    token = Token.objects.create(
        user=cast.lead, workspace=cast.workspace, name="web", face="track", digest=b"canary-digest",
        expires_at=timezone.now(),
    )  # fmt: skip
    factor = Authenticator.objects.create(user=cast.lead, type="totp", data={"secret": "canary-seed"})
    for page in (url_of(Token, "change", token.pk), url_of(Authenticator, "change", factor.pk), url_of(Authenticator)):
        response = root.get(page)
        assert response.status_code == 200 and "canary" not in text_of(response)
    assert root.post(url_of(Authenticator, "delete", factor.pk), {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.exists()
    assert "usersessions" not in {model._meta.app_label for model in REGISTERED}


# --- Content-Security-Policy -------------------------------------------------------------------


class Forbidden(HTMLParser):
    """Whatever a policy without ``unsafe-…`` keeps the browser from running."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        is_script = tag == "script" and given.get("type", "") in {"", "module", "text/javascript"}
        if tag == "style" or (is_script and "src" not in given) or "style" in given:
            self.found.append((tag, attrs))
        for name, value in given.items():
            is_foreign = name in {"src", "href", "action"} and value.startswith(
                ("http:", "https:", "//", "javascript:")
            )
            if name.startswith("on") or is_foreign:
                self.found.append((tag, attrs))


@pytest.mark.slow  # two pages of each of twenty models
def test_every_page_renders_under_the_policy(cast, root):
    content_type = ContentType.objects.get_for_model(User)
    pages = [reverse("admin:index"), reverse("admin:app_list", args=["customers"]), reverse("admin:password_change")]
    pages += [page for model in REGISTERED for page in (url_of(model), url_of(model, "add"))]
    pages += [url_of(User, name, cast.lead.pk) for name in ("change", "history", "delete")]
    pages += [reverse("admin:auth_user_password_change", args=[cast.lead.pk]), f"/admin/r/{content_type.pk}/1/"]
    seen = 0
    for page in pages:
        response = root.get(page)
        assert response.status_code in {200, 302, 403, 404}, page
        assert is_kept_private(response) and "unsafe" not in response["Content-Security-Policy"], page
        assert Forbidden(text_of(response)).found == [], page
        seen += response.status_code == 200
    assert seen > len(REGISTERED)
