"""The integrity check finds each kind of damage, and nothing where there is none."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from customers.models import (
    Customer,
    CustomerIdentifier,
    CustomerProfile,
    CustomerSearch,
    IdentifierKind,
    IdentifierLookup,
    Workspace,
)
from segments.models import SegmentMember
from tests.factories import make_customer, make_event, make_segment, make_tombstone, make_workspace
from tracking.integrity import checks
from tracking.models import DirtyCustomer, Event, EventCounter, EventDefinition, IntakeTotal

pytestmark = pytest.mark.django_db


def bury() -> None:
    """As if somebody had marked a customer deleted and left everything lying about."""
    Customer.objects.filter(state="active").update(state="deleted")


@pytest.fixture
def shop() -> Workspace:
    """A workspace with a customer who did things, and a second one merged into him."""
    workspace = make_workspace("Shop")
    customer = make_customer(workspace, identifiers={"external_id": "C-1", "email": "a@b.example"})
    make_event(workspace, customer, revenue=12)
    make_event(workspace, customer, revenue=8)
    make_event(workspace, customer, "Visit")
    make_tombstone(workspace, merged_into=customer)
    make_segment(workspace, "Regulars", customer)
    IntakeTotal.objects.create(
        workspace_id=workspace.pk, day=timezone.now().date(), slot=0,
        accepted=15, applied=5, duplicate=4, suppressed=3, ignored=2, quarantined=1,
    )  # fmt: skip
    return workspace


def check() -> checks.Result:
    connection.ensure_connection()
    return checks.check(connection.connection)


def broken() -> set[str]:
    return {one.name for one in check().findings if one.violations}


def live() -> UUID:
    return Customer.objects.get(state="active").pk


def test_a_sound_database_has_no_findings_and_true_figures(shop: Workspace) -> None:
    result = check()
    assert broken() == set()
    assert result.is_sound
    assert result.figures["customers"] == 2
    assert result.figures["identifiers"] == 2
    assert result.figures["events"] == 3
    assert result.figures["events “Purchase”"] == 2
    assert result.figures["intake accepted"] == 15
    checked = {one.name: one.checked for one in result.findings}
    assert checked["event: customer is live"] == 3
    assert checked["customer_identifier: digest is that of the value"] == 2


def test_an_empty_database_is_sound() -> None:
    assert check().is_sound


def drop_customer() -> None:
    Customer.objects.filter(state="active").delete()


def other_workspace_event() -> None:
    definition = EventDefinition.objects.create(workspace=make_workspace("Other"), name="Purchase")
    Event.objects.filter(revenue=8).update(type_id=definition.pk)


def other_workspace_segment() -> None:
    segment = make_segment(make_workspace("Other"))
    SegmentMember.objects.update(segment_id=segment.pk)


def wrong_counter(**fields: object) -> Callable[[], object]:
    return lambda: EventCounter.objects.filter(customer_id=live(), n=2).update(**fields)


def stray_identifier() -> None:
    CustomerIdentifier.objects.filter(raw_normal="C-1").delete()


def stray_lookup() -> None:
    digest = CustomerIdentifier.objects.get(raw_normal="C-1").digest
    IdentifierLookup.objects.filter(digest=digest).delete()


def stolen_lookup() -> None:
    digest = CustomerIdentifier.objects.get(raw_normal="C-1").digest
    IdentifierLookup.objects.filter(digest=digest).update(customer_id=Customer.objects.get(state="merged").pk)


def wrong_digest() -> None:
    """Both tables agree, but nobody could find him."""
    digest = uuid4()
    old = CustomerIdentifier.objects.get(raw_normal="C-1").digest
    CustomerIdentifier.objects.filter(digest=old).update(digest=digest)
    IdentifierLookup.objects.filter(digest=old).update(digest=digest)


def chain_of_merges() -> None:
    merged = Customer.objects.get(state="merged")
    make_tombstone(Workspace.objects.get(), merged_into=merged.pk)


DAMAGE: list[tuple[Callable[[], object], str]] = [
    (drop_customer, "event: customer is live"),
    (drop_customer, "event_counter: customer is live"),
    (drop_customer, "customer_identifier: customer is live"),
    (drop_customer, "identifier_lookup: customer is live"),
    (drop_customer, "customer_profile: customer is live"),
    (drop_customer, "customer_search: customer is live"),
    (drop_customer, "segment_member: customer is live"),
    (bury, "event: customer is live"),
    (bury, "customer_profile: customer is live"),
    (
        lambda: DirtyCustomer.objects.create(customer_id=uuid4(), at=timezone.now(), reason="test"),
        "dirty_customer: customer exists",
    ),
    (lambda: EventDefinition.objects.filter(name="Visit").delete(), "event: event_definition exists"),
    (lambda: EventDefinition.objects.filter(name="Visit").delete(), "event_counter: event_definition exists"),
    (lambda: IdentifierKind.objects.filter(name="email").delete(), "customer_identifier: identifier_kind exists"),
    (lambda: SegmentMember.objects.update(segment_id=0), "segment_member: segment exists"),
    (lambda: Customer.objects.filter(state="active").update(workspace_id=0), "customer: workspace exists"),
    (other_workspace_event, "event: event_definition of the same workspace"),
    (other_workspace_segment, "segment_member: segment of the same workspace"),
    (lambda: CustomerProfile.objects.filter(customer_id=live()).delete(), "customer: has a profile"),
    (
        lambda: Customer.objects.filter(state="merged").update(merged_into=uuid4()),
        "customer: merged into a live one of its workspace",
    ),
    (chain_of_merges, "customer: merged into a live one of its workspace"),
    (
        lambda: Customer.objects.filter(state="merged").update(merged_into=None),
        "customer: merged exactly if it names a survivor",
    ),
    (stray_identifier, "identifier_lookup: stands with its customer"),
    (stray_lookup, "customer_identifier: stands in the look-up"),
    (stolen_lookup, "customer_identifier: stands in the look-up"),
    (stolen_lookup, "identifier_lookup: stands with its customer"),
    (wrong_digest, "customer_identifier: digest is that of the value"),
    (wrong_counter(n=3), "event_counter: equals the events"),
    (wrong_counter(revenue=Decimal("20.01")), "event_counter: equals the events"),
    (wrong_counter(revenue=None), "event_counter: equals the events"),
    (wrong_counter(first_at=timezone.now() - timedelta(days=900)), "event_counter: equals the events"),
    (lambda: EventCounter.objects.filter(n=1).delete(), "event_counter: equals the events"),
    (lambda: Event.objects.filter(revenue=None).delete(), "event_counter: equals the events"),
    (
        lambda: Customer.objects.filter(state="active").update(first_seen=timezone.now()),
        "event: within the time that the customer was seen",
    ),
    (lambda: IntakeTotal.objects.update(applied=6), "intake_total: accepted is accounted for"),
]


@pytest.mark.parametrize(("damage", "name"), DAMAGE, ids=[str(number) for number in range(len(DAMAGE))])
def test_each_kind_of_damage_is_found(shop: Workspace, damage: Callable[[], object], name: str) -> None:
    damage()
    assert name in broken()


def test_search_lines_are_among_the_tables_that_are_checked(shop: Workspace) -> None:
    CustomerSearch.objects.create(customer_id=uuid4(), raw_line="")
    assert broken() == {"customer_search: customer is live"}


@pytest.mark.django_db(transaction=True)
def test_the_command_prints_figures_and_ends_well(shop: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_integrity")
    printed = capsys.readouterr().out
    assert "event: customer is live" in printed and "WRONG" not in printed
    assert "b.example" not in printed
    call_command("check_integrity", "--json")
    assert json.loads(capsys.readouterr().out)["is_sound"] is True


@pytest.mark.django_db(transaction=True)
def test_the_command_fails_on_damage(shop: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    IntakeTotal.objects.update(applied=6)
    with pytest.raises(CommandError, match="1 of"):
        call_command("check_integrity")
    assert "intake_total: accepted is accounted for" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("check_integrity", "--json")
    document = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in document["checks"] if one["violations"]] == [
        "intake_total: accepted is accounted for"
    ]
