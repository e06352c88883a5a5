"""The vendor's own Python client against a live server. Slow: it starts one."""

from datetime import UTC, datetime

import pytest
from customerio import CustomerIO, CustomerIOException

from tests.contracts.client import TrackClient
from tests.contracts.conftest import Inbox
from tests.contracts.live import live_server
from tracking.intake.operations import Identify, Ref, Track

AT = datetime(2026, 11, 1, tzinfo=UTC)
MICROS = int(AT.timestamp()) * 1_000_000
ANNA, SLASH = Ref("external_id", "anna"), Ref("external_id", "a/b c+d")


def official_client(base_url: str, site_id: str, api_key: str) -> CustomerIO:
    """The client with its address replaced: by itself it speaks TLS only."""
    client = CustomerIO(site_id, api_key, retries=0)
    client.base_url = f"{base_url}/api/v1"
    return client


def test_the_official_client_identifies_tracks_and_sends_batches(track: TrackClient, inbox: Inbox) -> None:
    with live_server() as base_url, official_client(base_url, track.site_id, track.api_key) as client:
        client.identify("anna", email="anna@fjord.example", created_at=AT, score=float("nan"), plan="gold")
        client.track("anna", "purchase", {"sku": "a-1", "at": AT}, id="order-1", timestamp=AT)
        client.pageview("anna", "https://shop.example/a?b=c", referrer="https://x.example/")
        client.backfill("a/b c+d", "signed up", AT, source="import")
        operation = {"type": "person", "action": "event", "identifiers": {"id": 7}, "name": "a"}
        # Its batch() builds an https address of its own; this is what it does with it.
        client.send_request("POST", f"{base_url}/api/v2/batch", {"batch": [operation]})
    assert inbox() == [
        Identify(
            ANNA,
            {"email": "anna@fjord.example"},
            {"created_at": MICROS // 1_000_000, "score": None, "plan": "gold"},
        ),
        Track(ANNA, "purchase", properties={"sku": "a-1", "at": MICROS // 1_000_000}, id="order-1", at=MICROS),
        Track(ANNA, "https://shop.example/a?b=c", "page", {"referrer": "https://x.example/"}),
        Track(SLASH, "signed up", properties={"source": "import"}, at=MICROS),
        Track(Ref("external_id", "7"), "a"),
    ]


def test_the_official_client_shows_errors_of_a_live_server(track: TrackClient, inbox: Inbox) -> None:
    with live_server() as base_url:
        with (
            official_client(base_url, track.site_id, "wrong") as client,
            pytest.raises(CustomerIOException, match="401"),
        ):
            client.identify("anna")
        with official_client(base_url, track.site_id, track.api_key) as client:
            with pytest.raises(CustomerIOException, match="event name must not be blank"):
                client.track("anna", "")
            with pytest.raises(CustomerIOException, match="413"):
                client.identify("anna", bio="x" * 2_000_000)
    assert inbox() == []
