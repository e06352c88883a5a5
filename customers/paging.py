"""Pages of rows by time, newest first: keyset paging behind a sealed cursor."""

from typing import Any, TypeVar, cast

from django.conf import settings
from django.db.models import Field, Model, Q, QuerySet

from rolodesk import sealing

PAGE = 50
CURSOR_SECONDS = 24 * 3600

Row = TypeVar("Row", bound=Model)


def newest_first(rows: QuerySet[Row], at: str, key: str, *, binding: str, cursor: str) -> tuple[list[Row], str]:
    """One page, and the cursor behind it ("" at the end).

    ``at`` and ``key`` name the columns that order the rows; ``binding`` says whose page of what this is.
    Raises HandleRefused for a cursor that is forged, foreign, or older than a day.
    """
    if cursor:
        place = sealing.unseal(settings.CURSOR_KEY, binding, cursor, max_age=CURSOR_SECONDS)
        last_at, last_key = (_parse(rows, name, text) for name, text in zip((at, key), place, strict=True))
        # The first condition bounds the scan of the index; the second breaks ties.
        rows = rows.filter((f"{at}__lte", last_at)).filter(Q((f"{at}__lt", last_at)) | Q((f"{key}__lt", last_key)))
    found = list(rows.order_by(f"-{at}", f"-{key}")[: PAGE + 1])
    if len(found) <= PAGE:
        return found, ""
    last = found[PAGE - 1]
    place = [getattr(last, at).isoformat(), str(getattr(last, key))]
    return found[:PAGE], sealing.seal(settings.CURSOR_KEY, binding, place)


def _parse(rows: QuerySet[Row], name: str, text: str) -> object:
    return cast("Field[Any, Any]", rows.model._meta.get_field(name)).to_python(text)
