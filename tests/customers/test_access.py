"""The decision of the security specification, section 2: fixtures tt-… and an exhaustive table."""

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from django.utils import timezone

from customers import access
from customers.access import PERSONAL, PUBLIC, SECRET, SENSITIVE, Viewer
from customers.models import Customer, WorkspaceGroupGrant
from segments.models import SegmentMember
from tests.cast import Cast
from tests.factories import grant, grant_on_segment, make_customer, make_segment, make_user


def classes_of(viewer, customer):
    return set(access.clearances(viewer, [customer])[customer].classes)


def test_a_workspace_view_alone_shows_only_public_values(cast, viewer_of, anna):  # tt-01
    assert classes_of(viewer_of(cast.support), anna) == {PUBLIC}


def test_a_grant_on_the_workspace_shows_personal_values(cast, viewer_of, anna):  # tt-02
    assert classes_of(viewer_of(cast.lead), anna) == {PUBLIC, PERSONAL}


def test_a_grant_by_group_counts(cast, viewer_of, anna):  # tt-03
    group = Group.objects.create(name="reviewers")
    cast.support.groups.add(group)
    permission = Permission.objects.get(codename="view_personal", content_type__app_label="customers")
    WorkspaceGroupGrant.objects.create(group=group, permission=permission, content_object=cast.workspace)
    assert PERSONAL in classes_of(viewer_of(cast.support), anna)


def test_a_grant_on_a_segment_opens_its_current_members_only(cast, viewer_of, anna):  # tt-04, tt-05
    other = make_customer(cast.workspace)
    segment = make_segment(cast.workspace, "Phone queue", anna, is_access_scope=True)
    grant_on_segment(cast.support, segment)
    assert PERSONAL in classes_of(viewer_of(cast.support), anna)
    assert PERSONAL not in classes_of(viewer_of(cast.support), other)
    SegmentMember.objects.all().delete()
    assert PERSONAL not in classes_of(viewer_of(cast.support), anna)


def test_a_segment_that_is_no_access_scope_opens_nothing(cast, viewer_of, anna):  # tt-06
    grant_on_segment(cast.support, make_segment(cast.workspace, "Plain", anna))
    assert classes_of(viewer_of(cast.support), anna) == {PUBLIC}


def test_a_restricted_customer_hides_even_public_values_from_workspace_grants(cast, viewer_of, anna):  # tt-10, tt-25
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    for person in (cast.lead, cast.privacy, cast.root):
        assert classes_of(viewer_of(person), anna) == set()


def test_a_superuser_sees_personal_values_but_no_secrets(cast, viewer_of, anna):  # tt-15, tt-26
    assert classes_of(viewer_of(cast.root), anna) == {PUBLIC, PERSONAL, SENSITIVE}
    assert not access.clearances(viewer_of(cast.root), [anna])[anna].shows(SECRET)


def test_personal_does_not_open_sensitive_but_sensitive_opens_personal(cast, viewer_of, anna):  # tt-18, tt-19
    assert SENSITIVE not in classes_of(viewer_of(cast.lead), anna)
    assert {PERSONAL, SENSITIVE} <= classes_of(viewer_of(cast.privacy), anna)


@pytest.mark.parametrize(
    ("scopes", "shown"), [((), {PUBLIC}), (("pii:personal",), {PUBLIC, PERSONAL}), (("pii:sensitive",), {PUBLIC})]
)
def test_a_token_shows_what_its_user_and_its_scopes_both_allow(cast, viewer_of, anna, scopes, shown):  # tt-20..22
    user = viewer_of(cast.lead)
    token = Viewer(
        user.workspace_id, "app", "request", user_id=user.user_id, permissions=user.permissions, grants=user.grants,
        token_scopes=frozenset(scopes),
    )  # fmt: skip
    assert classes_of(token, anna) == shown


def test_rows_of_another_workspace_do_not_exist(cast, viewer_of, anna):  # tt-24
    assert access.clearances(viewer_of(cast.outsider, cast.elsewhere), [anna]) == {}


@dataclass(frozen=True)
class CustomerGrant:
    """A source that names single customers, as grants on a customer and breaking glass do."""

    customer: UUID
    highest: int
    is_customer_level: bool = True

    def covers(self, data_class):
        return Q(pk=self.customer) if data_class <= self.highest else access.FALSE


@pytest.mark.parametrize("is_restricted", [False, True])
def test_a_grant_that_names_the_customer_opens_him_restricted_or_not(cast, viewer_of, anna, is_restricted):  # tt-07, 12
    Customer.objects.filter(pk=anna).update(is_restricted=is_restricted)
    other = make_customer(cast.workspace, is_restricted=is_restricted)
    viewer = replace(viewer_of(cast.support), grants=(CustomerGrant(anna, PERSONAL),))
    assert classes_of(viewer, anna) == {PUBLIC, PERSONAL}
    assert classes_of(viewer, other) == (set() if is_restricted else {PUBLIC})


def test_a_grant_that_names_the_customer_adds_to_the_others(cast, viewer_of, anna):
    viewer = viewer_of(cast.lead)
    viewer = replace(viewer, grants=(*viewer.grants, CustomerGrant(anna, SENSITIVE)))
    assert classes_of(viewer, anna) == {PUBLIC, PERSONAL, SENSITIVE}
    assert classes_of(viewer, make_customer(cast.workspace)) == {PUBLIC, PERSONAL}


def test_a_token_without_the_scope_sees_nothing_of_a_restricted_customer(cast, viewer_of, anna):  # tt-23
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    viewer = replace(viewer_of(cast.lead), grants=(CustomerGrant(anna, PERSONAL),))
    for scopes, shown in ((frozenset(), set()), (frozenset(["pii:personal"]), {PUBLIC, PERSONAL})):
        assert classes_of(replace(viewer, token_scopes=scopes), anna) == shown


def test_no_condition_opens_a_secret(cast, viewer_of, anna):
    assert not Customer.objects.filter(access.sees(viewer_of(cast.root), SECRET)).exists()
    assert Customer.objects.filter(access.sees(viewer_of(cast.root), SENSITIVE)).exists()


def test_the_system_sees_everything_of_its_workspace_and_may_everything(cast, anna):
    system = Viewer.system(workspace_id=cast.workspace.pk, reason="recompute")
    assert classes_of(system, anna) == {PUBLIC, PERSONAL, SENSITIVE}
    assert system.may("erase") and system.sees_everywhere(SENSITIVE) and system.reason == "recompute"
    assert access.clearances(Viewer.system(workspace_id=cast.elsewhere.pk, reason="recompute"), [anna]) == {}


def test_a_viewer_says_nothing_of_his_grants_when_printed(cast, viewer_of):
    assert "Grant" not in repr(viewer_of(cast.lead))


@pytest.mark.parametrize("state", ["merged", "deleted"])
def test_a_customer_that_is_gone_shows_no_values(cast, viewer_of, anna, state):  # T2
    Customer.objects.filter(pk=anna).update(state=state)
    clearance = access.clearances(viewer_of(cast.privacy), [anna])[anna]
    assert not any(clearance.shows(data_class) for data_class in range(4))


def test_superusers_do_not_hold_break_glass_by_themselves(cast, viewer_of):
    assert not viewer_of(cast.root).may("break_glass")
    assert viewer_of(cast.root).may("erase")
    grant(cast.root, cast.workspace, "break_glass")
    assert viewer_of(cast.root).may("break_glass")


def reference(*, p, s_grant, member, scope, restricted, k):
    """The rules that sources P and S can reach, in plain Python."""
    if k == SECRET:
        return False
    if k == PUBLIC:
        return not restricted
    return not restricted and (p >= k or (s_grant >= k and member and scope))


def test_the_decision_agrees_with_the_reference_for_every_combination(cast, viewer_of):  # Q1, sources P and S
    customers = {}
    for member, scope, restricted in product((False, True), repeat=3):
        customer = make_customer(cast.workspace, is_restricted=restricted)
        segment = make_segment(cast.workspace, f"s{member}{scope}{restricted}", is_access_scope=scope)
        if member:
            SegmentMember.objects.create(segment_id=segment.pk, customer_id=customer, entered_at=timezone.now())
        customers[member, scope, restricted] = customer, segment
    checked = 0
    for p, s_grant in product((PUBLIC, PERSONAL, SENSITIVE), repeat=2):
        user = make_user()
        grant(user, cast.workspace, "view_workspace")
        grant(user, cast.workspace, *["view_personal", "view_sensitive"][p - 1 : p]) if p else None
        for _, segment in customers.values():
            if s_grant:
                name = "view_personal_in_segment" if s_grant == PERSONAL else "view_sensitive_in_segment"
                grant_on_segment(user, segment, name)
        decided = access.clearances(viewer_of(user), [customer for customer, _ in customers.values()])
        for (member, scope, restricted), (customer, _) in customers.items():
            for k in range(4):
                wanted = reference(p=p, s_grant=s_grant, member=member, scope=scope, restricted=restricted, k=k)
                assert decided[customer].shows(k) == wanted, (p, s_grant, member, scope, restricted, k)
                checked += 1
    assert checked == 9 * 8 * 4


def test_the_decision_for_a_page_is_one_statement(cast, viewer_of, django_assert_num_queries):
    viewer = viewer_of(cast.support)
    for rows in (1, 10, 100):
        ids = [make_customer(cast.workspace) for _ in range(rows)]
        with django_assert_num_queries(1):
            assert len(access.clearances(viewer, ids)) == rows


def test_a_deactivated_user_is_turned_away_at_once(client, cast: Cast, sign_in):  # tt-27
    page = sign_in(cast.lead)
    url = f"/w/{cast.workspace.slug}/customers/"
    assert page.get(url).status_code == 200
    cast.lead.is_active = False
    cast.lead.save()
    assert page.get(url).status_code == 302


def test_an_idle_session_ends(cast: Cast, sign_in, time_machine):
    page = sign_in(cast.lead)
    url = f"/w/{cast.workspace.slug}/customers/"
    assert page.get(url).status_code == 200
    time_machine.move_to(timezone.now() + timedelta(minutes=31))
    assert page.get(url).status_code == 302
