"""One call that works for each route of the Track API, as the tests of hostile input bend it.

``whom`` and ``hash`` say where in the body an identifier and a free attribute stand: a path of keys.
"""

from copy import deepcopy
from dataclasses import dataclass

from customers.models import Workspace
from rolodesk.json import Json
from tests.contracts.client import TrackClient
from tests.factories import make_segment

# Stands for a segment that exists: ``on_segment``.
SEGMENT_ID = "(segment)"
DELIVERY = "RPILAgUBcRhIBqSfeiIwdIYJKxTY"
SINGLE, MANY, ENTITY, BATCH = 128 * 1024, 512 * 1024, 32 * 1024 - 1, 500 * 1024 - 1
EVENT = {"name": "Purchase", "data": {"sku": "a-1"}}
OPERATION = {
    "type": "person",
    "action": "identify",
    "identifiers": {"id": "ada"},
    "attributes": {"plan": "gold"},
}
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A call: ``template`` is that of the route, ``values`` fill it. ``limit`` is the longest body in bytes."""

    method: str
    template: str
    values: tuple[str, ...] = ()
    body: Json = None
    limit: int = SINGLE
    whom: Path = ()
    hash: Path = ()
    # It cannot be taken back or hits somebody else when it is misread: equal keys are refused.
    is_strict: bool = False
    # Operations that one call stores.
    stored: int = 1

    @property
    def name(self) -> str:
        """For the report of the tests."""
        return f"{self.method} {self.template}"

    @property
    def takes_body(self) -> bool:
        """Whether it reads one."""
        return self.body is not None

    def path(self, *values: str) -> str:
        """The address; ``values`` as they stand in it, encoded."""
        path = self.template
        for value in values or self.values:
            start, _, rest = path.partition("{")
            path = start + value + rest.partition("}")[2]
        return path

    def bent(self, where: Path, value: Json) -> Json:
        """The body with another value at a place."""
        body = deepcopy(self.body)
        target = body
        for key in where[:-1]:
            target = target[key]
        target[where[-1]] = value
        return body


PERSON = "/api/v1/customers/{identifier}"
SEGMENT = "/api/v1/segments/{segment_id}"
EXAMPLES = (
    Example("PUT", PERSON, ("ada",), {"email": "ada@b.example", "plan": "gold"}, MANY, ("email",), ("plan",)),
    Example("DELETE", PERSON, ("ada",), {}),
    Example(
        "PUT", f"{PERSON}/devices", ("ada",),
        {"device": {"id": "t-1", "platform": "ios", "attributes": {"os": "18"}}},
        whom=("device", "id"), hash=("device", "attributes", "os"),
    ),
    Example("DELETE", f"{PERSON}/devices/{{device_id}}", ("ada", "t-1"), {}),
    Example("POST", f"{PERSON}/suppress", ("ada",), {}),
    Example("POST", f"{PERSON}/unsuppress", ("ada",), {}),
    Example("POST", f"{PERSON}/events", ("ada",), {**EVENT, "id": "e-1"}, whom=("id",), hash=("data", "sku")),
    Example(
        "POST", "/api/v1/events", (), {**EVENT, "anonymous_id": "v-1"}, whom=("anonymous_id",), hash=("data", "sku")
    ),
    Example(
        "POST", "/api/v1/merge_customers", (), {"primary": {"id": "ada"}, "secondary": {"id": "eve"}},
        whom=("primary", "id"), is_strict=True,
    ),
    Example("POST", f"{SEGMENT}/add_customers", (SEGMENT_ID,), {"ids": ["ada"]}, MANY),
    Example("POST", f"{SEGMENT}/remove_customers", (SEGMENT_ID,), {"ids": ["ada"]}, MANY),
    Example(
        "POST", "/api/v1/forms/{form_id}/submit", ("signup",), {"data": {"id": "ada", "plan": "gold"}}, MANY,
        whom=("data", "id"), hash=("data", "plan"),
    ),
    Example("POST", "/api/v1/metrics", (), {"delivery_id": DELIVERY, "metric": "opened", "href": "x"}, hash=("href",)),
    Example("POST", "/api/v1/push/events", (), {"delivery_id": DELIVERY, "event": "opened", "device_id": "t-1"}),
    Example("POST", "/unsubscribe/{delivery_id}", (DELIVERY,), {"unsubscribe": True}),
    Example("GET", "/api/v1/accounts/region", stored=0),
    Example("POST", "/api/v2/entity", (), OPERATION, ENTITY, ("identifiers", "id"), ("attributes", "plan")),
    Example(
        "POST", "/api/v2/batch", (), {"batch": [OPERATION]}, BATCH,
        ("batch", 0, "identifiers", "id"), ("batch", 0, "attributes", "plan"),
    ),
)  # fmt: skip


def on_segment(track: TrackClient, example: Example) -> Example:
    """The example with a segment that exists, where it names one."""
    if SEGMENT_ID not in example.values:
        return example
    segment = make_segment(Workspace.objects.get(pk=track.workspace_id))
    return Example(
        example.method, example.template, (str(segment.pk),), example.body, example.limit, stored=example.stored
    )


def with_body() -> tuple[Example, ...]:
    """Those that read a body."""
    return tuple(example for example in EXAMPLES if example.takes_body)
