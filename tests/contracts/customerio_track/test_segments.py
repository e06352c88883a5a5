"""``POST /api/v1/segments/{segment_id}/…_customers``, sections 2.10 and 2.11 of the contract."""

from customers.models import Token, User, Workspace
from dialects.customerio_track import views
from dialects.customerio_track.dialect import tokens
from rolodesk.json import Json
from tests.contracts.client import TrackClient, request
from tests.contracts.conftest import Inbox
from tests.factories import grant, make_segment
from tracking.intake.operations import CUSTOMER_ID, ChangeMembers, Ref

HEX = "0190a0b0c0d0712233445566778899aa"
UUID_TEXT = "0190a0b0-c0d0-7122-3344-5566778899aa"
A = Ref("external_id", "a")
UNKNOWN = {"meta": {"errors": ["segment not found"]}}
NOT_MANUAL = {"meta": {"errors": ["only manual segments can be changed"]}}
VERBS = ["add", "remove"]


def change(track: TrackClient, segment: object, body: Json, verb: str = "add", query: str = "") -> tuple[int, Json]:
    response = track.send("POST", f"/api/v1/segments/{segment}/{verb}_customers{query}", body)
    return response.status_code, response.json()


def test_people_are_put_in_and_taken_out_by_the_kind_that_the_query_names(
    track: TrackClient, workspace: Workspace, inbox: Inbox
) -> None:
    segment = make_segment(workspace).pk
    for verb in VERBS:
        for query, ids in (
            ("", ["a", 1]),
            ("?id_type=id", ["a"]),
            ("?id_type=email", ["A@b.example"]),
            ("?id_type=cio_id", [HEX, f"cio_{HEX}", "1"]),
        ):
            response = track.send("POST", f"/api/v1/segments/{segment}/{verb}_customers/{query}", {"ids": ids})
            assert (response.status_code, response.content) == (200, b"{}\n")
    people = [[A, Ref("external_id", "1")], [A], [Ref("email", "A@b.example")], [Ref(CUSTOMER_ID, UUID_TEXT)]]
    assert inbox() == [ChangeMembers(segment, refs, is_removal) for is_removal in (False, True) for refs in people]


def test_ids_that_can_name_nobody_are_passed_over_without_a_word(
    track: TrackClient, workspace: Workspace, inbox: Inbox
) -> None:
    segment = make_segment(workspace).pk
    assert change(track, segment, {"ids": [None, "a", "", {}, "x" * 151]}) == (200, {})
    assert change(track, segment, {"ids": [None, ""]}) == (200, {})
    assert inbox() == [ChangeMembers(segment, [A])]


def test_unknown_segments_are_404(track: TrackClient, inbox: Inbox) -> None:
    elsewhere = make_segment(Workspace.objects.create(name="Other")).pk
    for segment in (4711, elsewhere, 0, "x", "1.5", 2**31, "%20", "9" * 60):
        for verb in VERBS:
            assert change(track, segment, {"ids": ["a"]}, verb) == (404, UNKNOWN), segment
    assert inbox() == []


def test_segments_with_a_rule_and_those_that_open_personal_data_are_400(
    track: TrackClient, workspace: Workspace, inbox: Inbox
) -> None:
    dynamic = make_segment(workspace, "Rule", kind="dynamic").pk
    scope = make_segment(workspace, "Queue", is_access_scope=True).pk
    for segment in (dynamic, scope):
        for verb in VERBS:
            assert change(track, segment, {"ids": ["a"]}, verb) == (400, NOT_MANUAL)
    assert inbox() == []


def test_a_segment_above_the_class_of_the_keys_user_is_unknown(
    track: TrackClient, workspace: Workspace, service: User, inbox: Inbox
) -> None:
    segment = make_segment(workspace, "Rule", kind="dynamic", data_class=1).pk
    assert change(track, segment, {"ids": ["a"]}) == (404, UNKNOWN)
    grant(service, workspace, "view_personal")
    assert change(track, segment, {"ids": ["a"]}) == (400, NOT_MANUAL)
    assert inbox() == []


REFUSED: list[tuple[Json, str, str]] = [
    ({}, "", "ids must be an array of 1 to 1000 ids"),
    ({"ids": []}, "", "ids must be an array of 1 to 1000 ids"),
    ({"ids": "a"}, "", "ids must be an array of 1 to 1000 ids"),
    ({"ids": ["a"] * 1001}, "", "ids must be an array of 1 to 1000 ids"),
    ({"ids": ["a"]}, "?id_type=phone", "id_type must be one of id, email or cio_id"),
    ({"ids": ["a"]}, "?id_type=", "id_type must be one of id, email or cio_id"),
    ([], "", "request body must be a JSON object"),
]


def test_what_breaks_a_rule_is_400_with_a_list(track: TrackClient, workspace: Workspace, inbox: Inbox) -> None:
    segment = make_segment(workspace).pk
    for body, query, message in REFUSED:
        assert change(track, segment, body, query=query) == (400, {"meta": {"errors": [message]}})
    assert inbox() == []


def test_a_thousand_ids_of_full_length_fit(track: TrackClient, workspace: Workspace, inbox: Inbox) -> None:
    segment = make_segment(workspace).pk
    assert change(track, segment, {"ids": [f"{n:0150}" for n in range(1000)]}) == (200, {})
    (found,) = inbox()
    assert isinstance(found, ChangeMembers)
    assert len(found.people) == 1000


def test_a_body_that_is_too_large_is_413_with_a_list(track: TrackClient, workspace: Workspace) -> None:
    segment = make_segment(workspace).pk
    response = track.send("POST", f"/api/v1/segments/{segment}/add_customers", content=b" " * (views.MANY_LIMIT + 1))
    assert (response.status_code, response.json()) == (413, {"meta": {"errors": ["request body is too large"]}})


def test_segments_need_credentials_with_their_permission(
    track: TrackClient, workspace: Workspace, inbox: Inbox
) -> None:
    path = f"/api/v1/segments/{make_segment(workspace).pk}/add_customers"
    assert request("POST", path, body={"ids": ["a"]}).json() == {"meta": {"error": "Unauthorized request"}}
    Token.objects.update(scopes=["edit"])
    tokens.forget()
    assert track.send("POST", path, {"ids": ["a"]}).status_code == 401
    assert inbox() == []
