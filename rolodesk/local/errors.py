"""What ends the local stack."""


class CannotStart(Exception):
    """A reason in one line, meant for the person at the terminal."""


class Stopped(BaseException):
    """Somebody asked us to stop. No ``Exception``, so that no handler on the way swallows it."""
