"""What each serial operation does: one function a type, registered here or by a higher app.

Each runs in the worker's transaction, alone in its workspace, and returns what became of the operation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from customers.identity import Identifier, Refusal
from customers.writing import audit, devices, erase, merge, objects
from rolodesk.database import Connection
from rolodesk.json import Json
from tracking.intake import deliveries, sql
from tracking.intake.operations import (
    CUSTOMER_ID,
    EVERYTHING,
    Delete,
    DropDevice,
    DropObject,
    Identify,
    Merge,
    Operation,
    PutDevice,
    PutObject,
    Ref,
    Relate,
    RelatePeople,
    ReportDelivery,
    SubmitForm,
    Suppress,
    Track,
    Unsubscribe,
    Unsuppress,
    named_by,
)
from tracking.intake.times import EPOCH

if TYPE_CHECKING:
    from tracking.intake.apply import Applier, Item

APPLIED, IGNORED = "applied", "ignored"
SHORT_ID = 6


@dataclass(frozen=True, slots=True)
class Scene:
    """An operation with what applying it needs."""

    applier: "Applier"
    item: "Item"

    @property
    def connection(self) -> Connection:
        """The connection of the transaction."""
        return self.applier.connection

    @property
    def workspace_id(self) -> int:
        """Where it happens."""
        return self.item.claimed.workspace_id

    @property
    def received_at(self) -> datetime:
        """When it was accepted."""
        return self.item.claimed.received_at

    def moment(self, micros: int | None) -> datetime:
        """A stated time, but never later than it was received: nothing newer could beat it."""
        if micros is None:
            return self.received_at
        try:
            return min(EPOCH + timedelta(microseconds=micros), self.received_at)
        except OverflowError:
            return self.received_at

    def find(self, who: Ref) -> UUID | Refusal:
        """The live customer of this name."""
        return self.applier.find(self.workspace_id, who)

    def person(self, who: Ref, *, may_create: bool = True) -> UUID | Refusal:
        """The same; he is made if nobody has the name."""
        return self.write(Identify(who, may_create=may_create))

    def write(self, operation: Identify | Track) -> UUID | Refusal:
        """Identify or track as part of this operation, counted with it."""
        item = type(self.item)(self.item.claimed, operation)
        (owner,) = self.applier.apply_joining([item], {})
        return owner

    def note(self, customer_id: UUID, name: str, **facts: Json) -> None:
        """A row of ours on the timeline: ids and codes, never values."""
        micros = (self.received_at - EPOCH) // timedelta(microseconds=1)
        self.write(Track(Ref(CUSTOMER_ID, str(customer_id)), name, "system", facts, at=micros))

    def audit(self, action: str, *customer_ids: UUID, **data: Json) -> None:
        """An entry of the audit."""
        claimed = self.item.claimed
        audit.record(self.connection, action, claimed.workspace_id, claimed.route, claimed.token_id, customer_ids, data)


Effect = Callable[[Scene, Any], str]
_effects: dict[type, Effect] = {}


def register(operation: type, effect: Effect) -> None:
    """Say what an operation does; higher apps call this in ``ready``."""
    _effects[operation] = effect


def apply(scene: Scene, operation: Operation) -> str:
    """Apply a serial operation; returns the outcome it counts as."""
    return _effects[type(operation)](scene, operation)


# --- Removing and joining -----------------------------------------------------------------------


def _delete(scene: Scene, operation: Delete) -> str:
    customer = scene.find(operation.who)
    if isinstance(customer, Refusal):
        return customer.value
    erase.delete(scene.connection, scene.workspace_id, customer, scene.received_at)
    scene.audit("customer.deleted", customer)
    return APPLIED


def _suppress(scene: Scene, operation: Suppress) -> str:
    customer = scene.find(operation.who)
    named = [] if operation.who.kind == CUSTOMER_ID else [_named(scene, operation.who)]
    if isinstance(customer, Refusal) and not named:
        return customer.value
    customer_id = None if isinstance(customer, Refusal) else customer
    erase.suppress(scene.connection, scene.workspace_id, customer_id=customer_id, named=named, at=scene.received_at)
    dropped = sql.forget_quarantined(
        scene.connection, scene.workspace_id, lambda one: names_barred(scene, one, customer_id)
    )
    scene.audit("customer.suppressed", *([customer_id] if customer_id else []), quarantined=dropped)
    return APPLIED


def names_barred(scene: Scene, operation: Operation, customer_id: UUID | None = None) -> bool:
    """Whether an operation names somebody who is barred, or the customer who has just gone."""
    for who in named_by(operation):
        if who.kind == CUSTOMER_ID:
            if who.value == str(customer_id):
                return True
        elif scene.applier.is_barred(scene.workspace_id, who):
            return True
    return False


def _unsuppress(scene: Scene, operation: Unsuppress) -> str:
    who = operation.who
    if who.kind == CUSTOMER_ID:
        freed = erase.unsuppress_customer(scene.connection, scene.workspace_id, UUID(who.value))
    else:
        freed = erase.unsuppress(scene.connection, scene.workspace_id, _named(scene, who))
    if not freed:
        return IGNORED
    scene.audit("customer.unsuppressed", identifiers=freed)
    return APPLIED


def _named(scene: Scene, who: Ref) -> erase.Named:
    named = scene.applier.named(scene.workspace_id, who)
    assert isinstance(named, Identifier)  # noqa: S101  # narrows: own ids were told apart before
    return erase.Named(named.kind.id, named.normal)


def _merge(scene: Scene, operation: Merge) -> str:
    primary, secondary = scene.find(operation.primary), scene.find(operation.secondary)
    if isinstance(primary, Refusal):
        return primary.value
    if isinstance(secondary, Refusal):
        return secondary.value
    is_done = merge_and_note(scene, primary, secondary, name="customer_merged", by=scene.item.claimed.route)
    return APPLIED if is_done else IGNORED


def merge_and_note(scene: Scene, into: UUID, source: UUID, *, name: str, by: str) -> bool:
    """Join two customers, and say so on the timeline and in the audit. False: nothing was done."""
    merged = merge.merge(scene.connection, scene.workspace_id, into, source, scene.received_at)
    if merged is None:
        return False
    scene.note(into, name, absorbed=source.hex[-SHORT_ID:], by=by)
    scene.audit("customer.merged", into, source)
    return True


# --- Devices --------------------------------------------------------------------------------------


def _put_device(scene: Scene, operation: PutDevice) -> str:
    customer = scene.person(operation.who)
    if isinstance(customer, Refusal):
        return customer.value
    devices.put(
        scene.connection,
        scene.workspace_id,
        customer,
        token=operation.token,
        platform=operation.platform,
        last_used=scene.moment(operation.last_used),
        attributes=operation.attributes,
    )
    return APPLIED


def _drop_device(scene: Scene, operation: DropDevice) -> str:
    customer = scene.find(operation.who)
    if isinstance(customer, Refusal):
        return customer.value
    return APPLIED if devices.drop(scene.connection, scene.workspace_id, customer, operation.token) else IGNORED


# --- Objects --------------------------------------------------------------------------------------


def _relate(scene: Scene, operation: Relate) -> str:
    customer = (
        scene.find(operation.who)
        if operation.is_removal
        else scene.person(operation.who, may_create=operation.may_create)
    )
    if isinstance(customer, Refusal):
        return customer.value
    outcomes = [
        _link(scene, customer, link.object.type, link.object.key, link.attributes, is_removal=operation.is_removal)
        for link in operation.links
    ]
    return APPLIED if any(outcomes) else IGNORED


def _link(
    scene: Scene, customer: UUID, number: int, key: str, attributes: dict[str, Json], *, is_removal: bool
) -> bool:
    at = scene.received_at
    if is_removal:
        found = objects.find(scene.connection, scene.workspace_id, number, key)
        return found is not None and objects.unrelate(scene.connection, customer, found)
    found = objects.find_or_make(scene.connection, scene.workspace_id, number, key, at)
    if found is not None:
        objects.relate(scene.connection, customer, found, attributes, at)
    return found is not None


def _put_object(scene: Scene, operation: PutObject) -> str:
    at, object_ = scene.received_at, operation.object
    found = objects.find_or_make(scene.connection, scene.workspace_id, object_.type, object_.key, at)
    if found is None:
        return IGNORED
    objects.update(scene.connection, found, operation.attributes, at)
    for link in operation.people:
        customer = scene.person(link.who)
        if isinstance(customer, UUID):
            objects.relate(scene.connection, customer, found, link.attributes, at)
    return APPLIED


def _relate_people(scene: Scene, operation: RelatePeople) -> str:
    if not operation.is_removal:
        return _put_object(scene, PutObject(operation.object, people=operation.people))
    found = objects.find(scene.connection, scene.workspace_id, operation.object.type, operation.object.key)
    customers = [scene.find(link.who) for link in operation.people] if found else []
    removed = [objects.unrelate(scene.connection, one, found) for one in customers if found and isinstance(one, UUID)]
    return APPLIED if any(removed) else IGNORED


def _drop_object(scene: Scene, operation: DropObject) -> str:
    found = objects.find(scene.connection, scene.workspace_id, operation.object.type, operation.object.key)
    if found is None:
        return IGNORED
    objects.drop(scene.connection, scene.workspace_id, found)
    return APPLIED


# --- Messages and forms ---------------------------------------------------------------------------


def _report_delivery(scene: Scene, operation: ReportDelivery) -> str:
    customer = deliveries.owner(scene.connection, scene.workspace_id, operation.delivery_id)
    if customer is None:
        found = scene.find(operation.recipient) if operation.recipient else Refusal.IGNORED
        if isinstance(found, Refusal):
            return found.value
        customer = found
    at = scene.moment(operation.at)
    deliveries.note(
        scene.connection,
        scene.workspace_id,
        customer,
        delivery_id=operation.delivery_id,
        channel=operation.channel,
        metric=operation.metric,
        at=at,
    )
    facts = {"delivery_id": operation.delivery_id, **operation.details}
    # Without a time two reports are two; with one, a repeat is recognised.
    is_repeatable = operation.at is not None
    id_ = f"{operation.delivery_id}\n{operation.metric}\n{operation.at}" if is_repeatable else None
    name = f"{operation.channel or 'message'}_{operation.metric}"
    micros = (at - EPOCH) // timedelta(microseconds=1)
    scene.write(Track(Ref(CUSTOMER_ID, str(customer)), name, "message", facts, id_, micros))
    return APPLIED


def _unsubscribe(scene: Scene, operation: Unsubscribe) -> str:
    customer = deliveries.owner(scene.connection, scene.workspace_id, operation.delivery_id)
    if customer is None:
        return IGNORED
    who = Ref(CUSTOMER_ID, str(customer))
    scene.write(Identify(who, consent={EVERYTHING: not operation.is_unsubscribed}))
    name = "email_unsubscribed" if operation.is_unsubscribed else "email_resubscribed"
    scene.write(Track(who, name, "message", {"delivery_id": operation.delivery_id}))
    return APPLIED


def _submit_form(scene: Scene, operation: SubmitForm) -> str:
    customer = scene.write(Identify(operation.who, properties=dict(operation.attributes)))
    if isinstance(customer, Refusal):
        return customer.value
    facts = {"form": operation.form, **operation.data}
    scene.write(Track(Ref(CUSTOMER_ID, str(customer)), "Form submitted", "event", facts))
    return APPLIED


for _operation, _effect in (
    (Delete, _delete),
    (Suppress, _suppress),
    (Unsuppress, _unsuppress),
    (Merge, _merge),
    (PutDevice, _put_device),
    (DropDevice, _drop_device),
    (Relate, _relate),
    (PutObject, _put_object),
    (RelatePeople, _relate_people),
    (DropObject, _drop_object),
    (ReportDelivery, _report_delivery),
    (Unsubscribe, _unsubscribe),
    (SubmitForm, _submit_form),
):
    register(_operation, _effect)
