"""The audit: ids, names and codes, never values."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from customers import access, audit
from customers.access import Viewer
from customers.masking import Shown
from customers.models import AuditEntry


@pytest.fixture
def viewer(cast):
    return access.resolve(cast.lead, cast.workspace.pk, face="ui", route="customers:list", request_id="r" * 32)


def test_an_entry_says_who_where_what_and_through_which_face(cast, viewer):
    customer = uuid4()
    audit.record(viewer, "customer.merged", customer_ids=[customer], classes=[2, 1, 2], data={"n": 3})
    entry = AuditEntry.objects.get()
    assert (entry.workspace_id, entry.user_id, entry.face) == (cast.workspace.pk, cast.lead.pk, "ui")
    assert (entry.action, entry.route, entry.request_id) == ("customer.merged", "customers:list", "r" * 32)
    assert (entry.customer_ids, entry.classes, entry.data) == ([customer], [1, 2], {"n": 3})
    assert timezone.now() - entry.at < timedelta(minutes=1)


def test_a_command_of_the_operator_has_no_viewer(cast):
    audit.record(None, "grant.given", workspace_id=cast.workspace.pk)
    entry = AuditEntry.objects.get()
    assert (entry.workspace_id, entry.user_id, entry.face, entry.route) == (cast.workspace.pk, None, "command", "")


def test_a_disclosure_names_what_is_personal_and_shown_and_nothing_else(viewer):
    customer = uuid4()
    audit.disclosure(
        viewer,
        [customer],
        [
            Shown("email", "E-mail", "canary@x.example", data_class=1),
            Shown("email", "E-mail", "canary@y.example", data_class=1),
            Shown("iban", "IBAN", "canary", data_class=2),
            Shown("plan", "Plan", "gold", data_class=0),
            Shown("phone", "Phone", "******", is_masked=True, data_class=1),
            Shown("note", "Note", "", data_class=1),
        ],
    )
    entry = AuditEntry.objects.get()
    assert (entry.customer_ids, entry.classes, entry.data) == ([customer], [1, 2], {"names": ["email", "iban"]})


@pytest.mark.parametrize(
    "value",
    [
        Shown("plan", "Plan", "gold"),
        Shown("phone", "Phone", "******", is_masked=True, data_class=1),
        Shown("note", "Note", "", data_class=1),
    ],
)
def test_what_discloses_nothing_is_not_recorded(viewer, value):
    audit.disclosure(viewer, [uuid4()], [value])
    assert not AuditEntry.objects.exists()


def test_the_system_discloses_nothing(cast):
    system = Viewer.system(workspace_id=cast.workspace.pk, reason="recompute")
    audit.disclosure(system, [uuid4()], [Shown("email", "E-mail", "canary@x.example", data_class=1)])
    assert not AuditEntry.objects.exists()


def test_look_ups_are_counted_by_minute_and_day_for_one_person(cast, viewer):
    other = access.resolve(cast.support, cast.workspace.pk, face="ui")
    elsewhere = access.resolve(cast.lead, cast.elsewhere.pk, face="mcp")
    for one in (viewer, elsewhere, other):
        audit.record(one, audit.LOOKUP)
    audit.record(viewer, "personal.shown")
    assert audit.lookups_made(cast.lead.pk) == (2, 2)  # over all faces and workspaces
    now = timezone.now()
    mine = AuditEntry.objects.filter(user_id=cast.lead.pk, action=audit.LOOKUP)
    mine.filter(face="ui").update(at=now - timedelta(minutes=2))
    assert audit.lookups_made(cast.lead.pk) == (1, 2)
    mine.filter(face="ui").update(at=now - timedelta(hours=25))
    assert audit.lookups_made(cast.lead.pk) == (1, 1)
    assert audit.lookups_made(cast.privacy.pk) == (0, 0)


def test_an_entry_is_named_by_its_action_and_id():
    entry = AuditEntry(action="personal.shown", data={"names": ["email"]})
    assert str(entry) == f"personal.shown {entry.id}"
