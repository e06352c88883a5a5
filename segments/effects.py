"""What the write gate does to memberships: see ``tracking.intake.effects``."""

from uuid import UUID

from segments import moving, sql
from tracking.intake.effects import APPLIED, IGNORED, Scene
from tracking.intake.operations import ChangeMembers


def change_members(scene: Scene, operation: ChangeMembers) -> str:
    """Whom nobody knows is passed over, and nobody is made."""
    # Asked again: since it was accepted the segment may have got a rule, or have come to open personal data.
    if not moving.is_changeable(scene.connection, scene.workspace_id, operation.segment_id):
        return IGNORED
    people = [found for found in map(scene.find, operation.people) if isinstance(found, UUID)]
    segment_id, at = operation.segment_id, scene.received_at
    if operation.is_removal:
        changed = sql.remove_members(scene.connection, segment_id, people, at)
    else:
        changed = sql.add_members(scene.connection, segment_id, scene.workspace_id, people, at)
    return APPLIED if changed else IGNORED
