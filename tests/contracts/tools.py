"""What each of the 17 tools of the Track API must do, whichever client calls it: one function a tool.

The call goes through a client to a live server, a worker applies it, and the effect is read back from the
tables of the core.
"""

from typing import Any, Protocol

from tests.contracts.effects import Live
from tracking.models import Form

Item = dict[str, Any]


class Client(Protocol):
    """A client library under test. The odd texts stand in ids and tokens, as far as the client encodes them."""

    odd_id: str
    odd_token: str

    def identify(self, who: str, attributes: Item) -> None: ...
    def delete(self, who: str) -> None: ...
    def add_device(self, who: str, token: str, platform: str, data: Item) -> None: ...
    def delete_device(self, who: str, token: str) -> None: ...
    def suppress(self, who: str) -> None: ...
    def unsuppress(self, who: str) -> None: ...
    def track(self, who: str, name: str, data: Item) -> None: ...
    def track_anonymous(self, anonymous_id: str, name: str, data: Item) -> None: ...
    def merge(self, primary: tuple[str, Any], secondary: tuple[str, Any]) -> None: ...
    def add_to_segment(self, segment_id: int, ids: list[Any], id_type: str) -> None: ...
    def remove_from_segment(self, segment_id: int, ids: list[Any], id_type: str) -> None: ...
    def submit_form(self, form: str, data: dict[str, str]) -> None: ...
    def report_metric(self, delivery_id: str, metric: str, fields: Item) -> None: ...
    def unsubscribe(self, delivery_id: str) -> None: ...
    def region(self) -> Item: ...
    def entity(self, item: Item) -> None: ...
    def batch(self, items: list[Item]) -> Item: ...


def identify(live: Live, client: Client) -> None:
    who, email = f"identify{client.odd_id}1", "identify@fjord.example"
    topic = "cio_subscription_preferences.topics.topic_1"
    client.identify(who, {"email": email, "plan": "gold", "city": "Bern", "unsubscribed": True, topic: True})
    customer = live.known("external_id", who)
    assert live.known("email", email) == customer
    assert live.gate.props(customer) == {"plan": "gold", "city": "Bern"}
    assert live.consent(customer) == {0: False, 1: True}
    # The same person by the other identifier; an empty value removes.
    client.identify(email, {"plan": "silver", "city": "", "unsubscribed": False})
    live.settle()
    assert live.gate.props(customer) == {"plan": "silver"}
    assert live.consent(customer) == {0: True, 1: True}


def delete(live: Live, client: Client) -> None:
    client.identify("delete-1", {"email": "delete@fjord.example", "plan": "gold"})
    customer = live.known("external_id", "delete-1")
    client.delete("delete-1")
    assert live.person("external_id", "delete-1") is None
    assert live.person("email", "delete@fjord.example") is None
    assert live.gate.state(customer) == "deleted"
    client.delete("delete-1")  # deleting nobody is a success
    client.identify("delete-1", {"city": "Bern"})
    again = live.known("external_id", "delete-1")
    assert again != customer
    assert live.gate.props(again) == {"city": "Bern"}


def add_device(live: Live, client: Client) -> None:
    token = f"add{client.odd_token}token"
    client.add_device("device-1", token, "ios", {"last_used": 1_700_000_000, "device_os": "17"})
    customer = live.known("external_id", "device-1")
    assert live.devices(customer) == [(token, "ios", {"device_os": "17"})]
    client.add_device("device-1", token, "ios", {"device_os": "18"})
    live.settle()
    assert live.devices(customer) == [(token, "ios", {"device_os": "18"})]
    client.add_device("device-2", token, "ios", {})  # somebody else signed in on it
    other = live.known("external_id", "device-2")
    assert live.devices(customer) == []
    assert [device[0] for device in live.devices(other)] == [token]


def delete_device(live: Live, client: Client) -> None:
    gone, kept = f"gone{client.odd_token}token", "kept-token"
    for token in (gone, kept):
        client.add_device("device-3", token, "android", {})
    customer = live.known("external_id", "device-3")
    assert len(live.devices(customer)) == 2
    client.delete_device("device-3", gone)
    client.delete_device("device-3", "unknown")
    live.settle()
    assert [device[0] for device in live.devices(customer)] == [kept]


def suppress(live: Live, client: Client) -> None:
    before = live.suppressed()
    client.identify("suppress-1", {"email": "suppress@fjord.example", "plan": "gold"})
    customer = live.known("external_id", "suppress-1")
    client.suppress("suppress-1")
    assert live.person("external_id", "suppress-1") is None
    assert live.gate.state(customer) == "deleted"
    assert live.suppressed() == before + 2, "all identifiers of the person are barred"
    client.identify("suppress@fjord.example", {"plan": "gold"})
    client.track("suppress-1", "purchase", {})
    assert live.person("email", "suppress@fjord.example") is None
    assert live.person("external_id", "suppress-1") is None


def unsuppress(live: Live, client: Client) -> None:
    before = live.suppressed()
    client.identify("unsuppress-1", {"email": "unsuppress@fjord.example", "plan": "gold"})
    customer = live.known("external_id", "unsuppress-1")
    client.suppress("unsuppress-1")
    client.unsuppress("unsuppress@fjord.example")
    live.settle()
    assert live.suppressed() == before, "what was barred together is freed together"
    assert live.person("external_id", "unsuppress-1") is None, "nothing comes back by itself"
    client.identify("unsuppress-1", {"city": "Bern"})
    again = live.known("external_id", "unsuppress-1")
    assert again != customer
    assert live.gate.props(again) == {"city": "Bern"}


def track(live: Live, client: Client) -> None:
    who = f"track{client.odd_id}1"
    client.track(who, "purchase", {"sku": "a-1", "price": 12.5})
    client.track(who, "refund", {"sku": "a-1"})
    customer = live.known("external_id", who)
    assert live.events(customer) == [
        ("event", "purchase", {"sku": "a-1", "price": 12.5}),
        ("event", "refund", {"sku": "a-1"}),
    ]


def track_anonymous(live: Live, client: Client) -> None:
    client.track_anonymous("visitor-1", "viewed", {"page": "/a"})
    visitor = live.known("anonymous_id", "visitor-1")
    assert live.gate.state(visitor) == "anonymous"
    client.identify("visitor", {"anonymous_id": "visitor-1"})
    customer = live.known("external_id", "visitor")
    assert live.events(customer) == [("event", "viewed", {"page": "/a"})]
    assert live.gate.state(customer) == "active"


def merge(live: Live, client: Client) -> None:
    client.identify("merge-1", {"plan": "gold"})
    client.track("merge-1", "purchase", {"n": 1})
    client.identify("merge@fjord.example", {"plan": "silver", "city": "Bern"})
    client.track("merge@fjord.example", "purchase", {"n": 2})
    primary, secondary = live.known("external_id", "merge-1"), live.known("email", "merge@fjord.example")
    assert primary != secondary
    client.merge(("id", "merge-1"), ("email", "merge@fjord.example"))
    assert live.known("email", "merge@fjord.example") == live.known("external_id", "merge-1") == primary
    assert live.gate.props(primary) == {"plan": "gold", "city": "Bern"}
    assert [props for _, _, props in live.events(primary)] == [{"n": 1}, {"n": 2}]
    assert live.gate.state(secondary) == "merged"
    client.merge(("id", "nobody"), ("id", "merge-1"))  # without a primary nothing happens
    live.settle()
    assert live.gate.state(primary) == "active"


def add_to_segment(live: Live, client: Client) -> None:
    segment = live.segments[0]
    client.identify("add-1", {"email": "add@fjord.example"})
    client.identify("add-2", {})
    client.identify("add-3", {})
    one, two, three = (live.known("external_id", f"add-{n}") for n in (1, 2, 3))
    client.add_to_segment(segment, ["add-2", "add-nobody"], "id")
    client.add_to_segment(segment, ["ADD@fjord.example"], "email")
    client.add_to_segment(segment, [three.hex], "cio_id")
    live.settle()
    assert live.members(segment) == {one, two, three}
    assert live.person("external_id", "add-nobody") is None, "nobody is made"


def remove_from_segment(live: Live, client: Client) -> None:
    segment = live.segments[1]
    people = ["remove-1", "remove-2"]
    for who in people:
        client.identify(who, {})
    client.add_to_segment(segment, people, "id")
    stays = live.known("external_id", "remove-2")
    assert len(live.members(segment)) == 2
    client.remove_from_segment(segment, ["remove-1", "remove-nobody"], "id")
    live.settle()
    assert live.members(segment) == {stays}


def submit_form(live: Live, client: Client) -> None:
    client.submit_form("signup", {"email": "form@fjord.example", "plan": "gold", "form_url": "https://x.example/"})
    customer = live.known("email", "form@fjord.example")
    assert live.gate.props(customer) == {"plan": "gold"}
    ((_, _, facts),) = live.events(customer)
    assert facts == {"form": "signup", "email": "form@fjord.example", "plan": "gold"}
    assert Form.objects.get(workspace_id=live.gate.workspace_id, key="signup").fields == ["email", "plan"]


def report_metrics(live: Live, client: Client) -> None:
    delivery = "bWV0cmljcw=="
    client.identify("metrics-1", {"email": "metrics@fjord.example"})
    client.report_metric(delivery, "delivered", {"recipient": "metrics@fjord.example"})
    customer = live.known("external_id", "metrics-1")
    assert live.deliveries(customer) == [(delivery, "delivered")]
    client.report_metric(delivery, "clicked", {"href": "https://shop.example/"})
    live.settle()
    assert live.deliveries(customer) == [(delivery, "clicked")]
    found = live.events(customer)
    assert [kind for kind, _, _ in found] == ["message", "message"]
    assert found[1][2]["href"] == "https://shop.example/"


def unsubscribe(live: Live, client: Client) -> None:
    delivery = "dW5zdWI="
    client.identify("unsubscribe-1", {"email": "unsubscribe@fjord.example", "unsubscribed": False})
    client.report_metric(delivery, "delivered", {"recipient": "unsubscribe@fjord.example"})
    customer = live.known("external_id", "unsubscribe-1")
    assert live.consent(customer) == {0: True}
    client.unsubscribe(delivery)
    live.settle()
    assert live.consent(customer) == {0: False}
    kind, name, facts = live.events(customer)[-1]
    assert (kind, name, facts["delivery_id"]) == ("message", "email_unsubscribed", delivery)
    client.unsubscribe("unknown")  # received, and of no effect


def get_region(live: Live, client: Client) -> None:
    assert client.region() == {
        "url": "http://127.0.0.1:8000",
        "region": "us",
        "environment_id": live.gate.workspace_id,
    }


def manage_entity(live: Live, client: Client) -> None:
    acme = {"object_type_id": "1", "object_id": "acme"}
    client.entity({"type": "person", "action": "identify", "identifiers": {"id": "entity-1"}, "attributes": {"n": 1}})
    customer = live.known("external_id", "entity-1")
    client.entity(
        {
            "type": "object",
            "action": "identify",
            "identifiers": acme,
            "attributes": {"name": "Acme"},
            "cio_relationships": [
                {"identifiers": {"id": "entity-1"}, "relationship_attributes": {"role": "owner", "since": "2026"}}
            ],
        }
    )
    live.settle()
    assert live.relationships(customer) == [("acme", {"name": "Acme"}, {"role": "owner", "since": "2026"})]
    link = {"identifiers": acme, "relationship_attributes": {"role": "", "since": "2027"}}
    of_person = {"type": "person", "identifiers": {"id": "entity-1"}, "cio_relationships": [link]}
    client.entity({"action": "add_relationships", **of_person})
    live.settle()
    assert live.relationships(customer) == [("acme", {"name": "Acme"}, {"since": "2027"})]
    client.entity({"action": "delete_relationships", **of_person})
    client.entity({"type": "object", "action": "delete", "identifiers": acme})
    live.settle()
    assert live.relationships(customer) == []


def batch(live: Live, client: Client) -> None:
    person: Item = {"type": "person", "identifiers": {"id": "batch-1"}}
    device = {"token": "batch-token", "platform": "ios"}
    objects = [{"identifiers": {"object_type_id": "1", "object_id": "batch-object"}}]
    items = [
        {**person, "action": "identify", "attributes": {"plan": "gold"}},
        {**person, "action": "page", "name": "https://shop.example/"},
        {**person, "action": "add_device", "device": device},
        {**person, "action": "add_relationships", "cio_relationships": objects},
    ]
    assert client.batch(items) == {}
    customer = live.known("external_id", "batch-1")
    assert live.gate.props(customer) == {"plan": "gold"}
    assert [kind for kind, _, _ in live.events(customer)] == ["page"]
    assert [found[0] for found in live.devices(customer)] == ["batch-token"]
    assert [found[0] for found in live.relationships(customer)] == ["batch-object"]
    answer = client.batch([{**person, "action": "event"}, {**person, "action": "event", "name": "good"}])
    assert [(error["batch_index"], error["field"]) for error in answer["errors"]] == [(0, "name")]
    live.settle()
    assert [name for _, name, _ in live.events(customer)][-1] == "good"
