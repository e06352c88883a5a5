"""The pages of the quarantine."""

import re

import pytest

from customers import paging
from customers.models import AuditEntry
from tests.factories import grant, make_quarantined
from tests.pages import HTMX, given_away, is_kept_private, is_whole, text_of
from tracking import quarantine
from tracking.intake.operations import Identify, Ref, Track
from tracking.models import InboxItem, IntakeTotal, QuarantinedItem
from tracking.services import quarantine as service

CANARIES = ["canary@x.example", "Canarius"]
CUSTOMER = Identify(Ref("email", "canary@x.example"), properties={"name": "Canarius"})


@pytest.fixture
def url(cast):
    return f"/w/{cast.workspace.slug}/quarantine/"


@pytest.fixture
def lead(cast, sign_in):
    return sign_in(cast.lead)


@pytest.fixture
def item(cast):
    return make_quarantined(cast.workspace, CUSTOMER, reason="absurd_time")


def words(text):
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


# --- The list ----------------------------------------------------------------------------------


def test_the_list_tells_what_was_set_aside_and_why(lead, url, item):
    response = lead.get(url)
    assert response.status_code == 200 and is_whole(response) and is_kept_private(response)
    text = words(text_of(response))
    assert "Create or change a customer" in text and "Its time lies outside of all sense" in text
    assert f"{url}{item.pk}/" in text_of(response)
    assert given_away(response, CANARIES) == []


def test_an_empty_quarantine_says_so(lead, url):
    assert "Nothing is set aside" in text_of(lead.get(url))


def test_the_figures_stand_in_one_line_each(cast, lead, url):
    day = "2020-01-01"
    IntakeTotal.objects.create(
        workspace_id=cast.workspace.pk, day=day, slot=0,
        accepted=1234, applied=1200, duplicate=20, suppressed=3, ignored=4, quarantined=7,
    )  # fmt: skip
    InboxItem.objects.create(
        workspace_id=cast.workspace.pk, route="track", n=5, received_at=f"{day}T00:00Z", raw_body=""
    )
    text = words(text_of(lead.get(url)))
    line = "1,239 accepted = 1,200 applied + 20 repeated + 3 suppressed + 4 without effect + 7 set aside + 5 waiting"
    assert f"In all {line}" in text
    assert "Today 5 accepted = 0 applied" in text and "do not add up" not in text
    assert "counts as accepted anew, and stays counted as set aside; 0 of these are still here" in text


def test_figures_that_do_not_add_up_raise_an_alarm(cast, lead, url):
    zero = dict.fromkeys(("applied", "duplicate", "suppressed", "ignored", "quarantined"), 0)
    IntakeTotal.objects.create(workspace_id=cast.workspace.pk, day="2020-01-01", slot=0, accepted=1, **zero)
    assert "The figures do not add up" in text_of(lead.get(url))


def test_more_rows_come_alone(cast, lead, url, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 1)
    for _ in range(2):
        make_quarantined(cast.workspace, CUSTOMER)
    (more,) = re.findall(r'hx-get="([^"]+)"', text_of(lead.get(url)))
    more = more.replace("&amp;", "&")
    response = lead.get(more, headers=HTMX)
    assert not is_whole(response) and "<tr>" in text_of(response) and "equation" not in text_of(response)
    assert is_whole(lead.get(more))
    assert lead.get(f"{url}?after=forged").status_code == 410


def test_the_entry_of_the_navigation_counts(cast, lead, url, item):
    rail = (
        text_of(lead.get(f"/w/{cast.workspace.slug}/customers/"))
        .partition('aria-label="Main"')[2]
        .partition("</nav>")[0]
    )
    assert url in rail and '<span class="tally" title="waiting">1</span>' in rail
    assert rail.count('aria-current="page"') == 1
    here = text_of(lead.get(url)).partition('aria-label="Main"')[2].partition("</nav>")[0]
    assert re.search(rf'href="{url}"[^>]*aria-current="page"', here) and here.count("aria-current") == 1


def test_without_the_permission_there_is_no_entry(cast, sign_in, url, item):
    assert url not in text_of(sign_in(cast.support).get(f"/w/{cast.workspace.slug}/customers/"))


# --- One operation -----------------------------------------------------------------------------


def test_the_detail_masks_every_value(lead, url, item):
    response = lead.get(f"{url}{item.pk}/")
    assert response.status_code == 200 and is_kept_private(response)
    assert given_away(response, CANARIES) == [] and text_of(response).count("******") == 2
    assert "Who: E-mail" in text_of(response).replace("<wbr>", "") and not AuditEntry.objects.exists()


def test_with_sensitive_rights_the_detail_shows_them(cast, sign_in, url, item):
    grant(cast.privacy, cast.workspace, "edit")
    response = sign_in(cast.privacy).get(f"{url}{item.pk}/")
    assert sorted(given_away(response, CANARIES)) == CANARIES[::-1]
    assert AuditEntry.objects.filter(action="personal.shown").count() == 1


def test_what_is_not_readable_is_told_by_its_size_to_who_sees_sensitive_data(cast, lead, url):
    row = make_quarantined(cast.workspace, raw_body="{canary", reason="unreadable")
    text = text_of(lead.get(f"{url}{row.pk}/"))
    assert "Not readable" in text and "bytes" not in text and "canary" not in text
    grant(cast.lead, cast.workspace, "view_sensitive")
    text = text_of(lead.get(f"{url}{row.pk}/"))
    assert "7 bytes" in text and "canary" not in text


@pytest.mark.parametrize("number", ["0", "99999999", "9" * 40])
def test_an_unknown_operation_is_not_found(lead, url, number):
    assert lead.get(f"{url}{number}/").status_code == 404


# --- Actions -----------------------------------------------------------------------------------


def said(response):
    text = text_of(response).partition('class="toasts"')[2].partition("</main>")[0]
    return words(text.partition(">")[2])


def test_one_operation_is_tried_again(lead, url, item):
    response = lead.post(f"{url}redrive/", {"item": item.pk}, follow=True)
    assert response.redirect_chain == [(url, 302)]
    assert said(response) == "1 operation will be tried again."
    assert InboxItem.objects.count() == 1 and not QuarantinedItem.objects.exists()


def test_all_of_a_reason_are_thrown_away(cast, lead, url, monkeypatch):
    for _ in range(3):
        make_quarantined(cast.workspace, CUSTOMER, reason="absurd_time")
    monkeypatch.setattr(service, "MOST", 2)
    response = lead.post(f"{url}discard/", {"reason": "absurd_time"}, follow=True)
    assert said(response) == "2 operations were thrown away. 1 of this reason are left."
    assert said(lead.post(f"{url}discard/", {"reason": "absurd_time"}, follow=True)) == "1 operation was thrown away."


def test_what_cannot_be_read_stays_and_the_answer_says_so(cast, lead, url):
    row = make_quarantined(cast.workspace, raw_body="{", reason="unreadable")
    response = lead.post(f"{url}redrive/", {"item": row.pk}, follow=True)
    assert said(response) == "1 cannot be read by this version and stayed."


def test_who_comes_second_is_told(lead, url, item):
    for expected in ("1 operation was thrown away.", "Nothing was left to do: somebody else was first."):
        assert said(lead.post(f"{url}discard/", {"item": item.pk}, follow=True)) == expected


@pytest.mark.parametrize("action", ["redrive", "discard"])
@pytest.mark.parametrize(
    "body", [{}, {"item": "1", "reason": "x"}, {"item": "none"}, {"item": "0"}, {"reason": "x" * 61}, {"item": ""}]
)
def test_a_choice_that_is_none_changes_nothing(lead, url, item, action, body):
    assert lead.post(f"{url}{action}/", body).status_code == 422
    assert QuarantinedItem.objects.count() == 1


@pytest.mark.parametrize("action", ["redrive", "discard"])
def test_actions_are_posts(lead, url, item, action):
    assert lead.get(f"{url}{action}/").status_code == 405


def test_discarding_is_asked_for_twice_and_says_what_happens(cast, lead, url, item):
    for page in (url, f"{url}{item.pk}/"):
        before, _, rest = text_of(lead.get(page)).partition('<dialog class="dialog"\n          id="discard-1"')
        dialog, _, after = rest.partition("</dialog>")
        assert "This cannot be taken back" in dialog and f'action="{url}discard/"' in dialog
        assert f'action="{url}discard/"' not in before + after


# --- Who may -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"), [("support", 403), ("privacy", 403), ("outsider", 404), ("root", 200), ("lead", 200)]
)
def test_the_pages_are_for_people_who_may_edit(cast, sign_in, url, item, who, status):
    client = sign_in(getattr(cast, who))
    assert [client.get(page).status_code for page in (url, f"{url}{item.pk}/")] == [status, status]
    answers = [client.post(f"{url}{action}/", {"item": item.pk}).status_code for action in ("redrive", "discard")]
    assert answers == [302 if status == 200 else status] * 2


def test_strangers_are_sent_to_sign_in(client, url, item):
    for page in (url, f"{url}{item.pk}/"):
        assert client.get(page)["Location"].startswith("/accounts/login/")


def test_every_kind_has_a_page(cast, lead, url):
    row = make_quarantined(cast.workspace, Track(Ref("email", "a@x.example"), "x"))
    assert quarantine.KINDS["track"] in text_of(lead.get(f"{url}{row.pk}/"))
