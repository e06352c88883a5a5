"""Stored searches: theirs who made them, in one workspace, for a day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers import access, handles
from customers.access import Viewer
from customers.models import SearchHandle
from customers.tasks import forget_expired_handles
from rolodesk import sealing
from rolodesk.errors import HandleRefused

QUERY = {"q": "anna.canary@fjord.example", "types": [1, 2], "since": None}


@pytest.fixture
def lead(cast, viewer_of):
    return viewer_of(cast.lead)


def test_a_query_comes_back_as_it_was_stored(lead):
    assert handles.load(lead, handles.store(lead, QUERY)) == QUERY


def test_handles_are_random_and_safe_in_an_address(lead):
    made = {handles.store(lead, QUERY) for _ in range(50)}
    assert len(made) == 50
    assert all(len(one) == 20 and one.replace("-", "").replace("_", "").isalnum() for one in made)


def test_what_is_stored_is_sealed_and_names_its_owner_only(cast, lead):
    handle = handles.store(lead, QUERY)
    row = SearchHandle.objects.get(pk=handle)
    assert (row.user_id, row.workspace_id) == (cast.lead.pk, cast.workspace.pk)
    assert b"canary" not in bytes(row.sealed) and str(row) == handle


def test_a_handle_opens_for_nobody_else_and_nowhere_else(cast, viewer_of, lead):
    handle = handles.store(lead, QUERY)
    strangers = [
        viewer_of(cast.support),
        viewer_of(cast.root),
        access.resolve(cast.lead, cast.elsewhere.pk, face="ui"),
        access.resolve(cast.lead, cast.workspace.pk, face="mcp"),
    ]
    for viewer in strangers:
        with pytest.raises(HandleRefused):
            handles.load(viewer, handle)


def test_a_handle_moved_to_another_owner_in_the_database_stays_shut(cast, viewer_of, lead):
    handle = handles.store(lead, QUERY)
    SearchHandle.objects.update(user_id=cast.support.pk)
    with pytest.raises(HandleRefused):
        handles.load(viewer_of(cast.support), handle)


@pytest.mark.parametrize(
    "handle", ["", "x", "x" * 20, "x" * 5000, "\0" * 20, "ünïcödé-handle-12345", "'; DROP TABLE x;--"]
)
def test_an_unknown_handle_is_refused(lead, handle):
    with pytest.raises(HandleRefused):
        handles.load(lead, handle)


def test_a_handle_works_for_a_day(lead):
    handle = handles.store(lead, QUERY)
    expires_at = SearchHandle.objects.get().expires_at
    assert timedelta(hours=23, minutes=59) < expires_at - timezone.now() <= timedelta(hours=24)
    SearchHandle.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(HandleRefused):
        handles.load(lead, handle)


def test_a_handle_whose_end_was_moved_is_still_refused_after_a_day(lead, time_machine):
    handle = handles.store(lead, QUERY)
    SearchHandle.objects.update(expires_at=timezone.now() + timedelta(days=30))
    time_machine.move_to(timezone.now() + timedelta(hours=24, minutes=1))
    with pytest.raises(HandleRefused):
        handles.load(lead, handle)


def test_a_handle_that_holds_no_query_is_refused(lead, settings):
    handle = handles.store(lead, QUERY)
    forged = sealing.seal(settings.APP_KEY, f"handle:{lead.binding}", ["no", "query"])
    SearchHandle.objects.update(sealed=forged.encode())
    with pytest.raises(HandleRefused):
        handles.load(lead, handle)


def test_the_system_has_no_handles(cast):
    system = Viewer.system(workspace_id=cast.workspace.pk, reason="recompute")
    handle = handles.store(system, QUERY)
    with pytest.raises(HandleRefused):
        handles.load(system, handle)


def test_only_expired_handles_are_forgotten(lead):
    kept, gone = handles.store(lead, QUERY), handles.store(lead, QUERY)
    SearchHandle.objects.filter(pk=gone).update(expires_at=timezone.now() - timedelta(seconds=1))
    forget_expired_handles()
    assert list(SearchHandle.objects.values_list("pk", flat=True)) == [kept]
    assert handles.forget_expired() == 0
