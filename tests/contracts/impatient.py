"""The application with little patience for slow clients; started by a live server in a process of its own."""

from dialects.kit import http

http.IDLE_SECONDS = 0.5
http.TOTAL_SECONDS = 1.5

from rolodesk.asgi import application  # noqa: E402  # what it reads is set above

__all__ = ["application"]
