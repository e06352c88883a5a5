"""The one ASGI application: hot routes of the dialects directly, everything else by Django."""

import os
from typing import cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rolodesk.settings")
# Sets Django up, which importing the dialects needs: they use the core's services.
django_handler = get_asgi_application()

from dialects import registry  # noqa: E402
from dialects.kit.http import Application, Message, Receive, Send  # noqa: E402


def make_dispatcher(routes: list[tuple[str, Application]], fallback: Application) -> Application:
    """An application that goes by the first segments of the path; the longer prefix is asked first."""
    ordered = sorted(((f"{prefix}/", app) for prefix, app in routes), key=lambda route: -len(route[0]))

    async def dispatch(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"] + "/"
            for prefix, app in ordered:
                if path.startswith(prefix):
                    await app(scope, receive, send)
                    return
        await fallback(scope, receive, send)

    return dispatch


application = make_dispatcher(
    [(prefix, dialect.application) for dialect in registry.registered() for prefix in dialect.prefixes],
    # Django types its messages more narrowly than the specification does.
    cast("Application", django_handler),
)
