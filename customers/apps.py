"""Registers what this app adds to the product."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """App configuration."""

    name = "customers"

    def ready(self) -> None:
        """Add the properties tab."""
        from customers import views
        from customers.panels import Tab, register

        register(Tab("properties", "Properties", "customers/properties_tab.html", 20, views.load_properties))
