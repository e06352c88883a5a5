"""Reports about messages that come without credentials."""

from customers.identifiers import delivery_digest
from tracking.models import DeliveryLookup


def workspace_of(delivery_id: str) -> int | None:
    """The workspace that sent a message; None when nobody knows it."""
    found = DeliveryLookup.objects.filter(digest=delivery_digest(delivery_id))
    return found.values_list("workspace_id", flat=True).first()
