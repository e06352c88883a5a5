"""Declaring what properties mean. What nobody has declared is personal."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from customers import audit
from customers.models import PropertyDefinition
from customers.property_types import TYPES
from rolodesk.errors import InvalidInput

MAX_CLASS = 3


@dataclass(frozen=True, slots=True)
class Declaration:
    """One property as it shall be declared; the fields are those of ``PropertyDefinition``."""

    path: str
    label: str
    entity: str = "customer"
    type: str = "text"
    data_class: int = 1
    role: str = ""
    is_pinned: bool = False
    is_searchable: bool = False
    position: int = 100


def declare_properties(*, workspace_id: int, declarations: Iterable[Declaration]) -> int:
    """Declare those that are new and return how many; what somebody has set already stays as it is.

    Raises InvalidInput for an unknown type or class.
    """
    made: list[str] = []
    with transaction.atomic():
        for one in declarations:
            if one.type not in TYPES or not 0 <= one.data_class <= MAX_CLASS:
                raise InvalidInput(reason="declaration")
            _, is_new = PropertyDefinition.objects.get_or_create(
                workspace_id=workspace_id,
                entity=one.entity,
                path=one.path,
                defaults={
                    "label": one.label,
                    "type": one.type,
                    "data_class": one.data_class,
                    "role": one.role,
                    "is_pinned": one.is_pinned,
                    "is_searchable": one.is_searchable,
                    "position": one.position,
                },
            )
            if is_new:
                made.append(f"{one.entity} {one.path}")
        if made:
            audit.record(None, "properties.declared", workspace_id=workspace_id, data={"properties": made})
    return len(made)
