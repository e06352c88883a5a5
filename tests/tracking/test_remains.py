"""What may stay of somebody who is gone: ids that mean nothing, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.tracking.intake import Gate, by_email, by_id, open_gate
from tracking.intake.operations import Delete, Identify, Ref, Suppress, Track, Unsuppress
from tracking.integrity import checks

ABSURD = int(datetime(1971, 1, 1, tzinfo=UTC).timestamp() * 1_000_000)
# A kind that no workspace has: such an operation is set aside.
STRANGE = Ref("pager", "5")


@pytest.fixture
def gate(transactional_db: None) -> Iterator[Gate]:
    with open_gate() as opened:
        yield opened


def broken() -> set[str]:
    """The checks that fail."""
    return {one.name for one in checks.run().findings if one.violations}


def test_a_clients_id_is_remembered_when_its_customer_is_gone_and_is_nobodys_then(gate: Gate) -> None:
    gate.track(by_id("ada"), "Purchase", id="order-1")
    gate.apply(Delete(by_id("ada")))
    assert gate.rows("SELECT DISTINCT customer_id FROM event_seen") == [UUID(int=0)]
    assert broken() == set()
    gate.track(by_id("ada"), "Purchase", id="order-1")
    assert (gate.totals()["duplicate"], gate.events(gate.owner(by_id("ada")))) == (1, [])


def test_a_remembered_id_of_a_customer_who_never_was_is_still_found(gate: Gate) -> None:
    gate.track(by_id("ada"), "Purchase", id="order-1")
    gate.connection.execute("UPDATE event_seen SET customer_id = gen_random_uuid()")
    assert broken() == {"event_seen: customer exists"}


def test_what_cannot_be_applied_is_not_kept_when_it_names_somebody_barred(gate: Gate) -> None:
    gate.apply(Identify(by_id("ada"), {"email": "ada@shop.example"}), Suppress(by_id("ada")))
    gate.track(by_email("ada@shop.example"), "Old", at=ABSURD)
    assert gate.rows("SELECT raw_body FROM quarantine") == []
    assert (gate.totals()["suppressed"], gate.totals()["quarantined"]) == (1, 0)
    gate.apply(Unsuppress(by_id("ada")))
    gate.track(by_email("ada@shop.example"), "Old", at=ABSURD)
    assert gate.totals()["quarantined"] == 1


def test_one_barred_name_among_others_is_enough(gate: Gate) -> None:
    gate.apply(Suppress(by_email("ada@shop.example")))
    gate.apply(Identify(STRANGE, {"email": "ada@shop.example"}))
    assert gate.rows("SELECT raw_body FROM quarantine") == []
    assert gate.totals()["suppressed"] == 1


def test_what_names_nobody_that_a_workspace_could_know_stops_no_suppression(gate: Gate) -> None:
    gate.apply(Track(STRANGE, "Visit"), Track(by_id("ada"), "Visit"))
    assert gate.totals()["quarantined"] == 1
    gate.apply(Suppress(by_id("ada")))
    assert gate.totals()["quarantined"] == 1
    gate.track(by_id("ada"), "Late")
    assert gate.totals()["suppressed"] == 1


def test_what_belongs_to_no_workspace_is_set_aside(gate: Gate) -> None:
    gate.workspace_id, own = 999_999, gate.workspace_id
    gate.apply(Track(by_id("ada"), "Visit"), Suppress(by_id("ada")))
    assert gate.rows("SELECT reason FROM quarantine") == ["unknown_workspace"] * 2
    gate.connection.execute("DELETE FROM intake_total")
    gate.workspace_id = own
