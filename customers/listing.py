"""The customer list as its template needs it: rows from the gate, extra columns, words about counts."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import formats

from customers import definitions, panels, search
from customers.access import PUBLIC, Viewer
from customers.profiles import CustomerRow


@dataclass(frozen=True, slots=True)
class ListRow:
    """A row and its extra cells."""

    row: CustomerRow
    url: str
    cells: tuple[tuple[panels.Column, panels.Cell], ...]


@dataclass(frozen=True, slots=True)
class ListGroup:
    """Rows under one heading."""

    label: str
    rows: tuple[ListRow, ...]


@dataclass(frozen=True, slots=True)
class ListPage:
    """Everything the list shows."""

    groups: tuple[ListGroup, ...]
    columns: tuple[panels.Column, ...]
    shown_count: int
    count_text: str
    next_url: str
    is_search: bool
    query_text: str
    searched_fields: tuple[str, ...]
    partial_hidden: bool
    lookups_left: int | None
    suppressed_at: object
    is_empty_workspace: bool


def build(viewer: Viewer, slug: str, found: search.Page, *, query: str, handle: str) -> ListPage:
    """Combine a page of the gate with the columns that other apps add."""
    columns = panels.columns()
    ids = [row.id for group in found.groups for row in group.rows]
    cells = {column.key: column.load(viewer, ids) for column in columns}
    groups = tuple(
        ListGroup(
            group.label,
            tuple(
                ListRow(
                    row,
                    reverse("customers:detail", args=[slug, row.id]),
                    tuple((column, cells[column.key].get(row.id, panels.Cell())) for column in columns),
                )
                for row in group.rows
            ),
        )
        for group in found.groups
    )
    return ListPage(
        groups=groups,
        columns=tuple(columns),
        shown_count=found.shown_count,
        count_text=_count(found.total),
        next_url=_next_url(slug, handle, found.next_cursor),
        is_search=bool(query),
        query_text=query,
        searched_fields=_searched(viewer) if query else (),
        partial_hidden=found.lookups_left is not None,
        lookups_left=found.lookups_left,
        suppressed_at=found.suppressed_at,
        is_empty_workspace=not query and not handle and found.total == 0,
    )


def _count(total: int) -> str:
    if total >= search.COUNT_CAP:
        return f"over {formats.number_format(search.COUNT_CAP - 1)}"
    return formats.number_format(total)


def _next_url(slug: str, handle: str, cursor: str) -> str:
    """Handle and cursor are opaque: nothing of the search stands in the address."""
    if not cursor:
        return ""
    query = {"v": handle, "after": cursor} if handle else {"after": cursor}
    return f"{reverse('customers:list', args=[slug])}?{urlencode(query)}"


def _searched(viewer: Viewer) -> tuple[str, ...]:
    """Where a search looked, in words, for the page that found nothing."""
    kinds = definitions.identifier_types(viewer.workspace_id).values()
    whole = [kind.label for kind in kinds if kind.has_lookup]
    by_part = [kind.label for kind in kinds if kind.is_searchable and kind.data_class == PUBLIC]
    names = ["names and other searchable properties"] if viewer.sees_everywhere(1) else []
    return tuple([f"{label} (whole)" for label in whole] + [f"{label} (beginning)" for label in by_part] + names)
