"""Stored searches: a random handle in the URL, the query sealed in the database."""

import re
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from customers.access import Viewer
from customers.models import SearchHandle
from rolodesk import sealing
from rolodesk.errors import HandleRefused
from rolodesk.json import Json

KEPT = timedelta(hours=24)
# What ``store`` gives out. Anything else is refused unasked: the database takes no NUL, for one.
_FORM = re.compile(r"[A-Za-z0-9_-]{20}")


def store(viewer: Viewer, query: dict[str, Json]) -> str:
    """Keep a query for this viewer for a day; returns the handle."""
    handle = secrets.token_urlsafe(15)
    sealed = sealing.seal(settings.APP_KEY, f"handle:{viewer.binding}", query)
    SearchHandle.objects.create(
        id=handle,
        user_id=viewer.user_id or 0,
        workspace_id=viewer.workspace_id,
        sealed=sealed.encode(),
        expires_at=timezone.now() + KEPT,
    )
    return handle


def load(viewer: Viewer, handle: str) -> dict[str, Any]:
    """The query behind a handle. Raises HandleRefused when unknown, expired, or somebody else's."""
    is_ours = _FORM.fullmatch(handle)
    row = SearchHandle.objects.filter(pk=handle, expires_at__gt=Now()).first() if is_ours else None
    if row is None or (row.user_id, row.workspace_id) != (viewer.user_id, viewer.workspace_id):
        raise HandleRefused
    seconds = int(KEPT.total_seconds())
    value = sealing.unseal(settings.APP_KEY, f"handle:{viewer.binding}", bytes(row.sealed).decode(), max_age=seconds)
    if not isinstance(value, dict):
        raise HandleRefused
    return value


def forget_expired() -> int:
    """Delete handles past their day."""
    return SearchHandle.objects.filter(expires_at__lte=Now()).delete()[0]
