"""Registers what this app adds to the product."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """App configuration."""

    name = "customers"

    def ready(self) -> None:
        """Add the entry of the navigation, the card and the tabs, and what becomes of rows on merge and erase."""
        from customers import handlers, pages
        from customers.handlers import Handler
        from customers.panels import Panel, RailEntry, Tab, register
        from customers.writing import consent, devices, objects, profile

        register(
            RailEntry("Customers", "users", "customers:list", ("customers:", "tracking:timeline"), 10),
            Panel("consent", "Consent", "customers/consent_panel.html", 15, pages.load_consent_panel),
            Tab("properties", "Properties", "customers/properties_tab.html", 20, pages.load_properties),
            Tab("subscriptions", "Subscriptions", "customers/subscriptions_tab.html", 50, pages.load_subscriptions),
            Tab("devices", "Devices", "customers/devices_tab.html", 60, pages.load_devices, is_paged=True),
            Tab("objects", "Objects", "customers/objects_tab.html", 70, pages.load_objects, is_paged=True),
            Tab("changes", "Changes", "customers/changes_tab.html", 100, pages.load_changes, is_paged=True),
        )
        handlers.register(
            Handler(
                frozenset({"customer_identifier", "identifier_lookup"}),
                profile.merge_identifiers,
                profile.erase_identifiers,
                10,
            ),
            Handler(
                frozenset({"customer_profile", "property_change"}),
                profile.merge_properties,
                profile.erase_properties,
                20,
            ),
            Handler(frozenset({"customer_search"}), profile.merge_search, profile.erase_search, 30),
            Handler(frozenset({"device", "device_lookup"}), devices.merge, devices.erase),
            Handler(frozenset({"relationship"}), objects.merge, objects.erase),
            Handler(frozenset({"subscription"}), consent.merge, consent.erase),
        )
