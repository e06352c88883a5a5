"""Routes of a hot face, and the way of a request through it: route, authenticate, view, answer, log."""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import structlog

from customers.services.tokens import TokenRights
from dialects.kit.authentication import TokenMap, basic_credentials
from dialects.kit.errors import NoSuchRoute, Unauthenticated, WrongMethod
from dialects.kit.http import ClientGone, Message, Receive, Request, Response, Send

log = structlog.get_logger("rolodesk.web")

NO_ROUTE = "(no route)"
PARTIAL_SUCCESS = 207
CLIENT_GONE = 499
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Call:
    """An authenticated request on its way into a view."""

    request: Request
    rights: TokenRights
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A request on a route that takes no credentials; ``rights`` are those of valid ones that came all the same."""

    request: Request
    rights: TokenRights | None
    parameters: tuple[str, ...]


View = Callable[[Call], Awaitable[Response]]
OpenView = Callable[[OpenCall], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: ``template`` has the placeholders, and is what logs say instead of the path."""

    method: str
    template: str
    view: View
    permission: str


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """One that takes no credentials and never refuses bad ones; ``permission`` is what makes them count."""

    method: str
    template: str
    view: OpenView
    permission: str


AnyRoute = Route | OpenRoute


@dataclass(frozen=True, slots=True)
class Path:
    """One template with the routes of its methods."""

    template: str
    literals: tuple[tuple[int, str], ...]
    parameters: tuple[int, ...]
    methods: dict[str, AnyRoute] = field(default_factory=dict)

    def route(self, method: str) -> AnyRoute:
        """The route of this method. Raises WrongMethod."""
        if method not in self.methods:
            raise WrongMethod(allow=", ".join(sorted(self.methods)))
        return self.methods[method]


class PathTable:
    """Finds the template of a path; few comparisons, since paths are sorted by their number of segments."""

    def __init__(self, routes: Iterable[AnyRoute]) -> None:
        self._by_length: dict[int, list[Path]] = {}
        for route in routes:
            self._add(route)

    def _add(self, route: AnyRoute) -> None:
        parts = route.template.strip("/").split("/")
        literals = tuple((i, part) for i, part in enumerate(parts) if not part.startswith("{"))
        paths = self._by_length.setdefault(len(parts), [])
        path = next((known for known in paths if known.template == route.template), None)
        if path is None:
            parameters = tuple(i for i, part in enumerate(parts) if part.startswith("{"))
            path = Path(route.template, literals, parameters)
            paths.append(path)
        path.methods[route.method] = route

    def match(self, segments: list[str]) -> Path:
        """The template that these segments fit. Raises NoSuchRoute."""
        for path in self._by_length.get(len(segments), ()):
            for i, text in path.literals:
                if segments[i] != text:
                    break
            else:
                return path
        raise NoSuchRoute


@dataclass(frozen=True, slots=True)
class Face:
    """The ASGI application of a dialect with Basic authentication."""

    name: str
    routes: tuple[AnyRoute, ...]
    tokens: TokenMap
    # Turns any exception of a request into this wire's answer.
    answer_error: Callable[[Request, Exception], Response]
    _table: PathTable = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_table", PathTable(self.routes))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; those that fail leave one line in the log, without path or values."""
        request = Request(scope, receive)
        trace = _Trace(self.name, request.method)
        try:
            response = await self._respond(request, trace)
        except ClientGone:
            trace.log(CLIENT_GONE, "client_gone")
            return
        except Exception as error:  # noqa: BLE001  # whatever happened, the answer has this wire's shape
            response = self.answer_error(request, error)
            # The type says what we did not foresee; the message could hold values.
            trace.log(response.status, getattr(error, "code", type(error).__name__))
        else:
            if response.status == PARTIAL_SUCCESS:
                trace.log(PARTIAL_SUCCESS, "partial")
        await response.send(send)

    async def _respond(self, request: Request, trace: "_Trace") -> Response:
        segments = request.segments()
        path = self._table.match(segments)
        trace.route = path.template
        route = path.route(request.method)
        credentials = basic_credentials(request.headers.get(b"authorization"))
        rights = None if credentials is None else await self.tokens.find(credentials)
        if rights is not None and not rights.may(route.permission):
            rights = None
        if rights is not None:
            trace.workspace_id = rights.workspace_id
        parameters = tuple([segments[i] for i in path.parameters])
        if isinstance(route, OpenRoute):
            return await route.view(OpenCall(request, rights, parameters))
        if rights is None:
            raise Unauthenticated
        return await route.view(Call(request, rights, parameters))


@dataclass(slots=True)
class _Trace:
    """What the log may say about a request, as far as it came."""

    face: str
    method: str
    route: str = NO_ROUTE
    workspace_id: int | None = None
    began: float = field(default_factory=time.perf_counter)

    def log(self, status: int, code: str) -> None:
        """One line."""
        write = log.error if status >= SERVER_ERROR else log.warning
        write(
            "request failed",
            face=self.face,
            route=self.route,
            method=self.method,
            status=status,
            code=code,
            ms=round((time.perf_counter() - self.began) * 1000),
            workspace_id=self.workspace_id,
        )
