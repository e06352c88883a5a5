"""Figures of the intake, and the same for Prometheus."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.factories import make_quarantined
from tracking import figures
from tracking.figures import Sums
from tracking.models import InboxItem, IntakeTotal

TODAY = datetime.now(UTC).date()
OUTCOMES = ("applied", "duplicate", "suppressed", "ignored", "quarantined")
TOKEN = "scrape-me"


def count(workspace, day=TODAY, slot=0, **outcomes):
    """What a worker counted on a day."""
    numbers = dict.fromkeys(OUTCOMES, 0) | outcomes
    IntakeTotal.objects.create(
        workspace_id=workspace.pk, day=day, slot=slot, accepted=sum(numbers.values()), **numbers
    )  # fmt: skip


def wait(workspace, n):
    """A request of so many operations."""
    now = datetime.now(UTC)
    InboxItem.objects.create(workspace_id=workspace.pk, route="track", n=n, received_at=now, raw_body="[]")


@pytest.fixture
def busy(cast):
    """Two days, two workers, and a neighbour."""
    count(cast.workspace, applied=5, duplicate=1)
    count(cast.workspace, slot=1, applied=2, quarantined=1)
    count(cast.workspace, TODAY - timedelta(days=1), applied=10, suppressed=3, ignored=4)
    wait(cast.workspace, 7)
    wait(cast.workspace, 2)
    make_quarantined(cast.workspace)
    count(cast.elsewhere, applied=100)
    wait(cast.elsewhere, 50)


# --- Figures -----------------------------------------------------------------------------------


def test_figures_add_up_over_days_and_workers(cast, viewer_of, busy):
    found = figures.of_workspace(viewer_of(cast.support))
    assert found.today == Sums(18, applied=7, duplicate=1, suppressed=0, ignored=0, quarantined=1, waiting=9)
    assert found.total == Sums(35, applied=17, duplicate=1, suppressed=3, ignored=4, quarantined=1, waiting=9)
    assert found.set_aside == 1
    assert found.today.is_balanced and found.total.is_balanced


def test_a_workspace_without_anything_has_zeros(cast, viewer_of):
    found = figures.of_workspace(viewer_of(cast.support))
    assert found.total == found.today == Sums(0, 0, 0, 0, 0, 0, 0) and found.set_aside == 0


def test_a_loss_is_noticed(cast, viewer_of):
    count(cast.workspace, applied=5)
    IntakeTotal.objects.update(accepted=6)
    assert not figures.of_workspace(viewer_of(cast.support)).total.is_balanced


def test_all_figures_come_from_one_statement(cast, busy, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = {one.workspace_id: one.total.waiting for one in figures.read()}
    assert found == {cast.workspace.pk: 9, cast.elsewhere.pk: 50}


# --- Metrics -----------------------------------------------------------------------------------


def samples(response):
    """Values by name and labels, as Prometheus reads them."""
    families = text_string_to_metric_families(response.content.decode())
    return {(one.name, *sorted(one.labels.values())): one.value for family in families for one in family.samples}


def test_prometheus_reads_the_equation_per_workspace(cast, client, busy):
    response = client.get("/metrics/")
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    found, number = samples(response), str(cast.workspace.pk)
    assert found["rolodesk_intake_accepted_total", number] == 35
    parts = {name: found["rolodesk_intake_outcomes_total", *sorted([number, name])] for name in OUTCOMES}
    assert parts == {"applied": 17, "duplicate": 1, "suppressed": 3, "ignored": 4, "quarantined": 1}
    assert found["rolodesk_intake_waiting", number] == 9
    assert sum(parts.values()) + 9 == 35
    assert found["rolodesk_quarantine_items", number] == 1
    assert found["rolodesk_intake_accepted_total", str(cast.elsewhere.pk)] == 150


def test_metrics_name_workspaces_by_number_only(cast, client, busy):
    text = client.get("/metrics/").content.decode()
    assert cast.workspace.slug not in text and cast.workspace.name not in text


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1"])
def test_without_a_token_this_machine_may_ask(db, client, address):
    assert client.get("/metrics/", REMOTE_ADDR=address).status_code == 200


@pytest.mark.parametrize("address", ["10.0.0.7", "2001:db8::1", "", "unix:"])
def test_without_a_token_nobody_else_may(db, client, address):
    assert client.get("/metrics/", REMOTE_ADDR=address).status_code == 404


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via"])
def test_without_a_token_what_comes_through_a_proxy_is_not_of_this_machine(db, client, name):
    assert client.get("/metrics/", headers={name: "127.0.0.1"}).status_code == 404


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7"])
def test_with_a_token_everybody_needs_it(db, client, settings, address):
    settings.METRICS_TOKEN = TOKEN
    for value in ("", "Bearer", "Bearer other", f"Basic {TOKEN}", TOKEN, "Bearer schlüssel"):
        response = client.get("/metrics/", REMOTE_ADDR=address, headers={"Authorization": value})
        assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer"), value
    for value in (f"Bearer {TOKEN}", f"bearer  {TOKEN} "):
        assert client.get("/metrics/", REMOTE_ADDR=address, headers={"Authorization": value}).status_code == 200


def test_a_session_is_no_token(cast, sign_in, settings):
    settings.METRICS_TOKEN = TOKEN
    assert sign_in(cast.root).get("/metrics/").status_code == 401


def test_a_scraper_on_this_machine_is_not_sent_to_https(db, client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/metrics/").status_code == 200
    assert client.get("/health/").status_code == 301
