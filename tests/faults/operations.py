"""What clients send: random operations on the people of one connection, in both versions of the wire."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from ulid import ULID

from tests.faults.people import (
    ANONYMOUS_ID,
    EMAIL,
    EXTERNAL_ID,
    Item,
    Json,
    Name,
    Operation,
    People,
    email_of,
    tokens_of,
)

DAY = 86_400
BATCH_SHARE = 0.1
SERIAL_BATCH_SHARE = 0.15
BATCH_SIZES = (5, 30)
NEWCOMERS = 0.06
REMEMBERED = 50
OBJECTS = 10
# An event carries: an id that tells its time, an id alone, an id and a time, an id and a time ahead, a time, nothing.
FORMS = ("ulid", "text", "timed", "ahead", "bare timed", "bare")
FORM_WEIGHTS = (25, 30, 20, 5, 8, 12)
V2_KEYS = {EXTERNAL_ID: "id", EMAIL: "email", ANONYMOUS_ID: "anonymous_id"}


@dataclass(slots=True)
class Client:
    """Makes operations; each is applied to the model as it is made."""

    people: People
    random: Random
    visitors: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    # Whom the rest of a batch names.
    busy: set[str] = field(default_factory=set)
    sent: deque[Operation] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def next(self) -> list[Operation]:
        """One operation, or those of a batch."""
        if self.random.random() >= BATCH_SHARE:
            return [self._one(ALL)]
        size = self.random.randint(*BATCH_SIZES)
        if self.random.random() >= SERIAL_BATCH_SHARE:
            return [self._one(MANY) for _ in range(size)]
        batch = [self._one(MANY | THINGS) for _ in range(size)]
        # A batch is sent again as a whole. To delete, in one, whom it made has an effect each time; so those who
        # are removed or joined are named by nothing else of it.
        self.busy = {token for one in batch for token in self.people.together(one.item.about)}
        batch.append(self._one(CONTROLS))
        self.busy = set()
        return batch

    def _one(self, kinds: "dict[Make, float]") -> Operation:
        (make,) = self.random.choices(list(kinds), list(kinds.values()))
        return make(self)

    # --- Whom ---------------------------------------------------------------------------------------

    def _somebody(self) -> str:
        """A person, now and then a new one."""
        free = [key for key in self.keys if key not in self.busy] if self.busy else self.keys
        if not free or self.random.random() < NEWCOMERS:
            self.keys.append(self.people.new_token("p"))
            return self.keys[-1]
        return self.random.choice(free)

    def _barred(self) -> str:
        """Somebody who is barred, if there is one."""
        barred = [
            value
            for (kind, value), group in self.people.barred.items()
            if kind == EXTERNAL_ID and self.busy.isdisjoint(tokens_of(group))
        ]
        return self.random.choice(barred) if barred else self._somebody()

    def _name(self, token: str) -> Name:
        """How he is named this time: by his id, or by his e-mail where he has it."""
        email = (EMAIL, email_of(token))
        return email if email in self.people.owners and self.random.random() < 0.2 else (EXTERNAL_ID, token)

    # --- Events -------------------------------------------------------------------------------------

    def event(self) -> Operation:
        """Something that a person did."""
        token = self._somebody()
        return self._event(token, self._name(token))

    def anonymous_event(self) -> Operation:
        """Something that a visitor did."""
        if not self.visitors or self.random.random() < 0.5:
            self.visitors.append(self.people.new_token("v"))
        token = self.random.choice(self.visitors)
        return self._event(token, (ANONYMOUS_ID, token))

    def _event(self, token: str, name: Name) -> Operation:
        item = self.people.new_item("event", about=token)
        self.people.attach(item, name)
        fields = self._when(item)
        operation = self._track(item, name, fields)
        if item.is_repeatable:
            self.sent.append(operation)
        return operation

    def _when(self, item: Item) -> dict[str, Json]:
        (form,) = self.random.choices(FORMS, FORM_WEIGHTS)
        now = int(time.time())
        item.is_repeatable = not form.startswith("bare")
        fields: dict[str, Json] = {}
        if form == "ulid":
            fields["id"] = str(ULID())
        elif item.is_repeatable:
            fields["id"] = f"order {item.marker}"
        if form in ("timed", "bare timed"):
            fields["timestamp"] = now - self.random.randrange(40 * DAY)
        elif form == "ahead":
            fields["timestamp"] = now + 3 * DAY
        return fields

    def _track(self, item: Item, name: Name, fields: dict[str, Json]) -> Operation:
        facts = {"marker": item.marker, "who": item.about}
        title = self.random.choice(("Purchase", "Visit", "Search"))
        entity = {"type": "person", "action": "event", "identifiers": {V2_KEYS[name[0]]: name[1]}, "name": title}
        body = {"name": title, "data": facts, **fields}
        if name[0] == ANONYMOUS_ID:
            request = ("POST", "/api/v1/events", body | {"anonymous_id": name[1]})
        else:
            request = ("POST", f"{_path(name)}/events", body)
        return Operation(item, entity | {"attributes": facts} | fields, request)

    def replay(self) -> Operation:
        """An event once more, as clients do whose first answer got lost."""
        known = [one for one in self.sent if not one.item.is_gone and self._is_named(one)]
        return self.random.choice(known) if known else self.event()

    def _is_named(self, operation: Operation) -> bool:
        """Whether its name still means the same; an e-mail may have been taken away meanwhile."""
        ((key, value),) = operation.entity["identifiers"].items()
        kind = next(kind for kind, one in V2_KEYS.items() if one == key)
        record = operation.item.record
        return record is not None and self.people.owners.get((kind, value)) is record.root

    # --- What has no effect, or another -------------------------------------------------------------

    def refused(self) -> Operation:
        """An event without a name."""
        token = self._somebody()
        item = self.people.new_item("event", about=token, is_gone=True)
        whole = self._track(item, (EXTERNAL_ID, token), {"id": f"order {item.marker}"})
        assert whole.request
        method, path, body = whole.request
        return Operation(item, whole.entity | {"name": " "}, (method, path, body | {"name": " "}), is_valid=False)

    def poison(self) -> Operation:
        """An event of a time that cannot be meant: well formed, and never applied. Often of somebody barred."""
        token = self._barred() if self.random.random() < 0.5 else self._somebody()
        is_dropped = (EXTERNAL_ID, token) in self.people.barred
        item = self.people.new_item("quarantine", about=token, is_repeatable=False, is_gone=is_dropped)
        return self._track(item, (EXTERNAL_ID, token), {"id": f"order {item.marker}", "timestamp": 31_536_000})

    # --- People -------------------------------------------------------------------------------------

    def identify(self) -> Operation:
        """A property that nothing else writes, and one that all do."""
        return self._identify(self._somebody(), email=self.random.random() < 0.4)

    def join(self) -> Operation:
        """A visitor turns out to be a person."""
        token, visitor = self._somebody(), self.random.choice(self.visitors) if self.visitors else ""
        owner = self.people.owners.get((ANONYMOUS_ID, visitor))
        is_other = owner is not None and owner is not self.people.owners.get((EXTERNAL_ID, token))
        if owner is not None and is_other and not owner.is_anonymous:
            # He would not get it, and his history would say so: a trace of somebody else's name.
            visitor = ""
        return self._identify(token, visitor=visitor)

    def _identify(self, token: str, *, email: bool = False, visitor: str = "") -> Operation:
        item = self.people.new_item("property", about=token)
        item.name = f"p_{item.marker}"
        self.people.identify(item, token, email=email, visitor=visitor)
        attributes = {item.name: item.marker, "last": item.marker}
        if email:
            attributes["email"] = email_of(token)
        if visitor:
            attributes["anonymous_id"] = visitor
        entity = {"type": "person", "action": "identify", "identifiers": {"id": token}, "attributes": attributes}
        return Operation(item, entity, ("PUT", _path((EXTERNAL_ID, token)), attributes))

    def merge(self) -> Operation:
        """Two people become one; often somebody is missing, and nothing happens."""
        primary, secondary = self._somebody(), self._somebody()
        while secondary == primary:
            secondary = self.people.new_token("p")
            self.keys.append(secondary)
        into, source = (self.people.owners.get((EXTERNAL_ID, one)) for one in (primary, secondary))
        if into is not None and source is not None and into is not source:
            self.people.merge(into, source)
        item = self.people.new_item("state", about=primary)
        body = {"primary": {"id": primary}, "secondary": {"id": secondary}}
        entity = {"type": "person", "action": "merge", **body}
        return Operation(item, entity, ("POST", "/api/v1/merge_customers", body), is_serial=True)

    def delete(self) -> Operation:
        """A person goes."""
        token = self._somebody()
        self.people.delete((EXTERNAL_ID, token))
        return self._control("delete", token, ("DELETE", _path((EXTERNAL_ID, token)), {}))

    def suppress(self) -> Operation:
        """A person goes and may not come back."""
        token = self._somebody()
        self.people.suppress((EXTERNAL_ID, token))
        return self._control("suppress", token, ("POST", f"{_path((EXTERNAL_ID, token))}/suppress", {}))

    def unsuppress(self) -> Operation:
        """One who was barred may come back."""
        token = self._barred()
        self.people.unsuppress((EXTERNAL_ID, token))
        return self._control("unsuppress", token, ("POST", f"{_path((EXTERNAL_ID, token))}/unsuppress", {}))

    def _control(self, action: str, token: str, request: tuple[str, str, Json]) -> Operation:
        item = self.people.new_item("state", about=token)
        entity = {"type": "person", "action": action, "identifiers": {"id": token}}
        return Operation(item, entity, request, is_serial=True)

    # --- Devices and objects ------------------------------------------------------------------------

    def device(self) -> Operation:
        """A device is there, or is gone."""
        token = self._somebody()
        item = self.people.new_item("state", about=token)
        device = f"{token}-{self.random.randrange(2)}"
        name = (EXTERNAL_ID, token)
        if self.random.random() < 0.2:
            record = self.people.owners.get(name)
            if record is not None:
                record.devices.pop(device, None)
            entity: dict[str, Json] = {"action": "delete_device", "device": {"token": device}}
            request: tuple[str, str, Json] = ("DELETE", f"{_path(name)}/devices/{device}", {})
        else:
            record = self.people.reach(name)
            if record is not None:
                record.devices[device] = item.marker
            facts = {"platform": "ios", "attributes": {"marker": item.marker}}
            entity = {"action": "add_device", "device": {"token": device, **facts}}
            request = ("PUT", f"{_path(name)}/devices", {"device": {"id": device, **facts}})
        return Operation(item, {"type": "person", "identifiers": {"id": token}} | entity, request, is_serial=True)

    def relate(self) -> Operation:
        """A person belongs to an object, or does not any more; version 2 only."""
        token = self._somebody()
        item = self.people.new_item("state", about=token)
        key = f"o{self.people.number}x{self.random.randrange(OBJECTS)}"
        is_removal = self.random.random() < 0.2
        name = (EXTERNAL_ID, token)
        record = self.people.owners.get(name) if is_removal else self.people.reach(name)
        link: dict[str, Json] = {"identifiers": {"object_type_id": "1", "object_id": key}}
        if is_removal:
            if record is not None:
                record.relations.pop(key, None)
        else:
            link["relationship_attributes"] = {"marker": item.marker, "who": token}
            if record is not None:
                record.relations[key] = item.marker
        entity = {
            "type": "person",
            "action": "delete_relationships" if is_removal else "add_relationships",
            "identifiers": {"id": token},
            "cio_relationships": [link],
        }
        return Operation(item, entity, is_serial=True)


def _path(name: Name) -> str:
    return f"/api/v1/customers/{name[1].replace('@', '%40')}"


Make = Callable[[Client], Operation]
MANY: dict[Make, float] = {
    Client.event: 46, Client.identify: 20, Client.replay: 4, Client.anonymous_event: 5, Client.join: 3,
    Client.refused: 1.5, Client.poison: 0.7,
}  # fmt: skip
THINGS: dict[Make, float] = {Client.device: 6, Client.relate: 6}
CONTROLS: dict[Make, float] = {Client.merge: 3, Client.delete: 2.5, Client.suppress: 1.5, Client.unsuppress: 1.2}
ALL = MANY | THINGS | CONTROLS
