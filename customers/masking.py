"""Stored value → shown value. The mask has one form for every type and length."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from customers import property_types
from customers.access import PERSONAL, PUBLIC, Clearance
from rolodesk.json import Json

MASK = "******"


@dataclass(frozen=True, slots=True)
class Described:
    """What masking needs to know of a property or identifier kind."""

    name: str
    label: str
    data_class: int
    type: str = "text"


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as one viewer sees it. ``value`` is the mask where it is hidden, "" where there is none."""

    name: str
    label: str
    value: str
    is_masked: bool = False
    data_class: int = PUBLIC
    type: str = "text"
    updated_at: datetime | None = None
    source: str = ""

    @property
    def is_personal(self) -> bool:
        """Whether not everybody may see it."""
        return self.data_class > PUBLIC


def show(
    described: Described,
    read: Callable[[], Json],
    clearance: Clearance,
    *,
    currency: str = "",
    updated_at: datetime | None = None,
    source: str = "",
) -> Shown:
    """Show or mask one value. ``read`` is only called when the viewer may see what it returns."""
    is_shown = clearance.shows(described.data_class)
    return Shown(
        name=described.name,
        label=described.label,
        value=property_types.display(described.type, read(), currency=currency) if is_shown else MASK,
        is_masked=not is_shown,
        data_class=max(described.data_class, PERSONAL) if clearance.is_restricted else described.data_class,
        type=described.type,
        updated_at=updated_at,
        source=source,
    )


def disclosed(values: list[Shown]) -> bool:
    """Whether any of these shows personal data, so that the audit must know of it."""
    return any(one.is_personal and not one.is_masked and one.value for one in values)
