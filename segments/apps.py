"""Registers what this app adds to the product."""

from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    """App configuration."""

    name = "segments"

    def ready(self) -> None:
        """Add the source of permission, the list column, the card and the tab."""
        from customers import handlers
        from customers.access import register_source
        from customers.handlers import Handler
        from customers.panels import Column, Panel, Tab, register
        from segments import access, effects, memberships, moving, pages
        from tracking import references
        from tracking.intake import effects as intake
        from tracking.intake.operations import ChangeMembers

        register_source(access.resolve)
        references.register(
            references.Reference(frozenset({"segment_entered", "segment_left"}), "segment_id", memberships.names)
        )
        intake.register(ChangeMembers, effects.change_members)
        handlers.register(Handler(frozenset({"segment_member", "segment_change"}), moving.merge, moving.erase))
        register(
            Column("segments", "Segments", "tags", "w-tags col-late", 10, pages.load_column),
            Panel("segments", "Segments", "segments/chips_panel.html", 20, pages.load_panel),
            Tab("segments", "Segments", "segments/segments_tab.html", 30, pages.load_tab),
        )
