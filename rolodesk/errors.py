"""Errors of the domain.

A service raises a ``DomainError`` with a code from a fixed catalogue and data that never holds a stored
value; each face has a table that turns the code into its own status and body.
"""


class DomainError(Exception):
    """Something the caller asked for cannot be done; ``code`` says what, ``data`` helps to say it well."""

    code = "error"

    def __init__(self, **data: str | int) -> None:
        super().__init__(self.code)
        self.data = data


class NotFound(DomainError):
    """There is no such thing, or this viewer must not learn that there is."""

    code = "not_found"


class NotAllowed(DomainError):
    """The viewer is known, the permission is missing."""

    code = "not_allowed"


class InvalidInput(DomainError):
    """The input breaks a rule; ``data["reason"]`` names the rule."""

    code = "invalid_input"


class TooManyLookups(DomainError):
    """The viewer has used up the look-ups of whole private identifiers for now."""

    code = "too_many_lookups"


class HandleRefused(DomainError):
    """A stored view is unknown, expired, or belongs to somebody else."""

    code = "handle_refused"


class Overloaded(DomainError):
    """Intake is full; ``data["retry_after"]`` is in seconds."""

    code = "overloaded"


class IntakeUnavailable(DomainError):
    """The durable store does not answer, so nothing was accepted."""

    code = "intake_unavailable"
