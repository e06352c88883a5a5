"""Makers of rows for tests. Whatever a test says about a person is unique, so that a leak can be found."""

import itertools
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.utils import timezone

from customers.folding import fold
from customers.identifiers import lookup_digest, normalise
from customers.models import (
    Customer,
    CustomerIdentifier,
    CustomerProfile,
    CustomerSearch,
    Device,
    IdentifierKind,
    IdentifierLookup,
    Object,
    ObjectType,
    PropertyChange,
    PropertyDefinition,
    Relationship,
    Subscription,
    Topic,
    User,
    Workspace,
    WorkspaceUserGrant,
)
from rolodesk import partitions
from rolodesk.database import connect
from segments.models import Segment, SegmentMember, SegmentUserGrant
from tracking.intake.operations import Operation, encode
from tracking.models import Delivery, Event, EventCounter, EventDefinition, QuarantinedItem

_numbers = itertools.count(1)
DEFAULT_KINDS = [
    ("external_id", "Customer no.", 0, "exact", True, True),
    ("email", "E-mail", 1, "email", True, False),
    ("phone", "Phone", 1, "phone", True, False),
]


def make_workspace(name: str = "Shop", **fields: Any) -> Workspace:
    """A workspace with its kinds and some declared properties."""
    workspace = Workspace.objects.create(name=name, **fields)
    for position, (kind, label, data_class, normaliser, lookup, searchable) in enumerate(DEFAULT_KINDS):
        IdentifierKind.objects.create(
            workspace=workspace, name=kind, label=label, data_class=data_class, normaliser=normaliser,
            has_lookup=lookup, is_searchable=searchable, position=position,
        )  # fmt: skip
    declare(workspace, "name", label="Name", role="name", is_searchable=True, is_pinned=True, position=1)
    declare(workspace, "plan", label="Plan", data_class=0, is_pinned=True, position=2)
    declare(workspace, "iban", label="IBAN", data_class=2, position=3)
    declare(workspace, "pin", label="PIN", data_class=3, position=4)
    return workspace


def declare(workspace: Workspace, path: str, **fields: Any) -> PropertyDefinition:
    """Declare a property."""
    return PropertyDefinition.objects.create(workspace=workspace, path=path, **fields)


def make_user(username: str = "", **fields: Any) -> User:
    """Somebody who may sign in but holds no permission."""
    return User.objects.create(username=username or f"user{next(_numbers)}", password=hashed_password(), **fields)


@cache
def hashed_password() -> str:
    """The password of everybody; hashed once, because that takes longer than most tests."""
    return make_password("correct horse battery")


def grant(user: User, workspace: Workspace, *permissions: str) -> None:
    """Permissions on the workspace."""
    for codename in permissions:
        permission = Permission.objects.get(codename=codename, content_type__app_label="customers")
        WorkspaceUserGrant.objects.get_or_create(user=user, permission=permission, content_object=workspace)


def grant_on_segment(user: User, segment: Segment, codename: str = "view_personal_in_segment") -> None:
    """A permission on the members of a segment."""
    permission = Permission.objects.get(codename=codename, content_type__app_label="segments")
    SegmentUserGrant.objects.create(user=user, permission=permission, content_object=segment)


def make_customer(
    workspace: Workspace,
    *,
    identifiers: dict[str, str] | None = None,
    properties: dict[str, Any] | None = None,
    last_seen: datetime | None = None,
    **fields: Any,
) -> UUID:
    """A customer with identifiers, profile and search line, as the write gate leaves him."""
    now = last_seen or timezone.now()
    times = {"created_at": now, "updated_at": now, "first_seen": now, "last_seen": now}
    customer = Customer.objects.create(workspace_id=workspace.pk, **(times | fields))
    CustomerProfile.objects.create(customer_id=customer.pk, raw_props=properties or {}, base_ts=now)
    kinds = {kind.name: kind for kind in IdentifierKind.objects.filter(workspace=workspace)}
    line: list[str] = []
    for name, value in (identifiers or {}).items():
        kind = kinds[name]
        normal = normalise(kind.normaliser, value)
        digest = lookup_digest(workspace.pk, kind.pk, normal)
        CustomerIdentifier.objects.create(
            customer_id=customer.pk, kind_id=kind.pk, raw_value=value, raw_normal=normal, raw_folded=fold(normal),
            digest=digest, last_used=now,
        )  # fmt: skip
        IdentifierLookup.objects.create(
            workspace_id=workspace.pk, kind_id=kind.pk, digest=digest, customer_id=customer.pk
        )
        line.append(fold(normal))
    searchable = PropertyDefinition.objects.filter(workspace=workspace, is_searchable=True, data_class__lte=1)
    line += [fold(str(properties[d.path])) for d in searchable if properties and d.path in properties]
    CustomerSearch.objects.create(customer_id=customer.pk, raw_line="\n".join(line))
    return customer.pk


def make_tombstone(workspace: Workspace, *, state: str = "merged", merged_into: UUID | None = None) -> UUID:
    """What the write gate leaves of a customer who was merged or deleted."""
    now = timezone.now()
    times = {"created_at": now, "updated_at": now, "first_seen": now, "last_seen": now}
    return Customer.objects.create(workspace_id=workspace.pk, state=state, merged_into=merged_into, **times).pk


def make_event(
    workspace: Workspace,
    customer: UUID,
    name: str = "Purchase",
    *,
    at: datetime | None = None,
    kind: str = "event",
    **props: Any,
) -> Event:
    """An event with its counter. ``revenue`` among the properties counts as the amount."""
    ts = at or timezone.now() - timedelta(minutes=next(_numbers))
    definition, _ = EventDefinition.objects.get_or_create(workspace=workspace, kind=kind, name=name)
    with connect(application="test") as connection:
        partitions.make(connection, partitions.EVENT, [ts.astimezone(UTC).date()])
    revenue = props.get("revenue")
    event = Event.objects.create(
        customer_id=customer, ts=ts, type_id=definition.pk, received_at=ts, revenue=revenue, raw_props=props
    )
    counter = EventCounter.objects.filter(customer_id=customer, type_id=definition.pk).first()
    if counter is None:
        EventCounter.objects.create(
            customer_id=customer, type_id=definition.pk, n=1, first_at=ts, last_at=ts, revenue=revenue
        )
    else:
        total = (counter.revenue or 0) + (revenue or 0) if revenue is not None else counter.revenue
        EventCounter.objects.filter(customer_id=customer, type_id=definition.pk).update(
            n=counter.n + 1, first_at=min(counter.first_at, ts), last_at=max(counter.last_at, ts), revenue=total
        )
    Customer.objects.filter(pk=customer, first_seen__gt=ts).update(first_seen=ts)
    Customer.objects.filter(pk=customer, last_seen__lt=ts).update(last_seen=ts)
    return event


def make_history(workspace: Workspace, customer: UUID, count: int, *, since: datetime) -> None:
    """Events of two types in turn, one a minute, all within one month."""
    first, second = (make_event(workspace, customer, name, at=since).type_id for name in ("Even", "Odd"))
    Event.objects.filter(customer_id=customer, type_id__in=(first, second)).delete()
    moments = [since + timedelta(minutes=minute) for minute in range(count)]
    Event.objects.bulk_create(
        Event(customer_id=customer, ts=at, received_at=at, type_id=(first, second)[n % 2])
        for n, at in enumerate(moments)
    )
    for type_id, n in ((first, count - count // 2), (second, count // 2)):
        EventCounter.objects.filter(customer_id=customer, type_id=type_id).update(n=n, last_at=moments[-1])
    Customer.objects.filter(pk=customer, last_seen__lt=moments[-1]).update(last_seen=moments[-1])


def make_segment(workspace: Workspace, name: str = "Regulars", *members: UUID, **fields: Any) -> Segment:
    """A manual segment."""
    segment = Segment.objects.create(workspace=workspace, name=name, **fields)
    for member in members:
        SegmentMember.objects.create(segment_id=segment.pk, customer_id=member, entered_at=timezone.now())
    return segment


# --- What belongs to a customer ------------------------------------------------------------------


def make_device(customer: UUID, token: str = "", **fields: Any) -> Device:
    """A device as it was reported; attributes are ``raw_attributes``."""
    token = token or f"token-{next(_numbers)}"
    values = {"platform": "ios", "last_used": timezone.now() - timedelta(minutes=next(_numbers))} | fields
    return Device.objects.create(customer_id=customer, digest=uuid4(), raw_token=token, **values)


def make_object(workspace: Workspace, key: str = "", *, number: int = 1, **props: Any) -> Object:
    """An object, and its type if there is none of this number."""
    names = {"name": f"Object type {number}"}
    type_, _ = ObjectType.objects.get_or_create(workspace=workspace, number=number, defaults=names)
    now = timezone.now()
    return Object.objects.create(
        workspace_id=workspace.pk, type_id=type_.pk, raw_key=key or f"object-{next(_numbers)}", raw_props=props,
        created_at=now, updated_at=now,
    )  # fmt: skip


def make_relationship(customer: UUID, row: Object, *, at: datetime | None = None, **attributes: Any) -> Relationship:
    """The customer belongs to the object."""
    at = at or timezone.now() - timedelta(minutes=next(_numbers))
    return Relationship.objects.create(
        customer_id=customer, object_id=row.pk, raw_attributes=attributes, created_at=at, updated_at=at
    )


def make_topic(workspace: Workspace, number: int, name: str = "", **fields: Any) -> Topic:
    """A topic to subscribe to."""
    return Topic.objects.create(workspace=workspace, number=number, name=name or f"Topic {number}", **fields)


def make_subscription(customer: UUID, topic: int, *, is_subscribed: bool, at: datetime | None = None) -> Subscription:
    """What the customer said about a topic; 0 stands for messages altogether."""
    return Subscription.objects.create(
        customer_id=customer, topic=topic, is_subscribed=is_subscribed, at=at or timezone.now(), source="track"
    )


def make_change(customer: UUID, name: str, old: Any, new: Any, *, at: datetime | None = None, **fields: Any) -> Any:
    """A change of a property, or of what ``part`` says."""
    at = at or timezone.now() - timedelta(minutes=next(_numbers))
    with connect(application="test") as connection:
        partitions.make(connection, partitions.PROPERTY_CHANGE, [at.astimezone(UTC).date()])
    Customer.objects.filter(pk=customer, created_at__gt=at).update(created_at=at)
    values = {"ts": at, "source": "track"} | fields
    return PropertyChange.objects.create(customer_id=customer, at=at, name=name, raw_old=old, raw_new=new, **values)


def make_delivery(customer: UUID, delivery_id: str = "", *, at: datetime | None = None, **fields: Any) -> Delivery:
    """A message that was sent to the customer."""
    at = at or timezone.now() - timedelta(minutes=next(_numbers))
    values = {"channel": "email", "last_metric": "opened", "first_at": at, "last_at": at} | fields
    delivery_id = delivery_id or f"delivery-{next(_numbers)}"
    return Delivery.objects.create(customer_id=customer, digest=uuid4(), raw_delivery_id=delivery_id, **values)


def make_quarantined(
    workspace: Workspace, *operations: Operation, reason: str = "not_applicable", **fields: Any
) -> QuarantinedItem:
    """Operations that were set aside; ``raw_body`` for what is none."""
    now = timezone.now()
    body = encode(list(operations)).decode()
    values = {"route": "track", "received_at": now, "at": now, "raw_body": body} | fields
    return QuarantinedItem.objects.create(workspace_id=workspace.pk, reason=reason, **values)
