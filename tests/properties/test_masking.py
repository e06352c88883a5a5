"""Masking never reveals: one mask for every value, and the decision itself for every combination (Q1)."""

from collections.abc import Callable
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers import access, profiles, property_types
from customers.access import PERSONAL, PUBLIC, SECRET, SENSITIVE, Clearance, Viewer
from customers.masking import MASK, Described, disclosed, show
from customers.models import CustomerProfile, User, Workspace, WorkspaceGroupGrant, WorkspaceUserGrant
from customers.models.customer import CustomerState
from customers.services.tokens import issue_token, live_tokens
from segments.models import Segment, SegmentGroupGrant, SegmentMember, SegmentUserGrant
from tests.cast import Cast
from tests.factories import grant, make_customer, make_segment, make_user
from tests.properties.strategies import values
from tests.security import reference

CLASSES = (PUBLIC, PERSONAL, SENSITIVE, SECRET)
SCOPE_SETS = (
    None,
    frozenset[str](),
    *(frozenset({s}) for s in reference.SCOPES.values()),
    frozenset(reference.SCOPES.values()),
)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
# Machines differ in speed; how long an example takes is no property.
in_time = settings(deadline=None)

types = st.sampled_from([*property_types.TYPES, "no such type"])
clearances = st.builds(
    Clearance,
    state=st.sampled_from(CustomerState.values),
    merged_into=st.none(),
    is_restricted=st.booleans(),
    classes=st.frozensets(st.sampled_from(CLASSES)),
)


def never() -> Any:
    raise AssertionError("a hidden value was read")


# --- One value ---------------------------------------------------------------------------------


@in_time
@given(
    value=values,
    kind=types,
    data_class=st.sampled_from(CLASSES),
    clearance=clearances,
    currency=st.sampled_from(["", "EUR"]),
)
def test_a_hidden_value_is_the_mask_and_is_not_even_read(value, kind, data_class, clearance, currency):
    described = Described("note", "Note", data_class, kind)
    is_hidden = not clearance.shows(data_class)
    shown = show(described, never if is_hidden else lambda: value, clearance, currency=currency)
    assert shown.is_masked is is_hidden
    if is_hidden:
        assert shown.value == MASK
        assert not disclosed([shown])
    else:
        assert shown.value == property_types.display(kind, value, currency=currency)


@in_time
@given(one=values, other=values, kind=types, data_class=st.sampled_from(CLASSES), clearance=clearances)
def test_two_hidden_values_look_the_same_in_everything(one, other, kind, data_class, clearance):
    described = Described("note", "Note", data_class, kind)
    first, second = show(described, lambda: one, clearance), show(described, lambda: other, clearance)
    if not clearance.shows(data_class):
        assert first == second
        assert repr(first) == repr(second)


@in_time
@given(value=values, kind=types, clearance=clearances, data_class=st.sampled_from(CLASSES))
def test_whatever_personal_is_shown_counts_as_disclosed(value, kind, clearance, data_class):
    shown = show(Described("note", "Note", data_class, kind), lambda: value, clearance)
    is_personal = data_class > PUBLIC or clearance.is_restricted
    assert disclosed([shown]) == (clearance.shows(data_class) and is_personal and shown.value != "")


@in_time
@given(state=st.sampled_from(CustomerState.values), classes=st.frozensets(st.sampled_from(CLASSES)))
def test_somebody_who_is_gone_has_no_values_whatever_the_grants(state, classes):
    clearance = Clearance(state, None, is_restricted=False, classes=classes)
    if state in (CustomerState.MERGED, CustomerState.DELETED):
        assert not any(clearance.shows(data_class) for data_class in CLASSES)


# --- Through the gate --------------------------------------------------------------------------


@pytest.mark.slow  # a profile is read from the database for each example
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=st.dictionaries(st.sampled_from(["name", "plan", "iban", "pin", "note", "é"]), values, min_size=1))
def test_the_gate_masks_every_document_that_can_be_stored(cast, viewer_of, anna, document):
    CustomerProfile.objects.filter(pk=anna).update(raw_props=document)
    declared = {"plan": PUBLIC, "iban": SENSITIVE, "pin": SECRET}
    for person, p in ((cast.support, PUBLIC), (cast.lead, PERSONAL), (cast.privacy, SENSITIVE)):
        shown = profiles.get(viewer_of(person), anna).properties
        assert {one.name for one in shown} == set(document)
        for one in shown:
            is_hidden = not reference.sees(declared.get(one.name, PERSONAL), p=p)
            assert one.is_masked is is_hidden, one.name
            assert not is_hidden or one.value == MASK


# --- The decision, exhaustively (section 2) ------------------------------------------------------


# By: is it on a segment, is it to a group.
GRANTS: dict[tuple[bool, bool], Any] = {
    (False, False): WorkspaceUserGrant,
    (False, True): WorkspaceGroupGrant,
    (True, False): SegmentUserGrant,
    (True, True): SegmentGroupGrant,
}


def give(user: User, workspace: Workspace, segments: list[Segment], *, p: int, s: int, is_by_group: bool) -> None:
    """Rights on the workspace and on the segments, to the person or to a group of his."""
    grant(user, workspace, "view_workspace")
    on_workspace = {PERSONAL: "view_personal", SENSITIVE: "view_sensitive"}.get(p)
    on_segment = {PERSONAL: "view_personal_in_segment", SENSITIVE: "view_sensitive_in_segment"}.get(s)
    group = Group.objects.create(name=f"group of {user.username}")
    user.groups.add(group)
    for codename, target in [(on_workspace, workspace), *((on_segment, segment) for segment in segments)]:
        if codename is None:
            continue
        permission = Permission.objects.get(codename=codename)
        grants = GRANTS[isinstance(target, Segment), is_by_group]
        owner = {"group": group} if is_by_group else {"user": user}
        grants.objects.create(**owner, permission=permission, content_object=target)


Situation = tuple[bool, bool, bool]


@pytest.fixture
def situations(cast: Cast) -> dict[Situation, tuple[UUID, Segment]]:
    """A customer and a segment of his for each of: is a member, the segment is an access scope, is restricted."""
    made = {}
    for member, scope, restricted in product((False, True), repeat=3):
        customer = make_customer(cast.workspace, is_restricted=restricted)
        segment = make_segment(cast.workspace, f"s{member}{scope}{restricted}", is_access_scope=scope)
        if member:
            SegmentMember.objects.create(segment_id=segment.pk, customer_id=customer, entered_at=timezone.now())
        made[member, scope, restricted] = customer, segment
    return made


def with_scopes(viewer: Viewer, scopes: frozenset[str] | None) -> Viewer:
    """The same person by a token with these scopes; None is a session."""
    return Viewer(
        viewer.workspace_id, viewer.face, "request", user_id=viewer.user_id, permissions=viewer.permissions,
        grants=viewer.grants, token_scopes=scopes,
    )  # fmt: skip


@pytest.mark.slow  # every combination of the flags, some thousand decisions
def test_the_decision_agrees_with_the_reference_for_every_combination(
    cast: Cast, viewer_of: Callable[..., Viewer], situations: dict[Situation, tuple[UUID, Segment]]
) -> None:
    checked, found = 0, []
    ids, segments = ([pair[place] for pair in situations.values()] for place in (0, 1))
    for p, s, is_by_group, is_root in product((0, 1, 2), (0, 1, 2), (False, True), (False, True)):
        user = make_user(is_superuser=is_root)
        give(user, cast.workspace, segments, p=p, s=s, is_by_group=is_by_group)  # type: ignore[arg-type]
        viewer = viewer_of(user)
        for scopes in SCOPE_SETS:
            decided = access.clearances(with_scopes(viewer, scopes), ids)  # type: ignore[arg-type]
            for (member, scope, restricted), (customer, _) in situations.items():
                granted = s if member and scope else 0
                for k in CLASSES:
                    wanted = reference.sees(k, p=p, s=granted, is_root=is_root, is_restricted=restricted, scopes=scopes)
                    checked += 1
                    if decided[customer].shows(k) is not wanted:
                        found.append((p, s, is_by_group, is_root, scopes, member, scope, restricted, k))
    assert found == []
    assert checked == 3 * 3 * 2 * 2 * len(SCOPE_SETS) * 8 * len(CLASSES)


@pytest.mark.parametrize("is_root", [False, True])
@pytest.mark.parametrize("p", [0, 1, 2])
def test_whoever_is_deactivated_sees_nothing_by_session_or_token(cast: Cast, p: int, is_root: bool) -> None:  # T0
    user = make_user(is_superuser=is_root)
    give(user, cast.workspace, [], p=p, s=0, is_by_group=False)
    issue_token(user_id=user.pk, workspace_id=cast.workspace.pk, face="app", name="t", scopes=["pii:personal"])
    client, url = Client(), f"/w/{cast.workspace.slug}/customers/"
    client.force_login(user, backend=BACKEND)
    assert client.get(url).status_code == 200
    assert len(live_tokens("app")) == 1
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get(url).status_code == 302
    assert live_tokens("app") == {}


def test_the_reference_is_short_enough_to_be_believed() -> None:
    import inspect

    body = inspect.getsource(reference.sees).splitlines()
    assert len(body) <= 15
