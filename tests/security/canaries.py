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

    def is_for(self, role: str) -> bool:
        """Whether this role may see it."""
        is_in_reach = role == "root" or (role == "outsider") == (self.owner == ELSEWHERE)
        if role == "anonymous" or self.owner == GONE or not is_in_reach:
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
    numbers = {owner: _bring_in(crowd, doors[crowd.workspace(owner).pk], owner) for owner in OWNERS}
    worker = Worker(0)
    while worker.turn():
        pass
    worker.close()
    for owner, number in numbers.items():
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


def _bring_in(crowd: Crowd, door: TrackClient, owner: str) -> str:
    """Send everything about one person; returns his number."""

    def new(place: str, data_class: int, value: str = "", *forms: str) -> str:
        return crowd.release(owner, place, data_class, value, *forms)

    def send(method: str, path: str, body: Json, content: bytes | None = None) -> None:
        response = door.send(method, path, body, content=content)
        crowd.answers.append((f"{method} {path}", f"{response.headers}\n{response.text}"))

    # A number is public, but not that of somebody restricted.
    number = new("number", 0) if owner == RESTRICTED else f"C-{next(_numbers)}"
    mailbox, amount = f"kanary.ö&{next(_numbers):04d}", 910_000 + next(_numbers)
    person = f"/api/v1/customers/{quote(number, safe='')}"
    attributes: Json = {
        "email": new("e-mail", 1, f"{mailbox}@fjord.example", mailbox),
        "anonymous_id": new("anonymous id", 1),
        "name": new("name", 1),
        "plan": new("plan", 0),
        "iban": new("iban", 2),
        "pin": new("pin", SECRET),
        "note": new("undeclared property", 1),
        "address": {"street": new("property in an object", 1)},
        "tags": [new("property in a list", 1)],
    }
    send("PUT", person, attributes)
    send("PUT", person, {"name": attributes["name"], "note": attributes["note"], "_timestamp": 1_700_000_000})
    data = {
        "amount": float(new("amount", 1, f"{amount}.64", f"{amount:,}.64")),
        "shop": new("public property of an event", 0),
        "card": new("card", 2),
        "cvc": new("cvc", SECRET),
        "remark": new("undeclared property of an event", 1),
    }
    send("POST", f"{person}/events", {"name": "Purchase", "data": data})
    send("POST", f"{person}/events", {"type": "page", "name": f"https://shop.example/?q={new('page', 1)}"})
    # What is refused or set aside is shown to nobody.
    late = {"name": "Purchase", "timestamp": 10**18, "data": {"remark": new("quarantine", SECRET)}}
    send("POST", f"{person}/events", late)
    send("PUT", person, None, b'{"note": "%s' % new("broken body", SECRET).encode())
    send("PUT", person, {"note": new("value that is too long", SECRET) * 100})
    send("PUT", person, [new("body that is no object", SECRET)])
    send("GET", f"/api/v1/people/{quote(new('path', SECRET), safe='')}", None)
    send("POST", "/api/v2/batch", {"batch": [{"type": new("field of a batch", SECRET)}]})
    stranger = replace(door, api_key="wrong")
    response = stranger.send("PUT", f"/api/v1/customers/{quote(new('path without a key', SECRET), safe='')}", {})
    crowd.answers.append(("PUT without a key", f"{response.headers}\n{response.text}"))
    return number


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
