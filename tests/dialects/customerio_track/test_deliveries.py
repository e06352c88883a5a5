"""Reports about messages as operations, sections 2.13, 2.14 and 2.16 of the contract."""

import json

import pytest

from dialects.customerio_track import deliveries
from dialects.customerio_track.errors import Invalid
from rolodesk.json import Json
from tracking.intake.operations import Ref, ReportDelivery, Unsubscribe

ID = "RPILAgUBcRhIBqSfeiIwdIYJKxTY"
WRONG_METRICS: list[Json] = [None, "", "sent", "Opened", 1, [], {}]
WRONG_IDS: list[Json] = [None, "", 5, [], "a b", "a\0", "\u00fc", "x" * 151, "a?b", "<i>"]
AT, MICROS = 1700000000, 1_700_000_000_000_000


def metric(**item: Json) -> ReportDelivery | None:
    return deliveries.v1_metric(json.dumps({"delivery_id": ID, "metric": "opened"} | item).encode())


def push(**item: Json) -> ReportDelivery | None:
    return deliveries.v1_push(json.dumps({"delivery_id": ID, "event": "opened"} | item).encode())


@pytest.mark.parametrize(
    "name", ["bounced", "clicked", "converted", "deferred", "delivered", "dropped", "opened", "spammed"]
)
def test_every_metric_of_any_channel_is_taken(name: str) -> None:
    assert metric(metric=name, timestamp=AT) == ReportDelivery(ID, name, at=MICROS)


@pytest.mark.parametrize(
    "item",
    [
        *({"metric": name} for name in WRONG_METRICS),
        *({"delivery_id": id_} for id_ in WRONG_IDS),
    ],
)
def test_a_report_that_says_nothing_usable_is_none(item: Json) -> None:
    assert metric(**item) is None


@pytest.mark.parametrize("id_", ["a", "x" * 150, f"{ID}==", "a+b/c=", "a-b_c", "0190a0b0-c0d0-7122-3344-5566778899aa"])
def test_ids_of_many_senders_have_the_form_of_one(id_: str) -> None:
    found = metric(delivery_id=id_)
    assert found is not None
    assert found.delivery_id == id_


def test_what_the_channel_tells_comes_along_and_nothing_else() -> None:
    found = metric(recipient="a@b.example", reason="full", href="https://x.example/", other="x")
    assert found is not None
    assert found.details == {"recipient": "a@b.example", "reason": "full", "href": "https://x.example/"}


@pytest.mark.parametrize("reason", [[], {}, True, 1.5, "x" * 1001, "\u20ac" * 334])
def test_a_detail_that_does_not_fit_is_left_out(reason: Json) -> None:
    found = metric(reason=reason, href="x" * 1000)
    assert found is not None
    assert found.details == {"href": "x" * 1000}


@pytest.mark.parametrize(
    ("recipient", "who"),
    [
        ("a@b.example", Ref("email", "a@b.example")),
        ("5", Ref("external_id", "5")),
        ("49301234567", Ref("external_id", "49301234567")),
        ("+49301234567", Ref("phone", "+49301234567")),
        (49301234567, Ref("phone", "+49301234567")),
        (5, Ref("external_id", "5")),
        ("+x", Ref("external_id", "+x")),
        (10**20, Ref("external_id", str(10**20))), (True, None),
        (None, None), ("", None), ([], None), ("x" * 151, None), ("a\0", None),
    ],
)  # fmt: skip
def test_the_shape_of_a_recipient_decides_who_is_meant(recipient: Json, who: Ref | None) -> None:
    found = metric(recipient=recipient)
    assert found is not None
    assert found.recipient == who


def test_the_older_report_is_about_a_push_and_names_a_device() -> None:
    assert push(device_id="token", timestamp=AT) == ReportDelivery(
        ID, "opened", None, "push", {"recipient": "token"}, MICROS
    )
    assert push() == ReportDelivery(ID, "opened", None, "push")


@pytest.mark.parametrize("item", [{"event": "clicked"}, {"event": None}, {"event": []}, {"delivery_id": ""}])
def test_an_older_report_that_says_nothing_usable_is_none(item: Json) -> None:
    assert push(**item) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"\xff"])
def test_what_is_no_object_is_refused_even_here(body: bytes) -> None:
    for parse in (deliveries.v1_metric, deliveries.v1_push):
        with pytest.raises(Invalid):
            parse(body)


# --- Version 2 ------------------------------------------------------------------------------------------


def delivery(**item: Json) -> dict[str, Json]:
    return {"identifiers": {"id": ID}, "name": "opened", "attributes": {"device_token": "t"}} | item


def test_an_event_of_a_delivery_is_a_report_about_a_push() -> None:
    assert deliveries.v2_event(delivery(timestamp=AT)) == [
        ReportDelivery(ID, "opened", None, "push", {"recipient": "t"}, MICROS)
    ]


@pytest.mark.parametrize(
    ("item", "reason", "field"),
    [
        ({"identifiers": None}, "required", "identifiers"),
        ({"identifiers": []}, "invalid", "identifiers"),
        ({"identifiers": {}}, "required", "identifiers"),
        ({"identifiers": {"email": "a@b.example"}}, "required", "identifiers.id"),
        ({"identifiers": {"id": "a b"}}, "invalid", "identifiers.id"),
        ({"identifiers": {"id": 5}}, "invalid", "identifiers.id"),
        ({"name": None}, "required", "name"),
        ({"name": ""}, "required", "name"),
        ({"name": "bounced"}, "invalid", "name"),
        ({"name": []}, "invalid", "name"),
        ({"attributes": None}, "required", "attributes"),
        ({"attributes": []}, "invalid", "attributes"),
        ({"attributes": {}}, "required", "attributes.device_token"),
        ({"attributes": {"device_token": " "}}, "required", "attributes.device_token"),
        ({"attributes": {"device_token": []}}, "invalid", "attributes.device_token"),
        ({"attributes": {"device_token": "x" * 1001}}, "too_large", "attributes.device_token"),
    ],
)
def test_an_event_of_a_delivery_that_breaks_a_rule(item: Json, reason: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        deliveries.v2_event(delivery(**item))
    assert (caught.value.reason, caught.value.field) == (reason, field)


# --- Unsubscribe ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b" ", b"{}", *(b'{"unsubscribe": %s}' % v for v in (b"null", b"true", b'"1"'))])
def test_the_call_means_unsubscribe_unless_it_says_otherwise(body: bytes) -> None:
    assert deliveries.unsubscribe(ID, body) == Unsubscribe(ID)


@pytest.mark.parametrize("value", [b"false", b"0", b'"False"', b'"0"'])
def test_false_takes_it_back(value: bytes) -> None:
    found = deliveries.unsubscribe(ID, b'{"unsubscribe": %s}' % value)
    assert found == Unsubscribe(ID, is_unsubscribed=False)


@pytest.mark.parametrize(
    ("delivery_id", "body"),
    [(ID, b'{"unsubscribe": "x"}'), (ID, b'{"unsubscribe": []}'), (ID, b'{"unsubscribe": 2}'), (ID, b"x"), (ID, b"[]"),
     ("", b"{}"), ("a b", b"{}"), ("x" * 151, b"{}"), ("a\ufffd", b"{}"), ("!", b"{}")],
)  # fmt: skip
def test_an_unsubscribe_call_of_another_form_is_refused(delivery_id: str, body: bytes) -> None:
    with pytest.raises(Invalid):
        deliveries.unsubscribe(delivery_id, body)


@pytest.mark.parametrize("header", [None, b"application/json", b"Application/JSON; charset=utf-8"])
def test_json_may_say_that_it_is_json(header: bytes | None) -> None:
    deliveries.check_content_type(header)


@pytest.mark.parametrize(
    "header", [b"", b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; b=1"]
)
def test_forms_of_web_pages_are_no_json(header: bytes) -> None:
    with pytest.raises(Invalid):
        deliveries.check_content_type(header)
