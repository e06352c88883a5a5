"""The figures of the intake for Prometheus, by workspace number and by nothing else (security.md L2)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tracking import figures
from tracking.figures import OUTCOMES, Figures

if TYPE_CHECKING:
    from prometheus_client import Metric

LABEL = "workspace"


def render() -> tuple[bytes, str]:
    """All metrics as text, and its content type."""
    # Loaded by the first scrape: most processes are never asked.
    from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry()
    registry.register(_Collector())
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4


class _Collector:
    """Asks the database at each scrape: its numbers are those of all processes together."""

    def collect(self) -> "Iterable[Metric]":
        """Per workspace: accepted, and what became of it, which together with what waits is the same number."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

        accepted = CounterMetricFamily("rolodesk_intake_accepted", "Operations accepted.", labels=[LABEL])
        outcomes = CounterMetricFamily(
            "rolodesk_intake_outcomes", "What became of accepted operations.", labels=[LABEL, "outcome"]
        )
        waiting = GaugeMetricFamily("rolodesk_intake_waiting", "Accepted, not applied yet.", labels=[LABEL])
        aside = GaugeMetricFamily("rolodesk_quarantine_items", "Set aside and still there.", labels=[LABEL])
        for one in figures.read():
            workspace = str(one.workspace_id)
            accepted.add_metric([workspace], one.total.accepted)
            waiting.add_metric([workspace], one.total.waiting)
            aside.add_metric([workspace], one.set_aside)
            for outcome, n in _outcomes(one):
                outcomes.add_metric([workspace, outcome], n)
        return [accepted, outcomes, waiting, aside]


def _outcomes(one: Figures) -> Iterable[tuple[str, int]]:
    return ((name, getattr(one.total, name)) for name in OUTCOMES)
