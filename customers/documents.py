"""A stored document → shown values, for all read gates."""

from collections.abc import Callable, Mapping

from customers import definitions
from customers.access import Clearance
from customers.masking import Described, Shown, show
from rolodesk.json import Json


def show_document(
    document: Mapping[str, Json],
    declared: Mapping[str, Described],
    clearance: Clearance,
    *,
    currency: str = "",
    undeclared: Callable[[str], Described] = definitions.undeclared,
) -> tuple[Shown, ...]:
    """All its properties, masked: declared ones in their order, then the rest by name."""
    paths = [path for path in declared if path in document] + sorted(document.keys() - declared.keys())
    return tuple(
        show(
            declared.get(path) or undeclared(path),
            lambda path=path: document[path],  # type: ignore[misc]
            clearance,
            currency=currency,
        )
        for path in paths
    )
