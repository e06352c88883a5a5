"""The order of what is shown comes from what is shown: neither hidden values nor the order of writing decide it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers import profiles
from customers.masking import MASK
from customers.models import CustomerIdentifier, IdentifierKind
from segments import memberships
from segments.models import SegmentMember
from tests.factories import make_customer, make_segment


@pytest.mark.parametrize("spelled", [("aaa", "zzz"), ("zzz", "aaa")])
def test_hidden_identifiers_of_one_kind_come_in_the_order_of_their_use(cast, viewer_of, spelled):
    now, customer = timezone.now(), make_customer(cast.workspace)
    kind = IdentifierKind.objects.create(
        workspace=cast.workspace, name="anonymous_id", label="Device", is_multiple=True
    )
    for days, value in enumerate(spelled):
        CustomerIdentifier.objects.create(
            customer_id=customer, kind_id=kind.pk, raw_value=value, raw_normal=value, raw_folded=value,
            digest=f"{days:032x}", last_used=now - timedelta(days=days),
        )  # fmt: skip
    shown = profiles.get(viewer_of(cast.support), customer).identifiers
    assert [one.value for one in shown] == [MASK, MASK]
    assert [one.updated_at for one in shown] == [now - timedelta(days=1), now]
    # Who sees them finds them by their values.
    assert [one.value for one in profiles.get(viewer_of(cast.lead), customer).identifiers] == ["aaa", "zzz"]


@pytest.mark.parametrize("is_reversed", [False, True])
def test_segments_entered_at_one_moment_keep_their_order(cast, viewer_of, anna, is_reversed):
    now, segments = timezone.now(), [make_segment(cast.workspace, name) for name in ("Regulars", "Callers", "Queue")]
    for segment in reversed(segments) if is_reversed else segments:
        SegmentMember.objects.create(segment_id=segment.pk, customer_id=anna, entered_at=now)
    found = memberships.of_customers(viewer_of(cast.support), [anna])[anna]
    assert [one.name for one in found] == ["Regulars", "Callers", "Queue"]
