"""What becomes of operations: each outcome, counted, and each poison operation alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from customers.identifiers import suppression_digest
from customers.models import Customer, CustomerProfile, IdentifierKind, SuppressedIdentifier, Workspace
from tests.factories import make_customer, make_workspace
from tests.intake import HOUR, NOON, Gate, damage, identify, open_gate, ref, track
from tracking.intake.operations import CUSTOMER_ID, Identify, Operation, Ref, Track, decode
from tracking.models import DirtyCustomer, Event, EventCounter, QuarantinedItem

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def gate(workspace: Workspace) -> Iterator[Gate]:
    with open_gate(workspace) as gate:
        yield gate


def suppress(workspace: Workspace, kind_name: str, normal: str) -> None:
    kind = IdentifierKind.objects.get(workspace=workspace, name=kind_name)
    digest = suppression_digest(workspace.pk, kind.pk, normal)
    SuppressedIdentifier.objects.create(workspace_id=workspace.pk, kind_id=kind.pk, digest=digest, at=timezone.now())


def quarantined() -> list[tuple[str, str]]:
    return list(QuarantinedItem.objects.order_by("id").values_list("reason", "raw_body"))


# --- Each outcome --------------------------------------------------------------------------------


def test_an_event_of_somebody_unknown_creates_him(gate: Gate) -> None:
    assert gate.apply(track("c1", at=NOON - HOUR)) == {"applied": 1}
    customer = Customer.objects.get()
    assert (customer.workspace_id, customer.state) == (gate.workspace.pk, "active")
    assert customer.first_seen == customer.last_seen == NOON - HOUR
    assert Event.objects.get().customer_id == customer.pk == gate.owner("c1")
    assert CustomerProfile.objects.get(pk=customer.pk).raw_props == {}


def test_identify_creates_and_then_updates(gate: Gate) -> None:
    assert gate.apply(identify("c1", plan="gold")) == {"applied": 1}
    assert gate.apply(identify("c1", plan="silver", age=5), at=NOON + HOUR) == {"applied": 1}
    assert Customer.objects.count() == 1
    assert gate.properties("c1") == {"plan": "silver", "age": 5}


def test_operations_of_a_batch_build_on_each_other(gate: Gate) -> None:
    batch = (
        identify("c1", {"email": "a@b.example"}, plan="gold"),
        track("email:A@B.example"),
        identify("email:a@b.example", {"phone": "+4930231250881"}),
        track("phone:+49 30 231250881"),
    )
    assert gate.apply(*batch) == {"applied": 4}
    assert Customer.objects.count() == 1
    assert Event.objects.filter(customer_id=gate.owner("c1")).count() == 2


def test_a_suppressed_identifier_has_no_effect_whatever_names_it(gate: Gate) -> None:
    known = make_customer(gate.workspace, identifiers={"external_id": "c1"})
    suppress(gate.workspace, "email", "gone@b.example")
    batch = (
        track("email:Gone@B.example"),
        identify("email:gone@b.example", plan="gold"),
        identify("c1", {"email": "gone@b.example"}, plan="gold"),
        identify(known, {"email": "gone@b.example"}, plan="gold"),
    )
    assert gate.apply(*batch) == {"suppressed": 4}
    assert (Customer.objects.count(), Event.objects.count()) == (1, 0)
    assert gate.properties("c1") == {}


def test_suppression_holds_in_its_workspace_and_for_its_kind_only(gate: Gate) -> None:
    suppress(make_workspace("Elsewhere"), "external_id", "c1")
    suppress(gate.workspace, "phone", "c1")
    assert gate.apply(track("c1")) == {"applied": 1}


def test_what_may_not_create_is_ignored_for_somebody_unknown(gate: Gate) -> None:
    update = Identify(ref("c1"), properties={"plan": "gold"}, may_create=False)
    assert gate.apply(update) == {"ignored": 1}
    assert not Customer.objects.exists()
    gate.apply(track("c1"))
    assert gate.apply(update) == {"applied": 1}
    assert gate.properties("c1") == {"plan": "gold"}


def test_a_customer_id_never_creates(gate: Gate) -> None:
    foreign = make_customer(make_workspace("Elsewhere"))
    deleted = make_customer(gate.workspace, state="deleted")
    batch = [op(who) for who in (uuid4(), foreign, deleted) for op in (identify, track)]
    assert gate.apply(*batch) == {"ignored": 6}
    assert (Customer.objects.count(), Event.objects.count()) == (2, 0)


def test_a_merged_customer_leads_to_the_one_he_went_into(gate: Gate) -> None:
    survivor = make_customer(gate.workspace)
    merged = make_customer(gate.workspace, state="merged", merged_into=survivor)
    assert gate.apply(track(merged), identify(merged, plan="gold")) == {"applied": 2}
    assert Event.objects.get().customer_id == survivor
    assert CustomerProfile.objects.get(pk=survivor).raw_props == {"plan": "gold"}


def test_a_batch_may_hold_operations_of_many_workspaces(gate: Gate, workspace: Workspace) -> None:
    with open_gate(make_workspace("Elsewhere"), slot=1) as other:
        gate.put(identify("c1", plan="gold"), track("c1"))
        other.put(identify("c1", plan="silver"), track("c1", client_id="e1"), track("c1", client_id="e1"))
        gate.drain()
        other.check()
        assert gate.owner("c1") != other.owner("c1")
        assert (gate.properties("c1"), other.properties("c1")) == ({"plan": "gold"}, {"plan": "silver"})


def test_whoever_was_touched_is_marked_for_the_segments(gate: Gate) -> None:
    gate.apply(track("c1"), track("c1"), identify("c2", plan="gold"))
    marked = list(DirtyCustomer.objects.values_list("customer_id", "reason"))
    assert sorted(marked) == sorted([(gate.owner("c1"), "ingest"), (gate.owner("c2"), "ingest")])


# --- Quarantine ----------------------------------------------------------------------------------

LONG = "x" * 9000
NEVER: list[tuple[Operation, str]] = [
    (track("c1", at=datetime(1979, 12, 31, 23, tzinfo=NOON.tzinfo)), "absurd_time"),
    (track("c1", at=NOON + timedelta(days=3661)), "absurd_time"),
    (Track(ref("c1"), "Visit", at=2**63 - 1), "absurd_time"),
    (Track(ref("c1"), "Visit", at=-(2**63)), "absurd_time"),
    (Track(ref("c1"), "Visit", at=10**30), "absurd_time"),
    (identify("c1", at=datetime(1979, 12, 31, 23, tzinfo=NOON.tzinfo), plan="SECRET"), "absurd_time"),
    (identify("c1", at=NOON + timedelta(days=3661), plan="SECRET"), "absurd_time"),
    (Identify(ref("c1"), at=2**63 - 1), "absurd_time"),
    (track("klingon:SECRET"), "unknown_identifier_kind"),
    (identify("email: "), "unknown_identifier_kind"),
    (Track(Ref(CUSTOMER_ID, "SECRET"), "Visit"), "unknown_identifier_kind"),
    # What the face should have refused; the database does.
    (track("c1", "SECRET\0"), "sql_22000"),
    (track("c1", "n" * 101), "sql_22001"),
    (track("c1", value="SECRET\0"), "sql_22P05"),
    (identify("c1", plan="SECRET\0"), "sql_22P05"),
    (Identify(ref("c1"), properties={"na\0me": 1}), "sql_22021"),
    (track("SECRET\0"), "sql_22021"),
    # The index refuses what does not fit on its page. Not compressible, or it would fit.
    (track("c" + "".join(chr(0x4E00 + n * 7 % 20000) for n in range(3000))), "sql_54000"),
]


@pytest.mark.slow  # Halves its way to each of them, as a worker does.
def test_poison_operations_cost_only_themselves(gate: Gate) -> None:
    known = make_customer(gate.workspace, identifiers={"external_id": "known"})
    for n, (operation, _) in enumerate(NEVER):
        gate.put(track(f"g{n}", client_id=f"e{n}", revenue=2), operation, identify(f"g{n}", plan=n), track("known"))
    gate.put(identify("last", {"email": "last@b.example"}, plan="gold"))
    gate.drain()
    assert [told for told, _ in quarantined()] == [reason for _, reason in NEVER]
    for (operation, _), (told, body) in zip(NEVER, quarantined(), strict=True):
        assert decode(body) == [operation]
        assert "SECRET" not in told
    assert (Customer.objects.count(), Event.objects.count()) == (len(NEVER) + 2, 2 * len(NEVER))
    assert EventCounter.objects.get(customer_id=known).n == len(NEVER)
    assert [gate.properties(f"g{n}") for n in range(len(NEVER))] == [{"plan": n} for n in range(len(NEVER))]
    assert gate.owner("email:last@b.example") == gate.owner("last")
    assert damage() == set()


def test_the_log_and_the_reason_of_poison_hold_no_value(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    gate.apply(identify("SECRET", {"email": "secret@b.example"}, plan="SECRET\0"))
    assert [told for told, _ in quarantined()] == ["sql_22P05"]
    assert "22P05" in caplog.text
    assert "secret" not in caplog.text.lower()
