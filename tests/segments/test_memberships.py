"""The read gate for memberships."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from customers.access import Viewer
from customers.models import Customer
from segments import memberships
from segments.models import Segment, SegmentMember, SegmentUserGrant
from tests.factories import grant, grant_on_segment, make_customer, make_segment

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def names(viewer, customer):
    return [one.name for one in memberships.of_customers(viewer, [customer])[customer]]


def test_memberships_are_told_newest_first_with_kind_and_time(cast, viewer_of, anna):
    for hours, (name, kind) in enumerate((("Regulars", "manual"), ("Spenders", "dynamic"))):
        segment = make_segment(cast.workspace, name, kind=kind)
        at = NOON + timedelta(hours=hours)
        SegmentMember.objects.create(segment_id=segment.pk, customer_id=anna, entered_at=at)
    (newer, older) = memberships.of_customers(viewer_of(cast.support), [anna])[anna]
    assert (newer.name, newer.kind, newer.entered_at) == ("Spenders", "dynamic", NOON + timedelta(hours=1))
    assert (older.name, older.kind, older.entered_at) == ("Regulars", "manual", NOON)
    assert older.segment_id == Segment.objects.get(name="Regulars").pk


def test_a_customer_in_no_segment_has_an_empty_list(cast, viewer_of, anna):
    make_segment(cast.workspace, "Strangers", make_customer(cast.workspace))
    assert memberships.of_customers(viewer_of(cast.support), [anna]) == {anna: []}


@pytest.mark.parametrize(
    ("data_class", "knows"),
    [(0, ["support", "lead", "privacy", "root"]), (1, ["lead", "privacy", "root"]), (2, ["privacy", "root"]), (3, [])],
)
def test_a_segment_above_the_class_of_the_viewer_does_not_exist_for_him(cast, viewer_of, anna, data_class, knows):
    make_segment(cast.workspace, "Hidden", anna, data_class=data_class)
    make_segment(cast.workspace, "Open", anna)
    for name in ("support", "lead", "privacy", "root"):
        wanted = {"Open", "Hidden"} if name in knows else {"Open"}
        assert set(names(viewer_of(getattr(cast, name)), anna)) == wanted, name


def test_a_grant_on_one_segment_does_not_reveal_another(cast, viewer_of, anna):
    make_segment(cast.workspace, "Hidden", anna, data_class=1)
    grant_on_segment(cast.support, make_segment(cast.workspace, "Queue", anna, is_access_scope=True))
    assert names(viewer_of(cast.support), anna) == ["Queue"]


def test_a_token_knows_only_segments_that_its_scopes_cover(cast, viewer_of, anna):
    make_segment(cast.workspace, "Hidden", anna, data_class=1)
    person = viewer_of(cast.lead)
    for scopes, wanted in ((frozenset(), []), (frozenset(["pii:personal"]), ["Hidden"])):
        token = Viewer(
            person.workspace_id, "app", "request", user_id=person.user_id, permissions=person.permissions,
            grants=person.grants, token_scopes=scopes,
        )  # fmt: skip
        assert names(token, anna) == wanted


@pytest.mark.parametrize("state", ["merged", "deleted"])
def test_a_customer_that_is_gone_is_in_no_segment(cast, viewer_of, anna, state):
    make_segment(cast.workspace, "Regulars", anna)
    Customer.objects.filter(pk=anna).update(state=state)
    assert memberships.of_customers(viewer_of(cast.privacy), [anna]) == {}


def test_unknown_and_foreign_customers_are_equally_absent(cast, viewer_of, anna):
    make_segment(cast.workspace, "Regulars", anna)
    assert memberships.of_customers(viewer_of(cast.outsider, cast.elsewhere), [anna, uuid4()]) == {}


def test_segments_of_another_workspace_are_never_told(cast, viewer_of, anna):
    make_segment(cast.elsewhere, "Foreign", anna)
    assert names(viewer_of(cast.root), anna) == []


def test_each_customer_gets_his_own_segments_in_a_fixed_number_of_statements(
    cast, viewer_of, django_assert_num_queries
):
    viewer = viewer_of(cast.support)
    for rows in (1, 10, 50):
        ids = [make_customer(cast.workspace) for _ in range(rows)]
        make_segment(cast.workspace, f"First of {rows}", ids[0])
        make_segment(cast.workspace, f"All {rows}", *ids)
        with django_assert_num_queries(3):
            found = memberships.of_customers(viewer, ids)
        assert {one.name for one in found[ids[0]]} == {f"First of {rows}", f"All {rows}"}
        assert all([one.name for one in found[id_]] == [f"All {rows}"] for id_ in ids[1:])


def test_the_system_knows_every_segment(cast, anna):
    make_segment(cast.workspace, "Hidden", anna, data_class=2)
    assert names(Viewer.system(workspace_id=cast.workspace.pk, reason="recompute"), anna) == ["Hidden"]


# --- Segments as a source of permission --------------------------------------------------------


def test_the_highest_grant_on_a_segment_counts(cast, viewer_of, anna):
    segment = make_segment(cast.workspace, "Queue", anna, is_access_scope=True)
    for codename in ("view_sensitive_in_segment", "view_personal_in_segment"):
        grant_on_segment(cast.support, segment, codename)
    (_, found) = viewer_of(cast.support).grants
    assert found.highest == ((segment.pk, 2),)


def test_another_permission_on_a_segment_opens_nothing(cast, viewer_of, anna):
    from customers import access

    segment = make_segment(cast.workspace, "Queue", anna, is_access_scope=True)
    grant_on_segment(cast.support, segment)
    grant(cast.outsider, cast.workspace, "view_workspace")
    other = SegmentUserGrant.objects.get().permission.content_type.permission_set.create(codename="other", name="Other")
    SegmentUserGrant.objects.update(permission=other)
    assert access.clearances(viewer_of(cast.support), [anna])[anna].classes == {0}
