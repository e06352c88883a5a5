"""The demo's data in the words of the write gate."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from customers.services.definitions import Declaration
from tracking.demo.history import Dated
from tracking.demo.people import Person
from tracking.intake.operations import Identify, Operation, Ref, Track
from tracking.intake.times import EPOCH

PURCHASE = "Purchase"
ICON = "shopping-bag"
REVENUE = "value"
_EVENT = f"event:{PURCHASE}"

DECLARATIONS = (
    Declaration("plan", "Plan", data_class=0, is_pinned=True, position=10),
    Declaration("city", "City", data_class=0, is_pinned=True, position=11),
    Declaration("orders_count", "Orders", type="number", data_class=0, is_pinned=True, position=12),
    Declaration("value", "Value", entity=_EVENT, type="money", data_class=0, is_pinned=True, position=1),
    Declaration("cds", "CDs", entity=_EVENT, type="number", data_class=0, is_pinned=True, position=2),
    Declaration("order_no", "Order no.", entity=_EVENT, data_class=0, is_pinned=True, position=3),
)


def operations(people: Iterable[Person], history: dict[int, list[Dated]]) -> Iterator[Operation]:
    """All that happened, customer by customer, so that one customer's rows are not contended for."""
    for person in people:
        yield from _of(person, history[person.number])


def _of(person: Person, orders: list[Dated]) -> Iterator[Operation]:
    """First the customer signs up, then buys; what follows from the orders changes with the last one."""
    who, first, last = Ref("external_id", person.external_id), orders[0].at, orders[-1].at
    yield Identify(
        who=who,
        identifiers={"email": person.email, "phone": person.phone},
        properties={"name": person.name, "city": person.city, "created_at": _micros(first) // 10**6},
        at=_micros(first),
    )
    for order in orders:
        purchase = order.purchase
        yield Track(
            who=who,
            name=PURCHASE,
            # The row names the purchase for ever: sending it again changes nothing.
            id=f"cdnow-{purchase.row}",
            at=_micros(order.at),
            properties={"cds": purchase.cds, "value": purchase.value, "order_no": f"CDN-{purchase.row:05d}"},
        )
    yield Identify(who=who, properties={"plan": person.plan, "orders_count": len(orders)}, at=_micros(last))


def count(history: dict[int, list[Dated]]) -> int:
    """How many operations these will be."""
    return sum(len(orders) + 2 for orders in history.values())


def _micros(at: datetime) -> int:
    elapsed = at - EPOCH
    return (elapsed.days * 86400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
