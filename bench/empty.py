"""Views that do nothing, to tell what the product costs from what its server and its framework cost."""

from django.http import HttpRequest, HttpResponse

from dialects.kit.http import Message, Receive, Send

BODY = b"{}\n"
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"3")]


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """A bare ASGI application: takes the request whole, answers what the product's hot routes answer."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


def view(_request: HttpRequest) -> HttpResponse:
    """A Django view behind the product's middleware."""
    return HttpResponse(BODY)
