"""The application with patience without end, so that a slow client is one for as long as a test takes."""

from dialects.kit import http

http.IDLE_SECONDS = http.TOTAL_SECONDS = 3600.0

from rolodesk.asgi import application  # noqa: E402  # what it reads is set above

__all__ = ["application"]
