"""Every table keeps the rules of its kind, so that the schema could be spread over a cluster as it is."""

from collections.abc import Iterable, Iterator
from typing import cast

import pytest
from django.apps import apps
from django.db.models import AutoField, BigAutoField, CompositePrimaryKey, ForeignKey, Model, SmallAutoField
from django.db.models.constraints import UniqueConstraint
from django.db.models.expressions import Combinable
from django.db.models.fields.related import RelatedField
from django.db.models.functions import Now

from rolodesk.tables import PLAIN_APPS, TABLES, Table

OURS = frozenset({"customers", "tracking", "segments"})
SPREAD = frozenset({"big", "lookup"})


def models() -> list[type[Model]]:
    """Every model with a table of its own, those that Django makes for many-to-many fields included."""
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model._meta.managed and not model._meta.proxy]


def kind_of(model: type[Model]) -> str:
    """The kind a model is registered with; a many-to-many table is of the kind of the model that has the field."""
    if model._meta.auto_created:
        return kind_of(cast("type[Model]", model._meta.auto_created))  # the stubs say bool
    table = TABLES.get(model._meta.label)
    return table.kind if table else "plain" if model._meta.app_label in PLAIN_APPS else "none"


def spread() -> list[type[Model]]:
    """The models of big and lookup tables."""
    return [model for model in models() if kind_of(model) in SPREAD]


def table_of(model: type[Model]) -> Table:
    return TABLES[model._meta.label]


def columns_of(model: type[Model], names: Iterable[str]) -> tuple[str, ...]:
    """The columns of these fields."""
    columns = {field.name: field.column or "" for field in model._meta.concrete_fields}
    return tuple(columns[name] for name in names)


def primary_key(model: type[Model]) -> tuple[str, ...]:
    """The columns of the primary key."""
    key = model._meta.pk
    if isinstance(key, CompositePrimaryKey):
        return columns_of(model, key.field_names)
    return (key.column or "",)


def unique_columns(model: type[Model]) -> Iterator[tuple[str, ...]]:
    """The columns of each unique constraint beside the primary key."""
    for field in model._meta.concrete_fields:
        if field.unique and not field.primary_key:
            yield (field.column or "",)
    for names in model._meta.unique_together:
        yield columns_of(model, names)
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint):
            # One over expressions has no fields, and so no distribution column either.
            yield columns_of(model, constraint.fields)


def constrained_keys(model: type[Model]) -> Iterator[tuple[str, type[Model]]]:
    """Fields that make a foreign key in the database, with the model each points to."""
    for field in model._meta.local_fields:
        if isinstance(field, ForeignKey) and getattr(field, "db_constraint", True):
            yield field.name, field.related_model


def test_every_model_has_a_kind() -> None:
    assert [model._meta.label for model in models() if kind_of(model) == "none"] == []


def test_our_own_models_are_named_one_by_one() -> None:
    assert not OURS & PLAIN_APPS
    named = {model._meta.label for model in models() if model._meta.app_label in OURS and not model._meta.auto_created}
    assert set(TABLES) == named


def test_only_spread_tables_name_a_column() -> None:
    assert {label for label, table in TABLES.items() if bool(table.column) != (table.kind in SPREAD)} == set()


@pytest.mark.parametrize("model", spread(), ids=lambda model: model._meta.label)
def test_the_distribution_column_is_in_every_key(model: type[Model]) -> None:
    column = table_of(model).column
    assert column in {field.column for field in model._meta.concrete_fields}
    assert column in primary_key(model)
    assert [columns for columns in unique_columns(model) if column not in columns] == []


def test_big_tables_are_spread_by_the_customer() -> None:
    columns = {label: table.column for label, table in TABLES.items() if table.kind == "big"}
    assert columns.pop("customers.Customer") == "id"
    assert set(columns.values()) == {"customer_id"}


def test_big_tables_count_nothing_up() -> None:
    """An identity column needs a sequence, which a spread table has on one node only."""
    counting = {
        f"{model._meta.label}.{field.name}"
        for model in spread()
        for field in model._meta.local_fields
        if isinstance(field, AutoField | BigAutoField | SmallAutoField)
    }
    assert counting == set()


def test_spread_tables_have_no_foreign_keys_in_the_database() -> None:
    found = {
        f"{model._meta.label}.{name} → {target._meta.label}"
        for model in models()
        for name, target in constrained_keys(model)
        if {kind_of(model), kind_of(target)} & SPREAD
    }
    assert found == set()


def test_no_foreign_key_in_the_database_joins_config_and_plain_tables() -> None:
    found = {
        f"{model._meta.label}.{name} → {target._meta.label}"
        for model in models()
        for name, target in constrained_keys(model)
        if {kind_of(model), kind_of(target)} == {"config", "plain"}
    }
    assert found == set()


def test_spread_tables_have_no_many_to_many_fields() -> None:
    assert [model._meta.label for model in spread() if model._meta.many_to_many] == []


def test_spread_tables_point_at_nothing_that_deletes_them() -> None:
    """Deleting is the domain layer's task; Django's collector would load the rows one by one."""
    related = {
        f"{model._meta.label}.{field.name}"
        for model in spread()
        for field in model._meta.local_fields
        if isinstance(field, RelatedField)
    }
    assert related == set()


def test_defaults_of_spread_tables_are_constant_or_made_in_python() -> None:
    moving = {
        f"{model._meta.label}.{field.name}"
        for model in spread()
        for field in model._meta.concrete_fields
        if isinstance(getattr(field, "db_default", None), Now | Combinable)
    }
    assert moving == set()


def test_spread_tables_have_no_exclusion_constraints() -> None:
    excluding = {
        constraint.name
        for model in spread()
        for constraint in model._meta.constraints
        if type(constraint).__name__ == "ExclusionConstraint"
    }
    assert excluding == set()
