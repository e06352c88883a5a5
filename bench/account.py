"""The workspace that is measured, with a token to send with and a person to look with."""

from base64 import b64encode
from dataclasses import dataclass

from django.conf import settings
from django.test import Client

from customers.models import User
from customers.services.definitions import Declaration, declare_properties
from customers.services.grants import grant_on_workspace
from customers.services.tokens import issue_token
from customers.services.workspaces import create_workspace, find_workspace
from tracking.models import EventDefinition

SLUG, SITE_ID = "bench", "bench"
AMOUNT = "value"
STORED = ("Order placed", "Parcel sent", "Basket filled", "Newsletter opened", "Call answered")
SENT = ("Page rated", "Coupon used", "Order changed")
# Events that are watched for; they have a name of their own, so that an index finds them.
PROBE = "Probe"
# Any 32 letters and digits are a token that matches a cookie of the same.
CSRF = "bench" * 6 + "xx"


@dataclass(frozen=True, slots=True)
class Account:
    """Numbers and secrets of the workspace; ``types`` are its event definitions by name."""

    workspace_id: int
    types: dict[str, int]
    authorization: bytes
    user: User

    def sign_in(self) -> Client:
        """Django's test client with a session of the person."""
        client = Client(headers={"host": "127.0.0.1"})
        client.force_login(self.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    def cookies(self) -> bytes:
        """The Cookie header of a session."""
        session = self.sign_in().cookies[settings.SESSION_COOKIE_NAME].value
        return f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={CSRF}".encode()

    def type_ids(self, names: tuple[str, ...]) -> list[int]:
        """The definitions of these names."""
        return [self.types[name] for name in names]


def make_account() -> Account:
    """Make all of it in an empty database."""
    create_workspace(name="Bench", slug=SLUG)
    workspace_id = find_workspace(SLUG) or 0
    names = (*STORED, *SENT, PROBE)
    declare_properties(
        workspace_id=workspace_id,
        declarations=[
            Declaration("plan", "Plan", data_class=0, is_pinned=True, position=10),
            *(Declaration(AMOUNT, "Value", entity=f"event:{name}", type="money", data_class=0) for name in names),
        ],
    )
    types = {
        name: EventDefinition.objects.create(workspace_id=workspace_id, name=name, revenue_property=AMOUNT).pk
        for name in names
    }
    service = User.objects.create(username="bench-track", is_service=True)
    grant_on_workspace(user_id=service.pk, workspace_id=workspace_id, permissions=["edit"])
    secret = issue_token(
        user_id=service.pk,
        workspace_id=workspace_id,
        face="track",
        name="bench",
        scopes=["edit"],
        public_id=SITE_ID,
    )
    # Sees personal data: whoever does not may look up sixty identifiers a minute and no more.
    user = User.objects.create(username="bench")
    grant_on_workspace(user_id=user.pk, workspace_id=workspace_id, permissions=["view_workspace", "view_personal"])
    return Account(workspace_id, types, b"Basic " + b64encode(f"{SITE_ID}:{secret}".encode()), user)
