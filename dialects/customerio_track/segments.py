"""Members of manual segments. Raises Invalid, touches nothing stored."""

from dialects.customerio_track.bodies import document
from dialects.customerio_track.errors import Invalid
from dialects.customerio_track.fields import CIO_ID, KINDS, MAX_INTEGER, identifier, person_of_cio_id
from rolodesk.errors import NotFound
from rolodesk.json import Json
from tracking.intake.operations import ChangeMembers, Ref

ID_TYPES = ("id", "email", CIO_ID)
MAX_IDS = 1000


def change_members(segment_id: str, id_type: str | None, body: bytes, *, is_removal: bool) -> ChangeMembers:
    """``POST /api/v1/segments/{segment_id}/…_customers``. Raises NotFound for what can be no segment's id.

    Ids that can name nobody are passed over, as those are that name nobody.
    """
    ids = document(body).get("ids")
    if id_type is None:
        id_type = "id"
    if id_type not in ID_TYPES:
        raise Invalid("id_type must be one of id, email or cio_id", field="id_type")
    if type(ids) is not list or not 1 <= len(ids) <= MAX_IDS:
        raise Invalid(f"ids must be an array of 1 to {MAX_IDS} ids", field="ids")
    people = [who for who in (_person(value, id_type) for value in ids) if who is not None]
    return ChangeMembers(_number(segment_id), list(dict.fromkeys(people)), is_removal)


def _number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_INTEGER))
    if not is_number or not 1 <= int(text) <= MAX_INTEGER:
        raise NotFound(reason="segment")
    return int(text)


def _person(value: Json, id_type: str) -> Ref | None:
    try:
        text = identifier(value, id_type)
    except Invalid:
        return None
    if text is None:
        return None
    return person_of_cio_id(text) if id_type == CIO_ID else Ref(KINDS[id_type], text)
