"""What became of accepted operations, for the page of the quarantine and for the metrics. No personal data."""

from dataclasses import dataclass
from datetime import UTC, datetime

from customers.access import Viewer
from tracking import sql

OUTCOMES = ("applied", "duplicate", "suppressed", "ignored", "quarantined")


@dataclass(frozen=True, slots=True)
class Sums:
    """Accepted operations, and what became of them; those that wait are accepted and not applied yet."""

    accepted: int
    applied: int
    duplicate: int
    suppressed: int
    ignored: int
    quarantined: int
    waiting: int

    @property
    def is_balanced(self) -> bool:
        """Whether every accepted operation is accounted for (security.md I5)."""
        done = self.applied + self.duplicate + self.suppressed + self.ignored + self.quarantined
        return self.accepted == done + self.waiting


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums of one workspace, and how many operations are set aside now."""

    workspace_id: int
    total: Sums
    today: Sums
    set_aside: int


def of_workspace(viewer: Viewer) -> Figures:
    """The figures of the viewer's workspace."""
    (found,) = read(viewer.workspace_id)
    return found


def read(workspace_id: int | None = None) -> list[Figures]:
    """Figures of one workspace or of all. Workers count by days of UTC, and so does ``today``."""
    made = []
    for id_, waiting, set_aside, *counted in sql.figures(datetime.now(UTC).date(), workspace_id):
        size = len(OUTCOMES) + 1
        total, today = (_sums(part, waiting) for part in (counted[:size], counted[size:]))
        made.append(Figures(id_, total, today, set_aside))
    return made


def _sums(counted: list[int], waiting: int) -> Sums:
    """Workers count an operation as accepted when they are done with it; here it counts from the first moment on."""
    accepted, applied, duplicate, suppressed, ignored, quarantined = counted
    return Sums(accepted + waiting, applied, duplicate, suppressed, ignored, quarantined, waiting)
