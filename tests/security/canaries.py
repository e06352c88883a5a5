"""People whose every private field holds a word that stands nowhere else, so that a leak can be found."""

import itertools
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.utils import timezone

from customers.folding import fold
from customers.identifiers import lookup_digest, normalise
from customers.models import Customer, CustomerIdentifier, IdentifierKind, IdentifierLookup, Workspace
from customers.services.tokens import issue_token
from dialects.customerio_track.dialect import tokens
from rolodesk.json import Json
from tests.cast import Cast
from tests.contracts.client import TrackClient
from tests.factories import declare, grant, make_segment, make_user
from tests.security import reference
from tracking.intake.worker import Worker
from tracking.models import EventDefinition

# Owners: somebody everybody may open, somebody restricted, somebody deleted, somebody of another workspace.
OWNERS = OPEN, RESTRICTED, GONE, ELSEWHERE = "open", "restricted", "gone", "elsewhere"
SECRET = 3
EDITORS = ("lead", "root")
GRANTED = {"support": 0, "lead": 1, "root": 2, "outsider": 2}
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Canary:
    """A value that stands in one place of one person; ``forms`` are how the pages write it."""

    value: str
    place: str
    data_class: int
    owner: str
    forms: tuple[str, ...] = ()
    is_setting: bool = False
    is_for_editors: bool = False

    def is_for(self, role: str) -> bool:
        """Whether this role may see it."""
        is_in_reach = role == "root" or (role == "outsider") == (self.owner == ELSEWHERE)
        if role == "anonymous" or self.owner == GONE or not is_in_reach:
            return False
        if self.is_for_editors and role not in EDITORS:
            return False
        return reference.sees(self.data_class, p=GRANTED[role], is_restricted=self.owner == RESTRICTED)

    @property
    def spellings(self) -> tuple[str, ...]:
        """All that is looked for."""
        return (self.value, *self.forms)


def word() -> str:
    """A word with something in it for each encoding to change."""
    return f"Kanary Ö&<{next(_numbers):04d}>"


@dataclass(slots=True)
class Crowd:
    """The people and their canaries; ``answers`` are those of the dialect on the way in."""

    cast: Cast
    canaries: list[Canary] = field(default_factory=list)
    customers: dict[str, UUID] = field(default_factory=dict)
    answers: list[tuple[str, str]] = field(default_factory=list)

    def values(self, *, hidden_from: str) -> list[str]:
        """All spellings of what a role may not see."""
        return [text for one in self.canaries if not one.is_for(hidden_from) for text in one.spellings]

    def release(self, owner: str, place: str, data_class: int, value: str = "", *forms: str, **fields: Any) -> str:
        """A new canary's value."""
        canary = Canary(value or word(), place, data_class, owner, forms, **fields)
        self.canaries.append(canary)
        return canary.value

    def workspace(self, owner: str) -> Workspace:
        """Where a person belongs."""
        return self.cast.elsewhere if owner == ELSEWHERE else self.cast.workspace


def make_crowd(cast: Cast) -> Crowd:
    """The crowd, brought in by the front door: the dialect, the inbox and its worker."""
    crowd = Crowd(cast)
    doors = {workspace.pk: _open_door(workspace) for workspace in (cast.workspace, cast.elsewhere)}
    guests = [_invite(crowd, doors[crowd.workspace(owner).pk], owner) for owner in OWNERS]
    # What somebody was before stands in his history.
    for send in (_send_former, _send_everything):
        for guest in guests:
            send(guest)
        _apply()
    for owner, number in [(guest.owner, guest.number) for guest in guests]:
        kind = IdentifierKind.objects.get(workspace=crowd.workspace(owner), name="external_id")
        digest = lookup_digest(kind.workspace_id, kind.pk, normalise("exact", number))
        crowd.customers[owner] = IdentifierLookup.objects.get(digest=digest).customer_id
        _attach(crowd, owner, "phone", 1, f"+4930555{next(_numbers):05d}")
        _attach(crowd, owner, "loyalty", 2, word())
    Customer.objects.filter(pk=crowd.customers[RESTRICTED]).update(is_restricted=True)
    Customer.objects.filter(pk=crowd.customers[GONE]).update(state="deleted")
    # The name of a segment can tell what its rule is about.
    name = crowd.release(OPEN, "name of a segment", 1, is_setting=True)
    make_segment(cast.workspace, name, crowd.customers[OPEN], data_class=1)
    return crowd


def _open_door(workspace: Workspace) -> TrackClient:
    """Declare what comes in, and a key to bring it in with."""
    for name, data_class in (("anonymous_id", 1), ("loyalty", 2)):
        IdentifierKind.objects.create(
            workspace=workspace, name=name, label=name, data_class=data_class, position=9, is_multiple=data_class == 1
        )
    EventDefinition.objects.create(workspace=workspace, kind="event", name="Purchase", revenue_property="amount")
    for path, data_class in (("shop", 0), ("amount", 1), ("card", 2), ("cvc", 3)):
        kind = "money" if path == "amount" else "text"
        declare(workspace, path, entity="event:Purchase", data_class=data_class, type=kind)
    service, site = make_user(is_service=True), f"site-{workspace.pk}"
    grant(service, workspace, "edit")
    key = issue_token(
        user_id=service.pk, workspace_id=workspace.pk, face="track", name="shop", scopes=["edit"], public_id=site
    )
    tokens.forget()
    return TrackClient(workspace.pk, site, key)


@dataclass(frozen=True, slots=True)
class _Guest:
    """One person on the way in."""

    crowd: Crowd
    door: TrackClient
    owner: str
    number: str

    def new(self, place: str, data_class: int, value: str = "", *forms: str, **fields: Any) -> str:
        """A canary of this person."""
        return self.crowd.release(self.owner, place, data_class, value, *forms, **fields)

    def send(self, method: str, path: str, body: Json = None, content: bytes | None = None, *, key: str = "") -> None:
        """A call, whose answer is kept; ``key`` is another than the right one."""
        response = replace(self.door, api_key=key or self.door.api_key).send(method, path, body, content=content)
        self.crowd.answers.append((f"{method} {path}", f"{response.headers}\n{response.text}"))

    @property
    def path(self) -> str:
        """The person's address."""
        return f"/api/v1/customers/{quote(self.number, safe='')}"


def _invite(crowd: Crowd, door: TrackClient, owner: str) -> _Guest:
    """A person of this owner's kind. A number is public, but not that of somebody restricted."""
    return _Guest(
        crowd, door, owner, crowd.release(owner, "number", 0) if owner == RESTRICTED else f"C-{next(_numbers)}"
    )


def _apply() -> None:
    """Have everything applied that waits."""
    worker = Worker(0)
    while worker.turn():
        pass
    worker.close()


def _send_former(guest: _Guest) -> None:
    email = f"former.{next(_numbers):04d}@fjord.example"
    # Of former addresses nothing is kept to show.
    former = {"email": guest.new("former e-mail", SECRET, email), "name": guest.new("former name", 1)}
    guest.send("PUT", guest.path, former)


def _send_everything(guest: _Guest) -> None:
    mailbox = f"kanary.ö&{next(_numbers):04d}"
    email = guest.new("e-mail", 1, f"{mailbox}@fjord.example", mailbox)
    _send_person(guest, email)
    _send_events(guest)
    _send_belongings(guest, email)
    _send_what_is_refused(guest)


def _send_person(guest: _Guest, email: str) -> None:
    new = guest.new
    attributes = {
        "email": email,
        "anonymous_id": new("anonymous id", 1),
        "name": new("name", 1),
        "plan": new("plan", 0),
        "iban": new("iban", 2),
        "pin": new("pin", SECRET),
        "note": new("undeclared property", 1),
        "address": {"street": new("property in an object", 1)},
        "tags": [new("property in a list", 1)],
    }
    guest.send("PUT", guest.path, attributes)
    guest.send("POST", "/api/v1/forms/enquiry/submit", {"data": {"id": guest.number, "city": new("form", 1)}})


def _send_events(guest: _Guest) -> None:
    new, amount = guest.new, 910_000 + next(_numbers)
    data = {
        "amount": float(new("amount", 1, f"{amount}.64", f"{amount:,}.64")),
        "shop": new("public property of an event", 0),
        "card": new("card", 2),
        "cvc": new("cvc", SECRET),
        "remark": new("undeclared property of an event", 1),
    }
    guest.send("POST", f"{guest.path}/events", {"name": "Purchase", "data": data})
    guest.send("POST", f"{guest.path}/events", {"type": "page", "name": f"https://shop.example/?q={new('page', 1)}"})


def _send_belongings(guest: _Guest, email: str) -> None:
    new = guest.new
    device = {"id": new("token of a device", 1), "platform": "ios", "attributes": {"os": new("device", 1)}}
    guest.send("PUT", f"{guest.path}/devices", {"device": device})
    role = {"identifiers": {"id": guest.number}, "relationship_attributes": {"role": new("relationship", 1)}}
    company = {
        "type": "object",
        "action": "identify",
        "identifiers": {"object_type_id": "1", "object_id": new("key of an object", 1)},
        "attributes": {"name": new("object", 1)},
        "cio_relationships": [role],
    }
    guest.send("POST", "/api/v2/entity", company)
    report = {
        "delivery_id": new("delivery", 1, f"kanary-delivery-{next(_numbers):04d}"),
        "metric": "clicked",
        "recipient": email,
        "href": new("link in a message", 1),
    }
    guest.send("POST", "/api/v1/metrics", report)


def _send_what_is_refused(guest: _Guest) -> None:
    """What is set aside shows to editors who see sensitive data; what is refused is not kept at all."""
    new = guest.new
    late = {"name": "Purchase", "timestamp": 10**18, "data": {"remark": new("quarantine", 2, is_for_editors=True)}}
    guest.send("POST", f"{guest.path}/events", late)
    guest.send("PUT", guest.path, content=b'{"note": "%s' % new("broken body", SECRET).encode())
    guest.send("PUT", guest.path, {"note": new("value that is too long", SECRET) * 100})
    guest.send("PUT", guest.path, [new("body that is no object", SECRET)])
    guest.send("GET", f"/api/v1/people/{quote(new('path', SECRET), safe='')}")
    guest.send("POST", "/api/v2/batch", {"batch": [{"type": new("field of a batch", SECRET)}]})
    elsewhere = f"/api/v1/customers/{quote(new('path without a key', SECRET), safe='')}"
    guest.send("PUT", elsewhere, {}, key="wrong")
    guest.send("POST", f"/unsubscribe/{quote(new('unknown message', SECRET), safe='')}", {}, key="wrong")


def _attach(crowd: Crowd, owner: str, kind_name: str, data_class: int, value: str) -> None:
    """An identifier of a kind that the dialect does not bring in."""
    kind = IdentifierKind.objects.get(workspace=crowd.workspace(owner), name=kind_name)
    normal = normalise(kind.normaliser, crowd.release(owner, kind_name, data_class, value))
    digest = lookup_digest(kind.workspace_id, kind.pk, normal)
    IdentifierLookup.objects.create(
        workspace_id=kind.workspace_id, kind_id=kind.pk, digest=digest, customer_id=crowd.customers[owner]
    )
    CustomerIdentifier.objects.create(
        customer_id=crowd.customers[owner], kind_id=kind.pk, raw_value=value, raw_normal=normal,
        raw_folded=fold(normal), digest=digest, last_used=timezone.now(),
    )  # fmt: skip
