"""Making segments."""

from django.db import transaction

from customers import audit
from customers.models import Workspace
from rolodesk.errors import InvalidInput, NotFound
from segments.models import Segment, SegmentKind

MAX_NAME = 120


def create_segment(*, workspace_id: int, name: str, kind: str = "manual", is_access_scope: bool = False) -> int:
    """Create an empty segment; returns its number.

    Raises NotFound for an unknown workspace and InvalidInput for an unknown kind, or a name that is
    empty, too long or taken.
    """
    name = name.strip()
    if kind not in SegmentKind.values:
        raise InvalidInput(reason="segment_kind")
    if not name or len(name) > MAX_NAME:
        raise InvalidInput(reason="segment_name")
    if not Workspace.objects.filter(pk=workspace_id).exists():
        raise NotFound
    with transaction.atomic():
        segment, is_new = Segment.objects.get_or_create(
            workspace_id=workspace_id, name=name, defaults={"kind": kind, "is_access_scope": is_access_scope}
        )
        if not is_new:
            raise InvalidInput(reason="segment_name_taken")
        audit.record(None, "segment.created", workspace_id=workspace_id, data={"segment_id": segment.pk})
    return segment.pk


def find_segment(*, workspace_id: int, name: str) -> int | None:
    """The number of the segment of this name."""
    return Segment.objects.filter(workspace_id=workspace_id, name=name).values_list("pk", flat=True).first()
