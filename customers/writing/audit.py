"""The audit of what the write gate does by itself, in the transaction of the change."""

from collections.abc import Iterable
from uuid import UUID

import uuid_utils.compat as uuids

from rolodesk import json
from rolodesk.database import Connection
from rolodesk.json import Json
from rolodesk.staging import array

_RECORD = """
INSERT INTO audit_entry (id, at, workspace_id, user_id, face, action, route, request_id, customer_ids, classes, data)
VALUES (%s, statement_timestamp(), %s, (SELECT user_id FROM token WHERE id = %s), %s, %s, '', '', %s::uuid[], '{}', %s)
"""


def record(
    connection: Connection,
    action: str,
    workspace_id: int,
    face: str,
    token_id: int | None,
    customer_ids: Iterable[UUID],
    data: dict[str, Json],
) -> None:
    """Write one entry: ids and codes, never values. Who did it is whose token it was."""
    told = data if token_id is None else {**data, "token": token_id}
    connection.execute(
        _RECORD,
        [uuids.uuid7(), workspace_id, token_id, face, action, array(customer_ids), json.encode(told).decode()],
    )
