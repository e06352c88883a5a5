"""Which segments a key may change, as its user sees them (security.md N5, P6)."""

from dataclasses import dataclass

import pytest

from customers.models import User, Workspace
from rolodesk.errors import InvalidInput, NotFound
from segments.models import Segment
from segments.services.members import check_changeable
from tests.factories import grant, grant_on_segment, make_segment, make_workspace


@dataclass(frozen=True, slots=True)
class Owners:
    """Users whose keys ask, without passwords; what each sees."""

    workspace: Workspace
    elsewhere: Workspace
    support: User
    lead: User
    privacy: User
    root: User


@pytest.fixture
def owners(db: None) -> Owners:
    names = ("support", "lead", "privacy", "root")
    people = {name: User.objects.create(username=name, is_superuser=name == "root") for name in names}
    owners = Owners(make_workspace(), make_workspace("Elsewhere"), **people)
    for name, permission in (("lead", "view_personal"), ("privacy", "view_sensitive")):
        grant(people[name], owners.workspace, permission)
    return owners


def outcome(segment: Segment, user: User, workspace_id: int | None = None) -> object:
    """Says that it is changeable, or the reason why not."""
    try:
        check_changeable(workspace_id=workspace_id or segment.workspace_id, segment_id=segment.pk, user_id=user.pk)
    except (NotFound, InvalidInput) as error:
        return error.data["reason"]
    return "changeable"


def test_a_manual_segment_is_changeable_and_one_with_a_rule_is_not(owners: Owners) -> None:
    assert outcome(make_segment(owners.workspace), owners.support) == "changeable"
    assert outcome(make_segment(owners.workspace, "Rule", kind="dynamic"), owners.support) == "not_manual"


def test_a_segment_that_opens_personal_data_answers_like_one_with_a_rule(owners: Owners) -> None:
    segment = make_segment(owners.workspace, is_access_scope=True)
    for user in (owners.support, owners.lead, owners.root):
        assert outcome(segment, user) == "not_manual"


def test_unknown_segments_and_those_of_another_workspace_are_not_there(owners: Owners) -> None:
    segment = make_segment(owners.workspace)
    assert outcome(segment, owners.support, owners.elsewhere.pk) == "segment"
    segment.pk += 1000
    assert outcome(segment, owners.support) == "segment"


@pytest.mark.parametrize("data_class", [1, 2])
@pytest.mark.parametrize("kind", ["manual", "dynamic"])
def test_a_segment_above_the_class_of_the_user_is_not_there(owners: Owners, data_class: int, kind: str) -> None:
    segment = make_segment(owners.workspace, kind=kind, data_class=data_class)
    seen = "changeable" if kind == "manual" else "not_manual"
    assert outcome(segment, owners.support) == "segment"
    assert outcome(segment, owners.lead) == (seen if data_class == 1 else "segment")
    assert outcome(segment, owners.privacy) == outcome(segment, owners.root) == seen


def test_a_grant_on_the_segment_itself_makes_it_exist(owners: Owners) -> None:
    segment = make_segment(owners.workspace, is_access_scope=True, data_class=1)
    other = make_segment(owners.workspace, "Other", is_access_scope=True, data_class=1)
    assert outcome(segment, owners.support) == "segment"
    grant_on_segment(owners.support, segment)
    assert outcome(segment, owners.support) == "not_manual"
    assert outcome(other, owners.support) == "segment"
    segment.data_class = 2
    segment.save()
    assert outcome(segment, owners.support) == "segment"


def test_a_user_who_is_gone_sees_nothing(owners: Owners) -> None:
    segment = make_segment(owners.workspace)
    gone = User(pk=owners.root.pk + 1000)
    assert outcome(segment, gone) == "segment"
