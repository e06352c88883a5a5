"""Names that customers' rows point at, in the Django admin."""

import pytest

from customers.models import ObjectType
from tests.factories import make_topic
from tracking.models import Form

MODELS = ["customers/topic", "customers/objecttype", "tracking/form"]


@pytest.fixture
def rows(cast):
    """One row of each model, by its path."""
    return {
        "customers/topic": make_topic(cast.workspace, 1, "News"),
        "customers/objecttype": ObjectType.objects.create(workspace=cast.workspace, number=1, name="Company"),
        "tracking/form": Form.objects.create(workspace=cast.workspace, key="f1", fields=["email"]),
    }


@pytest.mark.parametrize("model", MODELS)
def test_superusers_may_change_names(cast, sign_in, rows, model):
    client = sign_in(cast.root)
    assert client.get(f"/admin/{model}/").status_code == 200
    assert client.get(f"/admin/{model}/{rows[model].pk}/change/").status_code == 200


@pytest.mark.parametrize("model", MODELS[:2])
def test_what_customers_point_at_is_never_deleted(cast, sign_in, rows, model):
    assert sign_in(cast.root).post(f"/admin/{model}/{rows[model].pk}/delete/", {"post": "yes"}).status_code == 403
    rows[model].refresh_from_db()


def test_the_fields_of_a_form_are_only_read(cast, sign_in, rows):
    text = sign_in(cast.root).get(f"/admin/tracking/form/{rows['tracking/form'].pk}/change/").content.decode()
    assert 'name="fields"' not in text and 'name="mapping"' in text
