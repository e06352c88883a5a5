"""Registers what this app adds to the product."""

from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    """App configuration."""

    name = "segments"

    def ready(self) -> None:
        """Add the source of permission, the list column, the card and the tab."""
        from customers.access import register_source
        from customers.panels import Column, Panel, Tab, register
        from segments import access, pages

        register_source(access.resolve)
        register(
            Column("segments", "Segments", "tags", "w-tags col-late", 10, pages.load_column),
            Panel("segments", "Segments", "segments/chips_panel.html", 20, pages.load_panel),
            Tab("segments", "Segments", "segments/segments_tab.html", 30, pages.load_tab),
        )
