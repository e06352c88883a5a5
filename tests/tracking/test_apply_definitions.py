"""Event definitions: made on first sight, read again, and declared beforehand."""

from collections.abc import Iterator

import pytest

from customers.models import AuditEntry, Workspace
from rolodesk.database import Connection, connect
from rolodesk.errors import InvalidInput
from tests.factories import make_workspace
from tests.intake import Gate, open_gate, ref, track
from tracking.intake import definitions
from tracking.intake.definitions import Definition, DefinitionKey, Definitions, key_of
from tracking.intake.operations import Track
from tracking.models import Event, EventDefinition
from tracking.services.definitions import MAX_NAME, declare_event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def gate(workspace: Workspace) -> Iterator[Gate]:
    with open_gate(workspace) as gate:
        yield gate


@pytest.fixture
def connection() -> Iterator[Connection]:
    with connect(application="test") as connection:
        yield connection


# --- On first sight ------------------------------------------------------------------------------


def test_names_of_pages_and_screens_are_no_definitions() -> None:
    assert key_of(1, track("c1", "Order")) == DefinitionKey(1, "event", "Order")
    assert key_of(1, Track(ref("c1"), "https://a.example/", "page")) == DefinitionKey(1, "page", "Page view")
    assert key_of(1, Track(ref("c1"), "Cart", "screen")) == DefinitionKey(1, "screen", "Screen view")


def test_a_name_is_defined_once_however_often_it_comes(gate: Gate) -> None:
    other = make_workspace("Elsewhere")
    gate.apply(track("c1", "Order"), track("c1", "Order"), track("c2", "order"), track("c1"))
    gate.apply(track("c3", "Order"))
    EventDefinition.objects.create(workspace=other, name="Order")
    found = EventDefinition.objects.filter(workspace=gate.workspace).values_list("name", flat=True)
    assert sorted(found) == ["Order", "Visit", "order"]
    assert (
        Event.objects.filter(type_id=EventDefinition.objects.get(workspace=gate.workspace, name="Order").pk).count()
        == 3
    )


def test_numbers_are_not_used_up_by_names_that_exist(workspace: Workspace, connection: Connection) -> None:
    """The number is a 32-bit one, and a worker asks again every two seconds."""
    key = DefinitionKey(workspace.pk, "event", "Order")
    for _ in range(3):
        Definitions().ensure(connection, [key])
    Definitions().ensure(connection, [key._replace(name="Next")])
    first, second = EventDefinition.objects.order_by("pk").values_list("pk", flat=True)
    assert second == first + 1


def test_a_changed_setting_takes_effect_once_it_is_read_again(
    workspace: Workspace, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, known = DefinitionKey(workspace.pk, "event", "Order"), Definitions()
    known.ensure(connection, [key])
    number = EventDefinition.objects.get().pk
    EventDefinition.objects.update(revenue_property="amount")
    known.ensure(connection, [key])
    assert known.known[key] == Definition(number, "")
    monkeypatch.setattr(definitions, "FRESH_SECONDS", -1)
    known.ensure(connection, [key])
    assert known.known[key] == Definition(number, "amount")


def test_nothing_is_read_where_everything_is_known(workspace: Workspace, connection: Connection) -> None:
    key, known = DefinitionKey(workspace.pk, "event", "Order"), Definitions()
    known.ensure(connection, [key])
    connection.close()
    known.ensure(connection, [key, key])
    known.ensure(connection, [])


# --- Declared ------------------------------------------------------------------------------------


def test_a_declared_event_keeps_its_icon_and_amount_when_it_happens(gate: Gate) -> None:
    number, is_changed = declare_event(
        workspace_id=gate.workspace.pk, name="Order", icon="shopping-bag", revenue_property="amount"
    )
    assert is_changed
    gate.apply(track("c1", "Order", amount=7))
    definition = EventDefinition.objects.get()
    assert (definition.pk, definition.icon, definition.revenue_property) == (number, "shopping-bag", "amount")
    assert Event.objects.get().revenue == 7


def test_declaring_what_has_happened_already_fills_in_what_is_empty(gate: Gate) -> None:
    gate.apply(track("c1", "Order"))
    number = EventDefinition.objects.get().pk
    assert declare_event(workspace_id=gate.workspace.pk, name="Order", icon="star") == (number, True)
    assert declare_event(workspace_id=gate.workspace.pk, name="Order", revenue_property="amount") == (number, True)
    definition = EventDefinition.objects.get()
    assert (definition.icon, definition.revenue_property) == ("star", "amount")
    entries = AuditEntry.objects.filter(action="event.declared")
    assert [entry.data for entry in entries] == [{"event_definition_id": number}] * 2


def test_what_somebody_has_set_stays(workspace: Workspace) -> None:
    number, _ = declare_event(workspace_id=workspace.pk, name="Order", icon="star", revenue_property="amount")
    again = declare_event(workspace_id=workspace.pk, name="Order", icon="heart", revenue_property="price")
    assert again == declare_event(workspace_id=workspace.pk, name="Order") == (number, False)
    definition = EventDefinition.objects.get()
    assert (definition.icon, definition.revenue_property) == ("star", "amount")
    assert AuditEntry.objects.filter(action="event.declared").count() == 1


def test_kinds_and_workspaces_tell_declared_events_apart(workspace: Workspace) -> None:
    other = make_workspace("Elsewhere")
    numbers = {
        declare_event(workspace_id=where.pk, name="Order", kind=kind)[0]
        for where in (workspace, other)
        for kind in ("event", "page", "screen")
    }
    assert len(numbers) == 6


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "n" * (MAX_NAME + 1)}, {"name": "Order", "kind": "click"}], ids=str
)
def test_an_event_needs_a_name_that_fits_and_a_kind_that_exists(workspace: Workspace, fields: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        declare_event(workspace_id=workspace.pk, **fields)
    assert caught.value.data == {"reason": "event_definition"}
    assert not EventDefinition.objects.exists()
    assert declare_event(workspace_id=workspace.pk, name="n" * MAX_NAME)[1]
