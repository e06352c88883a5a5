"""The dialects of this installation: one object each, named in ``settings.DIALECTS``."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module

from django.conf import settings

from dialects.kit.errors import ErrorTable
from dialects.kit.http import Application


@dataclass(frozen=True, slots=True)
class Dialect:
    """A vendor's wire format: the paths it answers, by which application, and its table of errors.

    ``prefixes`` are whole segments without a trailing slash. ``routes`` lists method and template of each
    operation, for the inventory that the permission and leak tests go through.
    """

    name: str
    face: str
    prefixes: tuple[str, ...]
    application: Application
    error_table: ErrorTable
    routes: tuple[tuple[str, str], ...]


@cache
def registered() -> tuple[Dialect, ...]:
    """All dialects, each from the constant ``DIALECT`` of its module."""
    found = tuple(import_module(path).DIALECT for path in settings.DIALECTS)
    prefixes = [prefix for dialect in found for prefix in dialect.prefixes]
    if len(prefixes) != len(set(prefixes)):
        message = "two dialects claim the same path"
        raise ValueError(message)
    return found
