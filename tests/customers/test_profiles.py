"""The read gate for people."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from customers import profiles
from customers.access import Viewer
from customers.masking import MASK
from customers.models import AuditEntry, Customer, CustomerIdentifier, CustomerProfile
from rolodesk.errors import NotFound
from tests.factories import declare, make_customer


def values(shown):
    return {one.name: one.value for one in shown}


def test_support_sees_masks_of_one_form_for_everything_private(cast, viewer_of, anna):
    profile = profiles.get(viewer_of(cast.support), anna)
    assert values(profile.identifiers) == {"external_id": "NL-204118", "email": MASK, "phone": MASK}
    assert values(profile.properties) == {"name": MASK, "plan": "gold", "iban": MASK, "pin": MASK, "note": MASK}
    assert profile.name.value == MASK
    assert profile.hidden_count == 6


def test_a_lead_sees_personal_but_neither_sensitive_nor_secret_values(cast, viewer_of, anna):
    profile = profiles.get(viewer_of(cast.lead), anna)
    shown = values(profile.properties)
    assert shown == {"name": "Anna Canarius", "plan": "gold", "iban": MASK, "pin": MASK, "note": "canary-undeclared"}
    assert profile.name.value == "Anna Canarius"


def test_sensitive_rights_show_sensitive_values_and_still_no_secret(cast, viewer_of, anna):
    shown = values(profiles.get(viewer_of(cast.privacy), anna).properties)
    assert (shown["iban"], shown["pin"]) == ("DE-CANARY-IBAN", MASK)


def test_a_mask_looks_the_same_for_null_list_and_long_text(cast, viewer_of):
    props: dict[str, object] = {"a": None, "b": [], "c": "x" * 900, "d": 5, "e": {"f": 1}, "g": ""}
    customer = make_customer(cast.workspace, properties=props)
    shown = profiles.get(viewer_of(cast.support), customer).properties
    assert {one.value for one in shown} == {MASK}
    assert {one.type for one in shown} == {"text"}


def test_every_disclosure_is_audited_with_names_and_without_values(cast, viewer_of, anna):
    profiles.get(viewer_of(cast.lead), anna)
    entry = AuditEntry.objects.get(action="personal.shown")
    assert (entry.user_id, entry.customer_ids) == (cast.lead.pk, [anna])
    assert set(entry.data["names"]) == {"email", "phone", "name", "note"}
    assert "anary" not in str(entry.data)


def test_a_view_that_shows_nothing_personal_is_not_audited(cast, viewer_of, anna):
    profiles.get(viewer_of(cast.support), anna)
    assert not AuditEntry.objects.exists()


def test_nothing_is_disclosed_when_the_audit_cannot_be_written(cast, viewer_of, anna, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise RuntimeError("audit unavailable")

    monkeypatch.setattr(AuditEntry.objects, "create", refuse)
    with pytest.raises(RuntimeError, match="audit unavailable"):
        profiles.get(viewer_of(cast.lead), anna)


def test_unknown_and_foreign_customers_are_equally_absent(cast, viewer_of, anna):
    for viewer, customer in [(viewer_of(cast.lead), uuid4()), (viewer_of(cast.outsider, cast.elsewhere), anna)]:
        with pytest.raises(NotFound):
            profiles.get(viewer, customer)


@pytest.mark.parametrize("state", ["merged", "deleted"])
def test_a_customer_that_is_gone_has_no_values_for_anybody(cast, viewer_of, anna, state):
    Customer.objects.filter(pk=anna).update(state=state)
    profile = profiles.get(viewer_of(cast.privacy), anna)
    assert (profile.identifiers, profile.properties, profile.name.value) == ((), (), "")


def test_each_property_tells_when_it_was_set(cast, viewer_of, anna):
    later = datetime(2026, 5, 4, 10, tzinfo=UTC)
    micros = int(later.timestamp() * 1_000_000)
    CustomerProfile.objects.filter(pk=anna).update(props_ts={"plan": micros})
    by_name = {one.name: one.updated_at for one in profiles.get(viewer_of(cast.support), anna).properties}
    assert by_name["plan"] == later
    assert (by_name["note"] or later) > later + timedelta(days=1)


def test_first_and_last_name_are_joined_and_masked_together(cast, viewer_of):
    declare(cast.workspace, "first_name", role="name", position=5)
    declare(cast.workspace, "last_name", role="name", position=6)
    customer = make_customer(cast.workspace, properties={"first_name": "Per", "last_name": "Åke"})
    assert profiles.get(viewer_of(cast.lead), customer).name.value == "Per Åke"
    assert profiles.get(viewer_of(cast.support), customer).name.value == MASK


def test_the_number_of_statements_does_not_grow_with_the_rows(cast, viewer_of, django_assert_max_num_queries):
    viewer = viewer_of(cast.lead)
    for rows in (1, 10, 50):
        made = [
            make_customer(cast.workspace, identifiers={"email": f"{rows}.{i}@x.example"}, properties={"name": "N"})
            for i in range(rows)
        ]
        with django_assert_max_num_queries(7):
            assert len(profiles.rows(viewer, made)) == rows


def test_the_system_reads_without_an_audit_entry(cast, anna):
    viewer = Viewer.system(workspace_id=cast.workspace.pk, reason="recompute")
    assert profiles.get(viewer, anna).name.value == "Anna Canarius"
    assert not AuditEntry.objects.exists()


def test_rows_keep_the_order_they_were_asked_for(cast, viewer_of):
    ids = [make_customer(cast.workspace) for _ in range(3)]
    ids.reverse()
    assert [row.id for row in profiles.rows(viewer_of(cast.support), ids)] == ids
    assert profiles.rows(viewer_of(cast.support), ids)[0].short_id == ids[0].hex[-6:]


def test_the_class_of_a_joined_name_is_the_highest_of_its_parts(cast, viewer_of):
    declare(cast.workspace, "first_name", role="name", data_class=0, position=5)
    declare(cast.workspace, "last_name", role="name", data_class=2, position=6)
    customer = make_customer(cast.workspace, properties={"first_name": "Per", "last_name": "Canary"})
    viewer = viewer_of(cast.privacy)
    assert (profiles.get(viewer, customer).name.value, profiles.get(viewer, customer).name.data_class) == (
        "Per Canary",
        2,
    )
    assert [row.name.value for row in profiles.rows(viewer_of(cast.lead), [customer])] == [MASK]


def test_a_customer_without_anything_has_empty_places(cast, viewer_of):
    customer = make_customer(cast.workspace)
    CustomerProfile.objects.all().delete()
    profile = profiles.get(viewer_of(cast.support), customer)
    assert (profile.identifiers, profile.properties, profile.name.value) == ((), (), "")
    assert [(one.name, one.value, one.is_masked) for one in profile.pinned] == [
        ("name", "", False),
        ("plan", "", False),
    ]
    assert profile.sees_all and profile.short_id == customer.hex[-6:]
    (row,) = profiles.rows(viewer_of(cast.support), [customer])
    assert (row.primary.value, row.primary.label, row.secondary) == ("", "Identifier", ())


def test_identifiers_stand_in_the_order_of_their_kinds(cast, viewer_of, anna):
    (row,) = profiles.rows(viewer_of(cast.lead), [anna])
    assert row.primary.name == "external_id"
    assert [one.name for one in row.secondary] == ["email", "phone"]


def test_several_identifiers_of_a_kind_are_all_there(cast, viewer_of):
    customer = make_customer(cast.workspace, identifiers={"email": "b@x.example"})
    one = CustomerIdentifier.objects.get(customer_id=customer)
    one.raw_normal = one.raw_value = "a@x.example"
    one.save(force_insert=True)
    assert [one.value for one in profiles.get(viewer_of(cast.lead), customer).identifiers] == [
        "a@x.example",
        "b@x.example",
    ]
    assert [one.value for one in profiles.get(viewer_of(cast.support), customer).identifiers] == [MASK, MASK]


@pytest.mark.parametrize("state", ["merged", "deleted"])
def test_a_row_of_a_customer_that_is_gone_has_no_values(cast, viewer_of, anna, state):
    Customer.objects.filter(pk=anna).update(state=state)
    (row,) = profiles.rows(viewer_of(cast.privacy), [anna])
    assert (row.state, row.identifiers, row.name.value) == (state, (), "")
    assert not AuditEntry.objects.exists()


def test_rows_leave_out_what_the_viewer_cannot_see(cast, viewer_of, anna):
    here = make_customer(cast.workspace)
    assert [row.id for row in profiles.rows(viewer_of(cast.lead), [uuid4(), here, anna])] == [here, anna]
    assert profiles.rows(viewer_of(cast.outsider, cast.elsewhere), [anna]) == []
    assert profiles.rows(viewer_of(cast.lead), []) == []


def test_rows_are_audited_for_those_customers_whose_values_they_show(cast, viewer_of, anna):
    other = make_customer(cast.workspace, identifiers={"external_id": "NL-5"}, properties={"plan": "gold"})
    profiles.rows(viewer_of(cast.lead), [anna, other])
    entry = AuditEntry.objects.get()
    assert (entry.customer_ids, entry.classes) == ([anna], [1])
    assert entry.data == {"names": ["email", "name", "phone"]}


def test_a_restricted_customer_is_masked_and_what_is_public_counts_as_personal(cast, viewer_of, anna):
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    profile = profiles.get(viewer_of(cast.privacy), anna)
    everything = [*profile.identifiers, *profile.properties]
    assert {one.value for one in everything} == {MASK} and all(one.is_personal for one in everything)
    assert {one.name: one.data_class for one in profile.properties}["iban"] == 2


def test_values_read_by_the_type_of_their_declaration(cast, viewer_of):
    declare(cast.workspace, "spent", type="money", data_class=0, position=7)
    customer = make_customer(cast.workspace, properties={"spent": "1234.5", "tags": ["a"]})
    assert values(profiles.get(viewer_of(cast.lead), customer).properties) == {"spent": "€1,234.50", "tags": '["a"]'}
