"""Property definitions and identifier kinds of a workspace, as masking needs them."""

from dataclasses import dataclass

from customers.masking import Described
from customers.models import IdentifierKind, PropertyDefinition, Workspace

CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Property(Described):
    """A declared property."""

    entity: str = CUSTOMER
    role: str = ""
    is_pinned: bool = False
    is_searchable: bool = False


@dataclass(frozen=True, slots=True)
class IdentifierType(Described):
    """A declared identifier kind."""

    id: int = 0
    normaliser: str = "exact"
    has_lookup: bool = True
    is_searchable: bool = False


def properties(workspace_id: int, entities: list[str]) -> dict[str, dict[str, Property]]:
    """Declared properties by entity and path, in their order."""
    found: dict[str, dict[str, Property]] = {entity: {} for entity in entities}
    for row in PropertyDefinition.objects.filter(workspace_id=workspace_id, entity__in=entities):
        found[row.entity][row.path] = Property(
            row.path, row.label or row.path, row.data_class, row.type,
            entity=row.entity, role=row.role, is_pinned=row.is_pinned, is_searchable=row.is_searchable,
        )  # fmt: skip
    return found


def undeclared(path: str) -> Described:
    """A property that nobody has declared: personal."""
    return Described(path, path, 1)


def identifier_types(workspace_id: int) -> dict[int, IdentifierType]:
    """Identifier kinds by number, in their order."""
    return {
        row.pk: IdentifierType(
            row.name, row.label, row.data_class, row.normaliser if row.normaliser in ("email", "phone") else "text",
            id=row.pk, normaliser=row.normaliser, has_lookup=row.has_lookup, is_searchable=row.is_searchable,
        )
        for row in IdentifierKind.objects.filter(workspace_id=workspace_id)
    }  # fmt: skip


def currency(workspace_id: int) -> str:
    """The currency of the workspace's amounts, as an ISO 4217 code."""
    return Workspace.objects.values_list("currency", flat=True).get(pk=workspace_id)
