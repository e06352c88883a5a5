"""The front door, the health check and the preferences."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import DatabaseError
from django.test import Client

from customers.models import WorkspaceGroupGrant
from rolodesk import database
from tests.factories import grant, make_user, make_workspace
from tests.pages import HTMX, is_kept_private, text_of

# --- Home --------------------------------------------------------------------------------------


def test_the_front_door_leads_to_the_first_workspace_by_name(cast, sign_in):
    grant(cast.lead, make_workspace("Bakery"), "view_workspace")
    grant(cast.lead, cast.elsewhere, "view_workspace")
    response = sign_in(cast.lead).get("/")
    assert response.status_code == 302
    page = text_of(sign_in(cast.lead).get(response["Location"]))
    assert 'aria-label="Workspace: Bakery"' in page
    assert page.index(">Bakery<") < page.index(">Elsewhere<") < page.index(">Shop<")


def test_a_workspace_without_the_right_to_open_it_is_not_offered(cast, sign_in):
    grant(cast.support, cast.elsewhere, "view_personal")
    response = sign_in(cast.support).get("/", follow=True)
    assert "Shop" in text_of(response) and "Elsewhere" not in text_of(response)


def test_a_grant_by_group_opens_the_front_door(cast, sign_in):
    user, group = make_user(), Group.objects.create(name="night shift")
    user.groups.add(group)
    permission = Permission.objects.get(codename="view_workspace", content_type__app_label="customers")
    WorkspaceGroupGrant.objects.create(group=group, permission=permission, content_object=cast.workspace)
    assert sign_in(user).get("/")["Location"] == f"/w/{cast.workspace.slug}/customers/"


def test_a_superuser_may_open_every_workspace(cast, sign_in):
    page = text_of(sign_in(cast.root).get("/", follow=True))
    assert ">Elsewhere<" in page and ">Shop<" in page


def test_who_has_no_workspace_is_told_so(cast, sign_in):
    response = sign_in(make_user()).get("/")
    assert response.status_code == 403 and "Nobody has given you access" in text_of(response)
    assert "Shop" not in text_of(response)


def test_who_is_not_signed_in_goes_to_the_sign_in_page(client, db):
    assert client.get("/")["Location"] == "/accounts/login/?next=/"


def test_the_front_door_is_only_read(cast, sign_in):
    assert sign_in(cast.lead).post("/").status_code == 405


# --- Health ------------------------------------------------------------------------------------


def test_the_health_check_needs_no_sign_in_and_says_no_more_than_ok(client, db):
    response = client.get("/health/")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert is_kept_private(response)


class Unreachable:
    def cursor(self):
        raise DatabaseError("server closed the connection: canary")


def test_the_health_check_says_when_the_database_is_gone_and_not_why(client, db, monkeypatch):
    monkeypatch.setattr(database, "connections", {"default": Unreachable()})
    response = client.get("/health/")
    assert (response.status_code, response.json()) == (503, {"status": "unavailable"})


def test_the_health_check_is_only_read(client, db):
    assert client.post("/health/").status_code == 405


# --- Preferences -------------------------------------------------------------------------------


def preferences_of(user):
    user.refresh_from_db()
    return user.theme, user.density, user.has_shortcuts


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ({"theme": "dark"}, ("dark", "comfortable", True)),
        ({"density": "compact"}, ("auto", "compact", True)),
        ({"shortcuts": "off"}, ("auto", "comfortable", False)),
        ({"theme": "light", "density": "compact", "shortcuts": "off"}, ("light", "compact", False)),
        ({}, ("auto", "comfortable", True)),
        ({"theme": "pink", "density": "compact"}, ("auto", "comfortable", True)),
        ({"theme": "dark\0"}, ("auto", "comfortable", True)),
    ],
)
def test_preferences_keep_what_is_left_out_and_refuse_what_is_unknown(cast, sign_in, data, wanted):
    assert sign_in(cast.support).post("/preferences/", data)["Location"] == "/"
    assert preferences_of(cast.support) == wanted
    assert preferences_of(cast.lead) == ("auto", "comfortable", True)


def test_shortcuts_can_be_switched_on_again(cast, sign_in):
    client = sign_in(cast.support)
    for word, wanted in (("off", False), ("on", True)):
        client.post("/preferences/", {"shortcuts": word})
        assert preferences_of(cast.support)[2] is wanted


def test_the_page_looks_as_its_reader_likes_it(cast, sign_in):
    client = sign_in(cast.support)
    client.post("/preferences/", {"theme": "dark", "density": "compact", "shortcuts": "off"})
    page = text_of(client.get("/", follow=True))
    for mark in ('data-theme="dark"', 'data-density="compact"', 'data-shortcuts="off"'):
        assert mark in page


def test_saving_leads_back_to_where_the_person_was(cast, sign_in):
    place = f"/w/{cast.workspace.slug}/customers/?v=abc"
    assert sign_in(cast.support).post("/preferences/", {"theme": "dark", "next": place})["Location"] == place


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example", "http:evil.example", ""],
)
def test_saving_never_leads_to_another_site(cast, sign_in, target):
    assert sign_in(cast.support).post("/preferences/", {"next": target})["Location"] == "/"


def test_preferences_need_a_sign_in_a_post_and_a_token(cast, client, sign_in):
    assert client.post("/preferences/", {"theme": "dark"})["Location"].startswith("/accounts/login/")
    assert sign_in(cast.support).get("/preferences/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.support, backend="allauth.account.auth_backends.AuthenticationBackend")
    response = strict.post("/preferences/", {"theme": "dark"}, headers=HTMX)
    assert response.status_code == 403 and preferences_of(cast.support)[0] == "auto"
    assert text_of(response) and is_kept_private(response)
