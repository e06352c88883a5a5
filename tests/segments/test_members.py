"""Making segments and changing their members."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rolodesk.errors import InvalidInput, NotFound
from segments.models import Segment, SegmentChange, SegmentMember
from segments.services.members import add_members, remove_members
from segments.services.segments import create_segment, find_segment
from tests.factories import make_customer, make_segment, make_workspace

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def test_a_segment_is_created_empty_and_can_be_found() -> None:
    workspace = make_workspace()
    number = create_segment(workspace_id=workspace.pk, name=" Regulars ", is_access_scope=True)
    segment = Segment.objects.get(pk=number)
    assert (segment.name, segment.kind, segment.is_access_scope) == ("Regulars", "manual", True)
    assert find_segment(workspace_id=workspace.pk, name="Regulars") == number
    assert find_segment(workspace_id=make_workspace("Other").pk, name="Regulars") is None


@pytest.mark.parametrize(("name", "kind"), [("", "manual"), ("x" * 121, "manual"), ("Regulars", "magic")])
def test_a_segment_needs_a_name_and_a_known_kind(name: str, kind: str) -> None:
    with pytest.raises(InvalidInput):
        create_segment(workspace_id=make_workspace().pk, name=name, kind=kind)


def test_a_name_is_taken_once_in_a_workspace() -> None:
    workspace = make_workspace()
    create_segment(workspace_id=workspace.pk, name="Regulars")
    with pytest.raises(InvalidInput):
        create_segment(workspace_id=workspace.pk, name="Regulars")
    with pytest.raises(NotFound):
        create_segment(workspace_id=0, name="Regulars")


def test_members_come_in_once_and_each_change_is_written() -> None:
    workspace = make_workspace()
    customers = [make_customer(workspace) for _ in range(3)]
    segment = make_segment(workspace)
    assert add_members(segment_id=segment.pk, customer_ids=customers[:2], at=NOW) == 2
    assert add_members(segment_id=segment.pk, customer_ids=customers, at=NOW + timedelta(seconds=1)) == 1
    assert SegmentMember.objects.filter(segment_id=segment.pk).count() == 3
    changes = SegmentChange.objects.filter(segment_id=segment.pk)
    assert [change.entered for change in changes] == [True] * 3


def test_members_go_and_each_change_is_written() -> None:
    workspace = make_workspace()
    stays, goes = make_customer(workspace), make_customer(workspace)
    segment = make_segment(workspace, "Regulars", stays, goes)
    assert remove_members(segment_id=segment.pk, customer_ids=[goes, uuid4()], at=NOW) == 1
    assert SegmentMember.objects.get(segment_id=segment.pk).customer_id == stays
    change = SegmentChange.objects.get(segment_id=segment.pk)
    assert (change.customer_id, change.entered) == (goes, False)


def test_in_and_out_at_the_same_moment_ends_as_the_last_said() -> None:
    workspace = make_workspace()
    customer, segment = make_customer(workspace), make_segment(workspace)
    add_members(segment_id=segment.pk, customer_ids=[customer], at=NOW)
    remove_members(segment_id=segment.pk, customer_ids=[customer], at=NOW)
    assert not SegmentMember.objects.exists()
    assert SegmentChange.objects.get().entered is False


def test_nobody_comes_in_from_another_workspace_or_from_the_dead() -> None:
    workspace = make_workspace()
    segment = make_segment(workspace)
    strangers = [
        make_customer(make_workspace("Other")),
        make_customer(workspace, state="merged", merged_into=uuid4()),
        make_customer(workspace, state="deleted"),
        uuid4(),
    ]
    assert add_members(segment_id=segment.pk, customer_ids=strangers, at=NOW) == 0
    assert not SegmentMember.objects.exists()
    assert not SegmentChange.objects.exists()


def test_only_manual_segments_are_changed_by_hand() -> None:
    workspace = make_workspace()
    segment = make_segment(workspace, kind="dynamic")
    with pytest.raises(InvalidInput):
        add_members(segment_id=segment.pk, customer_ids=[], at=NOW)
    with pytest.raises(NotFound):
        remove_members(segment_id=0, customer_ids=[], at=NOW)


def test_the_number_of_statements_does_not_grow_with_the_members() -> None:
    workspace = make_workspace()
    counts = []
    for size in (1, 30):
        segment = make_segment(workspace, f"Of {size}")
        customers = [make_customer(workspace) for _ in range(size)]
        with CaptureQueriesContext(connection) as queries:
            add_members(segment_id=segment.pk, customer_ids=customers, at=NOW)
        counts.append(len(queries))
    assert counts[0] == counts[1]
