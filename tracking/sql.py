"""Statements over the tables of the intake, for figures."""

from collections.abc import Iterator
from datetime import date

from django.db import connection

# One statement, so that all figures are of the same moment: what a worker takes out of the inbox stands in
# the totals from the same commit on.
_FIGURES = """
WITH total AS (
  SELECT workspace_id,
    coalesce(sum(accepted), 0) AS accepted, coalesce(sum(applied), 0) AS applied,
    coalesce(sum(duplicate), 0) AS duplicate, coalesce(sum(suppressed), 0) AS suppressed,
    coalesce(sum(ignored), 0) AS ignored, coalesce(sum(quarantined), 0) AS quarantined,
    coalesce(sum(accepted) FILTER (WHERE day = %(today)s), 0) AS t_accepted,
    coalesce(sum(applied) FILTER (WHERE day = %(today)s), 0) AS t_applied,
    coalesce(sum(duplicate) FILTER (WHERE day = %(today)s), 0) AS t_duplicate,
    coalesce(sum(suppressed) FILTER (WHERE day = %(today)s), 0) AS t_suppressed,
    coalesce(sum(ignored) FILTER (WHERE day = %(today)s), 0) AS t_ignored,
    coalesce(sum(quarantined) FILTER (WHERE day = %(today)s), 0) AS t_quarantined
  FROM intake_total WHERE workspace_id = coalesce(%(workspace)s, workspace_id) GROUP BY workspace_id
), waiting AS (
  SELECT workspace_id, sum(n) AS n FROM inbox
  WHERE workspace_id = coalesce(%(workspace)s, workspace_id) GROUP BY workspace_id
), aside AS (
  SELECT workspace_id, count(*) AS n FROM quarantine
  WHERE workspace_id = coalesce(%(workspace)s, workspace_id) GROUP BY workspace_id
)
SELECT w.id, coalesce(i.n, 0), coalesce(a.n, 0),
  coalesce(t.accepted, 0), coalesce(t.applied, 0), coalesce(t.duplicate, 0), coalesce(t.suppressed, 0),
  coalesce(t.ignored, 0), coalesce(t.quarantined, 0),
  coalesce(t.t_accepted, 0), coalesce(t.t_applied, 0), coalesce(t.t_duplicate, 0), coalesce(t.t_suppressed, 0),
  coalesce(t.t_ignored, 0), coalesce(t.t_quarantined, 0)
FROM workspace w
LEFT JOIN total t ON t.workspace_id = w.id
LEFT JOIN waiting i ON i.workspace_id = w.id
LEFT JOIN aside a ON a.workspace_id = w.id
WHERE w.id = coalesce(%(workspace)s, w.id) ORDER BY w.id
"""


def figures(today: date, workspace_id: int | None) -> Iterator[tuple[int, ...]]:
    """By workspace: its number, waiting, set aside now, then six totals, and the same six of today."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"today": today, "workspace": workspace_id})
        for row in cursor.fetchall():
            yield tuple(map(int, row))
