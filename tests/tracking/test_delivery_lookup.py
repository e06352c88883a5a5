"""Whose message a report without credentials is about."""

import uuid

import pytest

from customers.identifiers import delivery_digest
from tracking.models import DeliveryLookup
from tracking.services.deliveries import workspace_of


@pytest.mark.django_db
def test_a_known_message_names_its_workspace_and_others_none() -> None:
    DeliveryLookup.objects.create(digest=delivery_digest("known"), workspace_id=7, customer_id=uuid.uuid4())
    assert (workspace_of("known"), workspace_of("Known"), workspace_of("unknown")) == (7, None, None)


def test_the_key_of_a_message_does_not_show_its_id() -> None:
    assert delivery_digest("a") != delivery_digest("b")
    assert "secret" not in str(delivery_digest("secret"))
    assert delivery_digest("a") == delivery_digest("a")
