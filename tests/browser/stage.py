"""The data behind the browser tests: a shop with enough customers to page, and one of every kind of them."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from customers.identifiers import suppression_digest
from customers.models import Customer, IdentifierKind, SuppressedIdentifier
from tests.cast import Cast, make_cast
from tests.factories import (
    declare,
    make_change,
    make_customer,
    make_delivery,
    make_device,
    make_event,
    make_object,
    make_quarantined,
    make_relationship,
    make_segment,
    make_subscription,
    make_topic,
)
from tracking.intake.operations import Ref, Track
from tracking.models import Event, EventCounter, EventDefinition

LISTED = 56  # more than a page
EVENTS = 64  # of Anna; more than a page
# In her private values, and nowhere else. None of them may be left behind in a browser.
ANNA_EMAIL, ANNA_PHONE, ANNA_NAME = "anna.canary@fjord.example", "+4930231250881", "Anna Canarius"
MARKERS = ("canar", "fjord", "30231250881")
SUPPRESSED = "gone@fjord.example"


@dataclass(slots=True)
class Stage:
    """Who and what there is; ``url`` is where the server listens."""

    cast: Cast
    anna: UUID
    bo: UUID  # like Anna, with a short history
    restricted: UUID
    merged: UUID
    deleted: UUID
    new: UUID
    aside: int  # an operation in quarantine
    url: str = field(default="")

    @property
    def list_path(self) -> str:
        """The list of customers."""
        return f"/w/{self.cast.workspace.slug}/customers/"

    @property
    def quarantine_path(self) -> str:
        """What was set aside."""
        return f"/w/{self.cast.workspace.slug}/quarantine/"

    @property
    def aside_path(self) -> str:
        """One of those operations."""
        return f"{self.quarantine_path}{self.aside}/"

    @property
    def empty_path(self) -> str:
        """The list of a workspace that has no customers yet."""
        return f"/w/{self.cast.elsewhere.slug}/customers/"

    def profile_path(self, customer: UUID | None = None, tab: str = "") -> str:
        """A customer's page; Anna's unless told otherwise."""
        return f"{self.list_path}{customer or self.anna}/" + (f"{tab}/" if tab else "")


def make_stage() -> Stage:
    """Everything, committed."""
    cast = make_cast()
    shop, now = cast.workspace, timezone.now()
    EventDefinition.objects.create(workspace=shop, name="Purchase", icon="shopping-bag", revenue_property="revenue")
    for path, label, fields in (
        ("city", "City", {"data_class": 0, "is_pinned": True}),
        ("auftragsbestaetigungsversandart", "Auftragsbestätigungsversandart", {"data_class": 0, "is_pinned": True}),
        ("delivery", "Delivery", {"data_class": 0, "type": "json"}),
    ):
        declare(shop, path, label=label, **fields)
    for event, path, label in (
        ("Purchase", "revenue", "Value"),
        ("Purchase", "order_no", "Order no."),
        ("Ticket opened", "priority", "Priority"),
    ):
        declare(shop, path, entity=f"event:{event}", label=label, data_class=0, is_pinned=True)
    others = [
        make_customer(
            shop,
            identifiers={"external_id": f"NL-3{number:05}", "email": f"somebody.{number}@elsewhere.example"},
            properties={"name": f"Somebody {number}", "plan": "basic"},
            last_seen=now - timedelta(days=2, hours=number),
        )
        for number in range(LISTED)
    ]
    anna = _anna(cast)
    make_segment(shop, "Kündigungsgefährdete Stammkundschaft", anna, *others[:5])
    make_segment(shop, "Newsletter-Abonnements", anna, others[0])
    make_segment(shop, "Filialabholung Nord", anna)
    email = IdentifierKind.objects.get(workspace=shop, name="email")
    SuppressedIdentifier.objects.create(
        workspace_id=shop.pk, kind_id=email.pk, digest=suppression_digest(shop.pk, email.pk, SUPPRESSED), at=now
    )
    return Stage(
        cast=cast,
        anna=anna,
        bo=_bo(cast),
        restricted=make_customer(
            shop, identifiers={"external_id": "NL-900001"}, properties={"name": "Careful"}, is_restricted=True
        ),
        merged=make_customer(shop, state="merged", merged_into=anna),
        deleted=make_customer(shop, state="deleted"),
        aside=_aside(cast),
        new=make_customer(shop, identifiers={"external_id": "NL-900002"}, last_seen=now - timedelta(minutes=5)),
    )


def _aside(cast: Cast) -> int:
    """What could not be applied; the number of one of them."""
    visit = Track(Ref("external_id", "NL-204118"), "Visit", properties={"remark": "late", "at": {"shop": "Altona"}})
    make_quarantined(cast.workspace, visit, reason="not_applicable")
    return int(make_quarantined(cast.workspace, visit, reason="absurd_time").pk)


def _anna(cast: Cast) -> UUID:
    """Somebody with a value of every class, and a long history."""
    anna = make_customer(
        cast.workspace,
        identifiers={"external_id": "NL-204118", "email": ANNA_EMAIL, "phone": ANNA_PHONE},
        properties={
            "name": ANNA_NAME,
            "plan": "gold",
            "city": "Hamburg-Altona",
            "auftragsbestaetigungsversandart": "E-mail",
            "delivery": {"floor": 3, "notes": ["ring twice", "leave it with the neighbours when nobody is at home"]},
            "iban": "DE-CANARY-IBAN",
            "pin": "canary-pin",
            "note": "canary-undeclared",
        },
        last_seen=timezone.now() - timedelta(minutes=12),
    )
    now = timezone.now()
    first = [
        make_event(
            cast.workspace, anna, "Ticket opened", at=now - timedelta(hours=1), subject="canary", priority="high"
        ),
        make_event(cast.workspace, anna, "Purchase", at=now - timedelta(days=1), revenue=12, order_no="B-771204"),
    ]
    # Straight into the table: one by one they would take longer than the tests.
    more = [
        Event(
            customer_id=anna, ts=at, received_at=at, type_id=first[number % 2].type_id, revenue=None,
            raw_props={"priority": "low", "subject": "canary"} if number % 2 == 0 else {"order_no": f"B-{number}"},
        )
        for number in range(EVENTS)
        for at in [now - timedelta(days=2, minutes=7 * number)]
    ]  # fmt: skip
    Event.objects.bulk_create(more)
    for one in first:
        same = [event.ts for event in more if event.type_id == one.type_id]
        EventCounter.objects.filter(customer_id=anna, type_id=one.type_id).update(n=1 + len(same), first_at=min(same))
    Customer.objects.filter(pk=anna).update(first_seen=more[-1].ts)
    return anna


def _bo(cast: Cast) -> UUID:
    """Somebody with a value of every class, one of everything that can belong to a customer, and a short history."""
    shop, now = cast.workspace, timezone.now()
    bo = make_customer(
        shop,
        identifiers={"external_id": "NL-204119", "email": "bo@elsewhere.example"},
        properties={"name": "Bo Short", "plan": "basic", "iban": "DE-OTHER-IBAN"},
        last_seen=now - timedelta(days=1),
    )
    make_event(shop, bo, "Purchase", at=now - timedelta(hours=1), revenue=8, order_no="B-1")
    for minutes in (5, 6):  # one row
        make_event(shop, bo, "Ticket opened", at=now - timedelta(minutes=minutes), priority="low")
    make_event(shop, bo, "customer_restricted", kind="system", at=now - timedelta(minutes=9))
    make_device(bo, "a-long-token-" * 8, raw_attributes={"os": "18", "model": "long name of a model"})
    make_relationship(bo, make_object(shop, "ACME-1", name="Acme"), role="owner")
    make_topic(shop, 1, "Neuheiten und Angebote", description="Once a week")
    make_topic(shop, 2, "Repairs")
    make_subscription(bo, 1, is_subscribed=False)
    make_subscription(bo, 2, is_subscribed=True)
    make_change(bo, "plan", "gold", "basic")
    make_change(bo, "name", "Bo Long", "Bo Short", at=now - timedelta(days=3))
    make_delivery(bo)
    return bo
