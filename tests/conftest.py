"""Fixtures shared by all tests."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import Client
from hypothesis import HealthCheck, settings

from customers import access
from customers.access import Viewer
from customers.models import User, Workspace
from tests.cast import Cast, make_cast
from tests.factories import make_customer

# How long an example takes says something about the machine, and nothing about the product.
settings.register_profile("rolodesk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rolodesk")


@pytest.fixture
def cast(db: None) -> Cast:
    """The people of the tests."""
    return make_cast()


@pytest.fixture
def viewer_of(cast: Cast) -> Callable[..., Viewer]:
    """The viewer that a request of this person would have."""

    def resolve(user: User, workspace: Workspace | None = None) -> Viewer:
        return access.resolve(user, (workspace or cast.workspace).pk, face="ui")

    return resolve


@pytest.fixture
def sign_in(client: Client) -> Callable[[User], Client]:
    """The test client, signed in as this person."""

    def sign_in(user: User) -> Client:
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in


@pytest.fixture
def anna(cast: Cast) -> UUID:
    """A customer with something in every class."""
    return make_customer(
        cast.workspace,
        identifiers={"external_id": "NL-204118", "email": "anna.canary@fjord.example", "phone": "+4930231250881"},
        properties={
            "name": "Anna Canarius",
            "plan": "gold",
            "iban": "DE-CANARY-IBAN",
            "pin": "canary-pin",
            "note": "canary-undeclared",
        },
    )
