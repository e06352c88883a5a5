"""The number of SQL statements of each page: the same for 1, 10 and 100 rows, and the recorded one (Q7).

``ROLODESK_RECORD_STATEMENTS=1 scripts/test tests/performance/test_statement_counts.py`` writes statements.json anew.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from customers import panels
from customers.models import CustomerIdentifier, CustomerProfile, IdentifierKind, PropertyChange
from segments.models import SegmentMember
from tests.cast import Cast
from tests.factories import (
    make_customer,
    make_delivery,
    make_device,
    make_event,
    make_object,
    make_quarantined,
    make_relationship,
    make_segment,
    make_subscription,
    make_topic,
)
from tracking.intake.operations import Ref, Track
from tracking.models import Event, EventCounter, EventDefinition, QuarantinedItem

RECORD = Path(__file__).with_name("statements.json")
ROWS = (1, 10, 100)
ROLES = ("support", "lead")
HTMX = {"HX-Request": "true"}
OLDER = re.compile(r'hx-get="([^"]*/timeline/[^"]*after=[^"]*)"')
# Enough for a second page, however few rows there are beside.
PLAIN_EVENTS = 60


def statements(send: Callable[[], Any]) -> int:
    """How many statements a request takes."""
    count = 0

    def add(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal count
        count += 1
        return execute(*arguments)

    with connection.execute_wrapper(add):
        response = send()
    assert response.status_code == 200
    return count


def grow(cast: Cast, star: UUID, rows: int) -> None:
    """Have so many customers of one name, and let one of them have so much of everything."""
    have = CustomerProfile.objects.count() - 1  # the star is another
    for number in range(have, rows):
        make_customer(
            cast.workspace,
            identifiers={"external_id": f"C-{number}", "email": f"{number}@fjord.example"},
            properties={"name": f"Lindqvist {number}", "plan": "gold"},
        )
    kind = IdentifierKind.objects.get(workspace=cast.workspace, name="anonymous_id")
    now, start = timezone.now(), CustomerIdentifier.objects.filter(kind_id=kind.pk).count()
    CustomerIdentifier.objects.bulk_create(
        CustomerIdentifier(
            customer_id=star, kind_id=kind.pk, raw_value=f"d{number}", raw_normal=f"d{number}",
            raw_folded=f"d{number}", digest=UUID(int=number), last_used=now,
        )
        for number in range(start, rows)
    )  # fmt: skip
    document = {"name": "Star", "iban": "x"} | {f"p{number}": number for number in range(rows)}
    CustomerProfile.objects.filter(pk=star).update(raw_props=document)
    for number in range(start, rows):
        give(cast, star, number)
        segment = make_segment(cast.workspace, f"Segment {number}")
        SegmentMember.objects.create(segment_id=segment.pk, customer_id=star, entered_at=now)
        definition = EventDefinition.objects.create(workspace=cast.workspace, kind="event", name=f"Visit {number}")
        Event.objects.create(customer_id=star, ts=now, type_id=definition.pk, received_at=now, raw_props={"a": number})
        EventCounter.objects.create(customer_id=star, type_id=definition.pk, n=1, first_at=now, last_at=now)


def give(cast: Cast, star: UUID, number: int) -> None:
    """One more of everything that can belong to a customer; and one more operation that was set aside."""
    now = timezone.now()
    make_device(star)
    make_relationship(star, make_object(cast.workspace, name="Acme"))
    make_topic(cast.workspace, number + 1)
    make_subscription(star, number + 1, is_subscribed=True)
    PropertyChange.objects.create(
        customer_id=star, at=now, ts=now, name=f"p{number}", raw_old=1, raw_new=2, source="track"
    )
    make_delivery(star)
    make_quarantined(cast.workspace, Track(Ref("external_id", "star"), "Visit"), reason=f"reason_{number}")


@pytest.fixture
def star(cast: Cast) -> UUID:
    """The customer of whom everything grows."""
    IdentifierKind.objects.create(workspace=cast.workspace, name="anonymous_id", label="Device", is_multiple=True)
    now = timezone.now()
    star = make_customer(
        cast.workspace,
        identifiers={"external_id": "star", "email": "star@fjord.example"},
        properties={"name": "Star"},
        first_seen=now - timedelta(days=1),
        last_seen=now + timedelta(minutes=1),
    )
    event = make_event(cast.workspace, star, amount=1)
    EventDefinition.objects.filter(pk=event.type_id).update(revenue_property="amount")
    Event.objects.bulk_create(
        Event(
            customer_id=star, ts=now - timedelta(minutes=n), type_id=event.type_id, received_at=now, raw_props={"a": n}
        )
        for n in range(PLAIN_EVENTS)
    )
    return star


def pages(client: Client, cast: Cast, star: UUID, *, is_editor: bool) -> Mapping[str, Callable[[], Any]]:
    """Every page that shows rows, by name."""
    workspace = f"/w/{cast.workspace.slug}"
    profile = f"{workspace}/customers/{star}/"
    search = partial(client.post, f"{workspace}/customers/search/", headers=HTMX)
    older = OLDER.search(client.get(profile).content.decode())
    assert older, "there is no second page of the timeline"
    filters = {"text": "visit", "order": "oldest"}
    aside = QuarantinedItem.objects.order_by("pk")[0].pk
    for_editors = {
        "quarantine": partial(client.get, f"{workspace}/quarantine/"),
        "quarantine, one": partial(client.get, f"{workspace}/quarantine/{aside}/"),
    }
    return (for_editors if is_editor else {}) | {
        "list": partial(client.get, f"{workspace}/customers/"),
        "search, exact": partial(search, {"q": "star@fjord.example"}),
        "search, nobody": partial(search, {"q": "nobody@fjord.example"}),
        "search, by part of a number": partial(search, {"q": "C-"}),
        "search, by part of a name": partial(search, {"q": "lindqvist"}),
        "profile": partial(client.get, profile),
        **{f"tab, {tab.key}": partial(client.get, f"{profile}{tab.key}/") for tab in panels.tabs()},
        "tab alone": partial(client.get, f"{profile}properties/", headers=HTMX),
        "timeline, older": partial(client.get, unescape(older[1]), headers=HTMX),
        "timeline, filtered": partial(client.post, f"{workspace}/timeline/{star}/filter/", filters, headers=HTMX),
    }


def recorded(role: str, measured: dict[str, int]) -> dict[str, int]:
    """What the file says of a role; it is written first where that is wanted."""
    document: dict[str, dict[str, int]] = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    if os.environ.get("ROLODESK_RECORD_STATEMENTS"):
        document = dict(sorted((document | {role: measured}).items()))
        RECORD.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    return document[role]


@pytest.mark.slow  # makes a hundred customers, and asks for every page three times
@pytest.mark.parametrize("role", ROLES)
def test_the_number_of_statements_of_a_page_does_not_depend_on_its_rows(
    cast: Cast, star: UUID, sign_in: Callable[..., Client], role: str
) -> None:
    client, measured = sign_in(getattr(cast, role)), {}
    client.get("/health/")  # the first request of a session sets its cookie
    for rows in ROWS:
        grow(cast, star, rows)
        measured[rows] = {
            name: statements(send) for name, send in pages(client, cast, star, is_editor=role == "lead").items()
        }
    for rows in ROWS[1:]:
        assert measured[rows] == measured[ROWS[0]], f"{rows} rows"
    assert measured[ROWS[0]] == recorded(role, measured[ROWS[0]]), "see how to record, above"


def test_the_record_is_of_the_roles_that_are_measured() -> None:
    assert set(json.loads(RECORD.read_text("utf-8"))) == set(ROLES)
