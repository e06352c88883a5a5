"""Every table about customers says what becomes of its rows when a customer is merged or erased."""

from collections import Counter

from django.apps import apps

from customers import handlers


def tables_about_customers() -> set[str]:
    """Tables with a customer's id; his own row stays as a tombstone."""
    return {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if any(field.column == "customer_id" for field in model._meta.concrete_fields)
    }


def test_every_table_about_customers_has_one_handler() -> None:
    handled = Counter(table for handler in handlers.registered() for table in handler.tables)
    assert set(handled) == tables_about_customers()
    assert {table for table, times in handled.items() if times > 1} == set()


def test_handlers_come_in_the_order_of_their_positions() -> None:
    positions = [handler.position for handler in handlers.registered()]
    assert positions == sorted(positions)
