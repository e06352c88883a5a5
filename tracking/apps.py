"""Registers what this app adds to the product."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TrackingConfig(AppConfig):
    """App configuration."""

    name = "tracking"

    def ready(self) -> None:
        """Add the list column, the card and the tab; have partitions from the first migration on."""
        from customers.panels import Column, Panel, Tab, register
        from tracking import pages

        register(
            Column("value", "Lifetime value", "money", "w-money number col-mid", 20, pages.load_column),
            Panel("value", "Lifetime value", "tracking/value_panel.html", 10, pages.load_panel),
            Tab("timeline", "Timeline", "tracking/timeline.html", 10, pages.load_tab),
        )
        post_migrate.connect(make_first_partitions, sender=self)


def make_first_partitions(**_kwargs: object) -> None:
    """Without a partition of this month no row could be stored."""
    from tracking.tasks import make_partitions

    make_partitions()
