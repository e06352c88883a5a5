"""Registers what this app adds to the product."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TrackingConfig(AppConfig):
    """App configuration."""

    name = "tracking"

    def ready(self) -> None:
        """Add the list column, the card and the tabs; have partitions from the first migration on."""
        from customers import handlers
        from customers.handlers import Handler
        from customers.panels import Column, Panel, RailEntry, Tab, register
        from tracking import pages, quarantine
        from tracking.intake import deliveries, moving

        register(
            RailEntry(
                "Quarantine",
                "octagon-pause",
                "tracking:quarantine",
                ("tracking:quarantine",),
                80,
                "edit",
                quarantine.tally,
            ),
            Column("value", "Lifetime value", "money", "w-money number col-mid", 20, pages.load_column),
            Panel("value", "Lifetime value", "tracking/value_panel.html", 10, pages.load_panel),
            Tab("timeline", "Timeline", "tracking/timeline.html", 10, pages.load_tab),
            Tab("messages", "Messages", "tracking/messages_tab.html", 40, pages.load_messages, is_paged=True),
        )
        handlers.register(
            Handler(frozenset({"event", "event_counter", "dirty_customer"}), moving.merge, moving.erase, 40),
            Handler(frozenset({"event_seen"}), handlers.nothing, moving.erase_seen),
            Handler(frozenset({"delivery", "delivery_lookup"}), deliveries.merge, deliveries.erase),
        )
        post_migrate.connect(make_first_partitions, sender=self)


def make_first_partitions(**_kwargs: object) -> None:
    """Without a partition of this month no row could be stored."""
    from tracking.tasks import make_partitions

    make_partitions()
