"""Finding people: exact for everybody, by part only over what the viewer sees."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers import search
from customers.identifiers import suppression_digest
from customers.models import AuditEntry, Customer, IdentifierKind, SuppressedIdentifier
from rolodesk import sealing
from rolodesk.errors import HandleRefused, TooManyLookups
from tests.factories import declare, grant_on_segment, make_customer, make_segment


def found(page):
    return {group.label: [row.id for row in group.rows] for group in page.groups}


def test_a_lead_finds_by_part_of_a_name_whatever_case_and_accents(cast, viewer_of):
    per = make_customer(cast.workspace, properties={"name": "Per-Åke Lindqvist"})
    for text in ("lindq", "LINDQVIST", "per-ake", "åke"):
        assert found(search.find(viewer_of(cast.lead), text)) == {"Partial matches": [per]}


def test_support_finds_a_whole_email_but_no_part_of_it(cast, viewer_of, anna):
    viewer = viewer_of(cast.support)
    assert found(search.find(viewer, "Anna.Canary@fjord.example")) == {"Exact identifier": [anna]}
    for part in ("anna.canary", "anna.canary@fjord", "canary@fjord.example", "Anna Canarius", "fjord"):
        assert found(search.find(viewer, part)) == {}


def test_everybody_finds_the_beginning_of_a_public_identifier(cast, viewer_of, anna):
    assert found(search.find(viewer_of(cast.support), "nl-2041")) == {"Partial matches": [anna]}
    assert found(search.find(viewer_of(cast.support), "2041")) == {}


def test_a_phone_number_is_found_in_any_spelling(cast, viewer_of, anna):
    assert found(search.find(viewer_of(cast.support), "+49 30 23125 0881")) == {"Exact identifier": [anna]}


def test_a_grant_on_a_segment_opens_search_by_part_over_its_members_only(cast, viewer_of, anna):
    make_customer(cast.workspace, properties={"name": "Anna Canarius"})
    grant_on_segment(cast.support, make_segment(cast.workspace, "Queue", anna, is_access_scope=True))
    assert found(search.find(viewer_of(cast.support), "canarius")) == {"Partial matches": [anna]}


def test_a_restricted_customer_is_found_by_the_whole_identifier_only(cast, viewer_of, anna):
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    viewer = viewer_of(cast.lead)
    assert found(search.find(viewer, "canarius")) == {}
    assert found(search.find(viewer, "NL-20")) == {}
    assert found(search.find(viewer, "anna.canary@fjord.example")) == {"Exact identifier": [anna]}


def test_another_workspace_is_never_searched(cast, viewer_of, anna):
    viewer = viewer_of(cast.outsider, cast.elsewhere)
    for text in ("anna.canary@fjord.example", "canarius", "NL-204118"):
        assert found(search.find(viewer, text)) == {}


def test_looking_up_a_private_identifier_is_audited_with_a_digest(cast, viewer_of, anna):
    search.find(viewer_of(cast.support), "anna.canary@fjord.example")
    entry = AuditEntry.objects.get(action="identifier.lookup")
    assert entry.user_id == cast.support.pk
    assert "canary" not in str(entry.data)


def test_half_typed_addresses_cost_no_look_up(cast, viewer_of):
    viewer = viewer_of(cast.support)
    for text in ("a", "anna", "anna.canary", "anna.canary@", "anna.canary@fjord"):
        search.find(viewer, text)
    assert not AuditEntry.objects.exists()
    assert search.lookups_left(viewer) == 60


def test_look_ups_are_limited_by_the_minute(cast, viewer_of, settings):
    settings.LOOKUPS_PER_MINUTE = 3
    viewer = viewer_of(cast.support)
    for n in range(3):
        search.find(viewer, f"nobody{n}@x.example")
    with pytest.raises(TooManyLookups):
        search.find(viewer, "nobody@x.example")
    search.find(viewer_of(cast.lead), "nobody@x.example")  # who may see everything is not limited


def test_a_hit_and_a_miss_take_the_same_statements(cast, viewer_of, anna, django_assert_num_queries):
    viewer = viewer_of(cast.support)
    search.find(viewer, "warm@x.example")
    counts = []
    for text in ("anna.canary@fjord.example", "nobody.atall@fjord.example"):
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as queries:
            search.find(viewer, text)
        counts.append(len(queries))
    # The row of the hit is read and drawn; that it exists is what the look-up releases (D1).
    assert counts[0] - counts[1] <= 6


def test_the_list_pages_through_everybody_once(cast, viewer_of):
    now = timezone.now()
    everybody = [make_customer(cast.workspace, last_seen=now - timedelta(hours=n // 3)) for n in range(120)]
    viewer, cursor, seen = viewer_of(cast.support), "", []
    while True:
        page = search.listing(viewer, cursor)
        seen += [row.id for group in page.groups for row in group.rows]
        if not (cursor := page.next_cursor):
            break
    assert len(seen) == len(set(seen)) == 120
    assert set(seen) == set(everybody)
    assert page.total == 120


def test_search_results_page_through_everybody_once(cast, viewer_of):
    for n in range(70):
        make_customer(cast.workspace, properties={"name": f"Lindqvist {n}"})
    viewer, cursor, seen = viewer_of(cast.lead), "", []
    while True:
        page = search.find(viewer, "lindqvist", cursor)
        seen += [row.id for group in page.groups for row in group.rows]
        if not (cursor := page.next_cursor):
            break
    assert len(seen) == len(set(seen)) == 70


def test_who_was_found_exactly_is_not_repeated_on_a_later_page(cast, viewer_of):
    old = timezone.now() - timedelta(days=400)
    exact = make_customer(cast.workspace, identifiers={"external_id": "NL-1"}, last_seen=old)
    others = [make_customer(cast.workspace, identifiers={"external_id": f"NL-1{n:03}"}) for n in range(60)]
    viewer = viewer_of(cast.support)
    first = search.find(viewer, "NL-1")
    second = search.find(viewer, "NL-1", first.next_cursor)
    assert found(first)["Exact identifier"] == [exact]
    assert sorted(found(first)["Partial matches"] + found(second)["Partial matches"]) == sorted(others)
    assert (first.total, second.total, second.next_cursor) == (61, 61, "")


def test_a_further_page_costs_no_look_up(cast, viewer_of):
    kind = IdentifierKind.objects.get(workspace=cast.workspace, name="email")
    IdentifierKind.objects.filter(pk=kind.pk).update(data_class=0, is_searchable=True)
    IdentifierKind.objects.filter(workspace=cast.workspace, name="phone").update(normaliser="exact")
    for n in range(51):
        make_customer(cast.workspace, identifiers={"email": f"a@x.example{n:02}"})
    viewer = viewer_of(cast.support)
    first = search.find(viewer, "a@x.example")
    assert search.find(viewer, "a@x.example", first.next_cursor).shown_count == 1
    assert AuditEntry.objects.filter(action="identifier.lookup").count() == 1


def test_a_cursor_of_another_search_is_refused(cast, viewer_of):
    for n in range(51):
        make_customer(cast.workspace, properties={"name": f"Lindqvist {n}"})
    viewer = viewer_of(cast.lead)
    cursor = search.find(viewer, "lindqvist").next_cursor
    for call in (lambda: search.find(viewer, "lind", cursor), lambda: search.listing(viewer, cursor)):
        with pytest.raises(HandleRefused):
            call()


@pytest.mark.parametrize("value", [None, 5, "x", [], ["2026-05-04T12:00:00+00:00"], ["never", "x"], ["", "", ""]])
def test_a_cursor_of_another_form_is_refused(cast, viewer_of, settings, value):
    viewer = viewer_of(cast.support)
    with pytest.raises(HandleRefused):
        search.listing(viewer, sealing.seal(settings.CURSOR_KEY, search._binding(viewer), value))


def test_a_cursor_ends_after_a_day(cast, viewer_of, time_machine):
    for _ in range(51):
        make_customer(cast.workspace)
    cursor = search.listing(viewer_of(cast.support)).next_cursor
    time_machine.move_to(timezone.now() + timedelta(hours=24, minutes=1))
    with pytest.raises(HandleRefused):
        search.listing(viewer_of(cast.support), cursor)


def test_a_cursor_is_worth_nothing_to_somebody_else(cast, viewer_of):
    for _ in range(51):
        make_customer(cast.workspace)
    cursor = search.listing(viewer_of(cast.support)).next_cursor
    assert cursor
    for forged in (cursor[:-2], "x", cursor.swapcase()):
        with pytest.raises(HandleRefused):
            search.listing(viewer_of(cast.support), forged)
    with pytest.raises(HandleRefused):
        search.listing(viewer_of(cast.lead), cursor)


def test_merged_deleted_and_anonymous_customers_are_not_listed(cast, viewer_of):
    for state in ("merged", "deleted", "anonymous"):
        make_customer(cast.workspace, state=state)
    assert search.listing(viewer_of(cast.lead)).shown_count == 0


def test_a_suppressed_identifier_says_so_without_a_profile(cast, viewer_of):
    kind = IdentifierKind.objects.get(workspace=cast.workspace, name="email")
    digest = suppression_digest(cast.workspace.pk, kind.pk, "gone@x.example")
    at = timezone.now()
    SuppressedIdentifier.objects.create(workspace_id=cast.workspace.pk, kind_id=kind.pk, digest=digest, at=at)
    page = search.find(viewer_of(cast.support), "gone@x.example")
    assert (page.groups, page.suppressed_at) == ((), at)


@pytest.mark.parametrize("text", ["", "  ", "\u0301", "\t\n"])
def test_text_of_nothing_finds_nobody(cast, viewer_of, anna, text):
    page = search.find(viewer_of(cast.lead), text)
    assert (page.groups, page.total) == ((), 0)


def test_without_a_public_kind_only_whole_identifiers_are_found(cast, viewer_of, anna):
    IdentifierKind.objects.filter(workspace=cast.workspace).update(is_searchable=False)
    viewer = viewer_of(cast.support)
    assert found(search.find(viewer, "NL-2041")) == {}
    assert found(search.find(viewer, "NL-204118")) == {"Exact identifier": [anna]}


def test_a_kind_without_look_up_is_not_found_by_its_whole_value(cast, viewer_of, anna):
    IdentifierKind.objects.filter(workspace=cast.workspace, name="email").update(has_lookup=False)
    assert found(search.find(viewer_of(cast.support), "anna.canary@fjord.example")) == {}
    assert not AuditEntry.objects.exists()


def test_a_merged_customer_is_not_found_by_what_he_left_behind(cast, viewer_of, anna):
    Customer.objects.filter(pk=anna).update(state="merged")
    viewer = viewer_of(cast.lead)
    for text in ("anna.canary@fjord.example", "canarius", "NL-20"):
        assert found(search.find(viewer, text)) == {}


def test_look_ups_are_limited_by_the_day(cast, viewer_of, settings):
    settings.LOOKUPS_PER_DAY = 2
    viewer = viewer_of(cast.support)
    for n in range(2):
        search.find(viewer, f"nobody{n}@x.example")
        AuditEntry.objects.update(at=timezone.now() - timedelta(hours=1))
    assert search.lookups_left(viewer) == 0
    with pytest.raises(TooManyLookups):
        search.find(viewer, "nobody@x.example")


def test_percent_and_underscore_are_no_wildcards(cast, viewer_of):
    make_customer(cast.workspace, properties={"name": "Anything"})
    for text in ("%%%", "___", "any%"):
        assert found(search.find(viewer_of(cast.lead), text)) == {}


@pytest.mark.parametrize("text", ["\0\0\0", "'; DROP TABLE customer; --", "\\", "x" * 5000, "\ud83d", "🙂🙂🙂"])
def test_hostile_text_finds_nothing_and_breaks_nothing(cast, viewer_of, text):
    assert found(search.find(viewer_of(cast.lead), text)) == {}


def test_the_reason_of_a_match_names_only_what_the_viewer_sees(cast, viewer_of, anna):
    (group,) = search.find(viewer_of(cast.lead), "canar").groups
    assert group.rows[0].match_reason == "matched e-mail, name"


def test_a_match_in_what_the_row_does_not_show_is_explained_without_a_name(cast, viewer_of):
    declare(cast.workspace, "nickname", is_searchable=True)
    make_customer(cast.workspace, properties={"nickname": "Canary", "name": "Anna"})
    (group,) = search.find(viewer_of(cast.lead), "canary").groups
    assert group.rows[0].match_reason == "matched a property"


def test_what_is_sensitive_is_never_searched(cast, viewer_of, anna):
    for text in ("DE-CANARY", "canary-iban", "canary-pin"):
        assert found(search.find(viewer_of(cast.privacy), text)) == {}
