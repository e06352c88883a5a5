"""Trying operations again that were set aside, and throwing them away."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connections
from django.db.models import QuerySet

from customers import access
from customers.models import AuditEntry, IdentifierKind, Workspace
from rolodesk.errors import NotAllowed
from tests.factories import grant, make_quarantined, make_user, make_workspace
from tests.tracking.intake import by_id, open_gate
from tracking import figures, quarantine
from tracking.intake.operations import Delete, Identify, Ref, Suppress, Track
from tracking.models import InboxItem, QuarantinedItem
from tracking.services import quarantine as service
from tracking.services.quarantine import Outcome, discard, redrive

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
EVENT = Track(Ref("email", "canary@x.example"), "canary")


@pytest.fixture
def lead(cast, viewer_of):
    return viewer_of(cast.lead)


def test_what_is_tried_again_waits_as_it_was_received(cast, lead):
    row = make_quarantined(cast.workspace, EVENT, received_at=NOON, route="import")
    assert redrive(viewer=lead, item_id=row.pk) == Outcome(1, 0)
    item = InboxItem.objects.get()
    assert (item.workspace_id, item.route, item.received_at) == (cast.workspace.pk, "import", NOON)
    assert (item.n, item.raw_body, item.is_serial, item.token_id) == (1, row.raw_body, False, None)
    assert not QuarantinedItem.objects.exists()


def test_an_operation_that_must_be_alone_stays_so(cast, lead):
    make_quarantined(cast.workspace, EVENT, Delete(Ref("email", "a@x.example")), reason="r")
    redrive(viewer=lead, reason="r")
    item = InboxItem.objects.get()
    assert item.is_serial and item.n == 2


def test_all_of_one_reason_go_and_the_others_stay(cast, lead):
    for reason in ("one", "one", "two"):
        make_quarantined(cast.workspace, EVENT, reason=reason)
    foreign = make_quarantined(cast.elsewhere, EVENT, reason="one")
    assert redrive(viewer=lead, reason="one") == Outcome(2, 0)
    assert set(QuarantinedItem.objects.values_list("reason", "pk")) >= {("one", foreign.pk)}
    assert discard(viewer=lead, reason="two") == Outcome(1, 0)
    assert list(QuarantinedItem.objects.all()) == [foreign]
    assert InboxItem.objects.count() == 2


def test_so_many_at_once_and_the_oldest_first(cast, lead, monkeypatch):
    monkeypatch.setattr(service, "MOST", 2)
    made = [make_quarantined(cast.workspace, EVENT, reason="r").pk for _ in range(5)]
    assert redrive(viewer=lead, reason="r") == Outcome(2, 3)
    assert discard(viewer=lead, reason="r") == Outcome(2, 1)
    assert list(QuarantinedItem.objects.values_list("pk", flat=True)) == made[4:]


@pytest.mark.parametrize("body", ["{", '[{"op":"newer"}]', "[]"])
def test_what_cannot_be_read_is_not_tried_and_can_be_thrown_away(cast, lead, body):
    row = make_quarantined(cast.workspace, raw_body=body, reason="unreadable")
    assert redrive(viewer=lead, item_id=row.pk) == Outcome(0, 1, unreadable=1)
    assert QuarantinedItem.objects.exists() and not InboxItem.objects.exists() and not AuditEntry.objects.exists()
    assert discard(viewer=lead, item_id=row.pk) == Outcome(1, 0)


@pytest.mark.parametrize("act", [redrive, discard])
def test_what_is_not_there_or_not_here_is_nothing_to_do(cast, lead, act):
    foreign = make_quarantined(cast.elsewhere, EVENT)
    for item_id in (foreign.pk, foreign.pk + 1, 10**30):
        assert act(viewer=lead, item_id=item_id) == Outcome(0, 0)
    assert QuarantinedItem.objects.count() == 1 and not AuditEntry.objects.exists()


@pytest.mark.parametrize("act", [redrive, discard])
def test_it_takes_the_permission_to_edit(cast, viewer_of, act):
    row = make_quarantined(cast.workspace, EVENT)
    with pytest.raises(NotAllowed):
        act(viewer=viewer_of(cast.privacy), item_id=row.pk)
    assert QuarantinedItem.objects.exists()


@pytest.mark.parametrize(("act", "action"), [(redrive, "quarantine.redriven"), (discard, "quarantine.discarded")])
def test_the_audit_keeps_who_and_why_and_no_value(cast, lead, act, action):
    made = [str(make_quarantined(cast.workspace, EVENT, reason="r").pk) for _ in range(2)]
    act(viewer=lead, reason="r")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.user_id, entry.workspace_id) == (action, cast.lead.pk, cast.workspace.pk)
    assert entry.data == {"items": made, "reasons": ["r"]}


@pytest.mark.parametrize("act", [redrive, discard])
def test_nothing_happens_when_the_audit_cannot_be_written(cast, lead, act, monkeypatch):
    row = make_quarantined(cast.workspace, EVENT)

    def refuse(*_args, **_kwargs):
        raise RuntimeError("audit unavailable")

    monkeypatch.setattr(AuditEntry.objects, "create", refuse)
    with pytest.raises(RuntimeError, match="audit unavailable"):
        act(viewer=lead, item_id=row.pk)
    assert QuarantinedItem.objects.exists() and not InboxItem.objects.exists()


# --- Two at once -------------------------------------------------------------------------------


@pytest.mark.parametrize("is_locked", [True, False])
@pytest.mark.django_db(transaction=True)
def test_two_who_try_the_same_again_put_it_back_once(is_locked, monkeypatch):
    """Without the lock the operation is put back twice, which is why there is one."""
    workspace, user = make_workspace(), make_user()
    grant(user, workspace, "view_workspace", "edit")
    viewer = access.resolve(user, workspace.pk, face="ui")
    row = make_quarantined(workspace, EVENT)
    has_read, may_go_on = threading.Event(), threading.Event()
    read = quarantine.read

    def slow_read(body):
        if not has_read.is_set():
            has_read.set()
            may_go_on.wait(10)
        return read(body)

    monkeypatch.setattr(quarantine, "read", slow_read)
    if not is_locked:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows: rows)

    def act():
        try:
            return redrive(viewer=viewer, item_id=row.pk).done
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(act)
        assert has_read.wait(10)
        second = pool.submit(act)
        if not is_locked:
            second.result(10)
        may_go_on.set()
        assert first.result(10) + second.result(10) == (1 if is_locked else 2)
    assert InboxItem.objects.count() == (1 if is_locked else 2)


# --- With a worker -----------------------------------------------------------------------------


@pytest.fixture
def gate(transactional_db):
    with open_gate() as opened:
        yield opened


@pytest.fixture
def editor(gate):
    user = make_user()
    grant(user, workspace_of(gate), "view_workspace", "edit")
    return access.resolve(user, gate.workspace_id, face="ui")


def workspace_of(gate):
    return Workspace.objects.get(pk=gate.workspace_id)


def outcomes(viewer):
    sums = figures.of_workspace(viewer).total
    return (sums.accepted, sums.applied, sums.suppressed, sums.quarantined, sums.waiting)


def test_an_operation_tried_again_is_applied_and_counts_as_accepted_anew(gate, editor):
    gate.apply(Identify(Ref("loyalty_card", "L-1"), {"external_id": "7"}))
    assert outcomes(editor) == (1, 0, 0, 1, 0)
    (item,) = quarantine.page(editor).items
    assert item.code == "unknown_identifier_kind"
    IdentifierKind.objects.create(workspace=workspace_of(gate), name="loyalty_card", label="Loyalty card")
    assert redrive(viewer=editor, item_id=item.id) == Outcome(1, 0)
    assert outcomes(editor) == (2, 0, 0, 1, 1)
    gate.worker.close()  # it would know of the new kind a second later
    gate.apply()
    assert outcomes(editor) == (2, 1, 0, 1, 0)
    assert figures.of_workspace(editor).total.is_balanced
    assert gate.owner(by_id("7"))


def test_an_operation_about_somebody_suppressed_is_dropped_by_the_write_gate(gate, editor):
    gate.apply(Track(by_id("7"), "Login"), Suppress(by_id("7")))
    row = make_quarantined(workspace_of(gate), Track(by_id("7"), "Login"))
    redrive(viewer=editor, item_id=row.pk)
    gate.apply()
    assert outcomes(editor) == (3, 2, 1, 0, 0)
