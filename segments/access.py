"""Source S of permission: grants on segments whose members they open."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from customers.access import FALSE, PERSONAL, PUBLIC, SENSITIVE, Grant, Viewer
from segments.models import Segment, SegmentGroupGrant, SegmentMember, SegmentUserGrant

CLASSES = {"view_personal_in_segment": PERSONAL, "view_sensitive_in_segment": SENSITIVE}


@dataclass(frozen=True, slots=True)
class SegmentGrant:
    """Highest class that a viewer sees of the current members of each segment."""

    highest: tuple[tuple[int, int], ...]
    is_customer_level: bool = False

    def covers(self, data_class: int) -> Q:
        """Current members of the segments that open this class."""
        segments = [segment for segment, highest in self.highest if highest >= data_class]
        if not segments:
            return FALSE
        return Q(Exists(SegmentMember.objects.filter(customer_id=OuterRef("pk"), segment_id__in=segments)))


def resolve(user_id: int, workspace_id: int, groups: list[int]) -> Grant | None:
    """Grants of the user and his groups on access-scope segments of the workspace. One statement."""
    scope = {"content_object__workspace_id": workspace_id, "content_object__is_access_scope": True}
    names = ("content_object_id", "permission__codename")
    own = SegmentUserGrant.objects.filter(user_id=user_id, **scope).values_list(*names)
    by_group = SegmentGroupGrant.objects.filter(group_id__in=groups, **scope).values_list(*names)
    highest: dict[int, int] = {}
    for segment_id, codename in own.union(by_group):
        highest[segment_id] = max(highest.get(segment_id, 0), CLASSES.get(codename, 0))
    return SegmentGrant(tuple(sorted(highest.items()))) if highest else None


def exists_for(viewer: Viewer, segment: Segment) -> bool:
    """Whether a segment exists for a viewer: he sees the class that its rule refers to, everywhere or of its members.

    A token's scopes are judged by the workspace-wide right alone (security.md N5, T5).
    """
    if segment.data_class == PUBLIC or viewer.sees_everywhere(segment.data_class):
        return True
    if viewer.token_scopes is not None:
        return False
    return any(
        isinstance(grant, SegmentGrant) and dict(grant.highest).get(segment.pk, PUBLIC) >= segment.data_class
        for grant in viewer.grants
    )
