"""Lifetime value: a sum, hidden like the most private amount in it."""

from decimal import Decimal
from uuid import uuid4

import pytest

from customers import profiles
from customers.access import Viewer
from customers.masking import MASK
from customers.models import AuditEntry, Customer, PropertyDefinition
from customers.panels import Cell
from tests.factories import declare, grant_on_segment, make_customer, make_event, make_segment
from tracking import pages, timeline
from tracking.models import EventDefinition


@pytest.fixture
def support(cast, viewer_of):
    return viewer_of(cast.support)


@pytest.fixture
def lead(cast, viewer_of):
    return viewer_of(cast.lead)


@pytest.fixture
def purchases(cast, anna):
    """Two amounts that nobody has declared."""
    for amount in (100, 50):
        make_event(cast.workspace, anna, "Purchase", revenue=amount)
    name_amount("Purchase")


def name_amount(event, path="revenue"):
    EventDefinition.objects.filter(name=event).update(revenue_property=path)


def value_of(viewer, customer):
    value = timeline.values(viewer, [customer])[customer]
    return value.total.value, value.average.value, value.orders


def test_amounts_of_all_types_add_up(cast, lead, anna, purchases):
    make_event(cast.workspace, anna, "Subscription", revenue=30)
    name_amount("Subscription")
    make_event(cast.workspace, anna, "Login")
    assert value_of(lead, anna) == ("€180.00", "€60.00", 3)


def test_refunds_lower_the_value(cast, lead, anna, purchases):
    make_event(cast.workspace, anna, "Refund", revenue=-200)
    name_amount("Refund")
    assert value_of(lead, anna)[0] == "-€50.00"


def test_the_currency_is_that_of_the_workspace(cast, viewer_of, anna, purchases):
    cast.workspace.currency = "JPY"
    cast.workspace.save()
    assert value_of(viewer_of(cast.lead), anna)[0] == "¥150"


def test_without_purchases_the_value_is_zero(cast, lead, anna):
    make_event(cast.workspace, anna, "Login")
    assert value_of(lead, anna) == ("€0.00", "€0.00", 0)


def test_undeclared_amounts_are_personal(support, lead, anna, purchases):
    assert value_of(support, anna) == (MASK, MASK, 0)
    assert value_of(lead, anna)[0] == "€150.00"


@pytest.mark.parametrize(
    ("data_class", "sees"), [(0, "support lead privacy"), (1, "lead privacy"), (2, "privacy"), (3, "")]
)
def test_the_value_has_the_class_of_its_amounts(cast, viewer_of, anna, purchases, data_class, sees):
    declare(cast.workspace, "revenue", entity="event:Purchase", data_class=data_class)
    for name in ("support", "lead", "privacy"):
        total = value_of(viewer_of(getattr(cast, name)), anna)[0]
        assert (total == "€150.00") is (name in sees.split()), name


def test_the_most_private_amount_of_the_workspace_decides(cast, support, lead, anna, purchases):
    declare(cast.workspace, "revenue", entity="event:Purchase", data_class=0)
    assert value_of(support, anna)[0] == "€150.00"
    make_event(cast.workspace, make_customer(cast.workspace), "Treatment", revenue=1)
    name_amount("Treatment")
    declare(cast.workspace, "revenue", entity="event:Treatment", data_class=2)
    assert value_of(support, anna)[0] == value_of(lead, anna)[0] == MASK


def test_two_kinds_of_events_of_one_name_both_count(cast, support, anna, purchases):
    declare(cast.workspace, "revenue", entity="event:Purchase", data_class=0)
    declare(cast.workspace, "tip", entity="event:Purchase", data_class=1)
    for kind, path in (("page", "tip"), ("screen", "revenue")):
        EventDefinition.objects.create(workspace=cast.workspace, kind=kind, name="Purchase", revenue_property=path)
    assert value_of(support, anna)[0] == MASK


def test_amounts_whose_origin_nobody_names_any_more_are_not_public(support, anna, purchases):
    name_amount("Purchase", "")
    assert "150" not in str(timeline.values(support, [anna]))


def test_a_customer_without_purchases_looks_like_one_with_hidden_ones(cast, support, anna, purchases):
    other = make_customer(cast.workspace)
    assert value_of(support, other) == value_of(support, anna)


def test_a_grant_on_a_segment_opens_the_value_of_its_members_only(cast, viewer_of, anna, purchases):
    other = make_customer(cast.workspace)
    make_event(cast.workspace, other, "Purchase", revenue=7)
    grant_on_segment(cast.support, make_segment(cast.workspace, "Queue", anna, is_access_scope=True))
    values = timeline.values(viewer_of(cast.support), [anna, other])
    assert (values[anna].total.value, values[other].total.value) == ("€150.00", MASK)


def test_a_restricted_customer_hides_even_public_amounts(cast, viewer_of, anna, purchases):
    PropertyDefinition.objects.create(workspace=cast.workspace, entity="event:Purchase", path="revenue", data_class=0)
    Customer.objects.filter(pk=anna).update(is_restricted=True)
    for person in (cast.support, cast.lead, cast.root):
        assert value_of(viewer_of(person), anna) == (MASK, MASK, 0)


@pytest.mark.parametrize("state", ["merged", "deleted"])
def test_a_customer_that_is_gone_has_no_value_for_anybody(cast, viewer_of, anna, purchases, state):
    Customer.objects.filter(pk=anna).update(state=state)
    assert value_of(viewer_of(cast.privacy), anna) == (MASK, MASK, 0)


def test_unknown_and_foreign_customers_have_no_value(cast, viewer_of, lead, anna, purchases):
    assert timeline.values(lead, [uuid4()]) == {}
    assert timeline.values(viewer_of(cast.outsider, cast.elsewhere), [anna]) == {}
    assert timeline.values(lead, []) == {}


def test_who_is_shown_a_personal_value_is_audited_for_those_it_was_shown_of(cast, viewer_of, anna, purchases):
    other = make_customer(cast.workspace)
    grant_on_segment(cast.support, make_segment(cast.workspace, "Queue", anna, is_access_scope=True))
    timeline.values(viewer_of(cast.support), [anna, other])
    entry = AuditEntry.objects.get()
    assert (entry.customer_ids, entry.classes, entry.data) == ([anna], [1], {"names": ["lifetime_value"]})


def test_masks_and_public_values_leave_no_trace_in_the_audit(cast, support, lead, anna, purchases):
    timeline.values(support, [anna])
    declare(cast.workspace, "revenue", entity="event:Purchase", data_class=0)
    timeline.values(lead, [anna])
    assert not AuditEntry.objects.exists()


def test_the_system_reads_without_an_audit_entry(cast, anna, purchases):
    system = Viewer.system(workspace_id=cast.workspace.pk, reason="recompute")
    assert value_of(system, anna)[0] == "€150.00"
    assert not AuditEntry.objects.exists()


def test_the_number_of_statements_does_not_grow_with_the_rows(cast, lead, purchases, django_assert_max_num_queries):
    for rows in (1, 10, 50):
        ids = [make_customer(cast.workspace) for _ in range(rows)]
        with django_assert_max_num_queries(6):
            assert len(timeline.values(lead, ids)) == rows


def test_the_column_and_the_card_show_what_the_gate_shows(cast, support, lead, anna, purchases):
    assert pages.load_column(lead, [anna]) == {anna: Cell("€150.00")}
    assert pages.load_column(support, [anna]) == {anna: Cell(MASK)}
    card = pages.load_panel(lead, profiles.get(lead, anna))["value"]
    assert (card.total.value, card.average.value, card.orders) == ("€150.00", "€75.00", 2)


def test_sums_keep_their_cents(cast, lead, anna):
    for _ in range(10):
        make_event(cast.workspace, anna, "Purchase", revenue=1)
    from tracking.models import EventCounter

    EventCounter.objects.update(revenue=Decimal("1.10"))
    name_amount("Purchase")
    assert value_of(lead, anna)[:2] == ("€1.10", "€0.11")
