"""How browsers and htmx ask for our pages, and what every answer keeps."""

import re

HTMX = {"HX-Request": "true"}
# Whoever asks in one of these ways wants the whole page.
WHOLE_PAGE = [{}, HTMX | {"HX-Boosted": "true"}, HTMX | {"HX-History-Restore-Request": "true"}]
# What each value of ``anna`` and her name would give away.
PERSONAL_VALUES = ("anna.canary", "fjord", "30231250881", "30 23125", "Anna", "Canarius", "canary-undeclared")
SENSITIVE_VALUES = ("DE-CANARY-IBAN",)
SECRET_VALUES = ("canary-pin",)
PRIVATE_VALUES = PERSONAL_VALUES + SENSITIVE_VALUES + SECRET_VALUES

_CHANGING = re.compile(r"[0-9a-f]{32}|\b[0-9A-Za-z]{64}\b")


def text_of(response) -> str:
    """The body; no component of a template is left undrawn in it."""
    text = response.content.decode()
    assert "<c-" not in text
    return text


def lasting(response) -> str:
    """The body without what differs from request to request: its id and the CSRF token."""
    return _CHANGING.sub("", text_of(response))


def given_away(response, values=PRIVATE_VALUES) -> list[str]:
    """Which of these values stand in the body or the headers."""
    everything = text_of(response) + str(dict(response.items()))
    return [value for value in values if value.casefold() in everything.casefold()]


def is_whole(response) -> bool:
    """Whether this is a page and not a region of one."""
    return "<html" in text_of(response)


def is_kept_private(response) -> bool:
    """Whether browsers and proxies are told to keep nothing, and that htmx gets something else."""
    varies = {part.strip() for part in response["Vary"].split(",")}
    return response["Cache-Control"] == "no-store, private" and {"Cookie", "HX-Request"} <= varies
