"""One normal form for comparing text, made in Python on both sides: on write and on search."""

import unicodedata


def fold(text: str) -> str:
    """Lower case without accents or surrounding space: ``fold("Ünal ") == "unal"``.

    Folded in Python and not in SQL, because PostgreSQL 15 has no collation that agrees with 18's,
    and a stored form must not change with the server.
    """
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in spread if not unicodedata.combining(char)).strip()
