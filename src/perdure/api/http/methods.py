"""One path and its methods: decode the path, find the handler, answer what is not there."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from perdure.api.http.asking import asker_of
from perdure.api.http.errors import Problem
from perdure.api.http.paths import decoded
from perdure.api.http.settings import Call, Door

Handler = Callable[[Call], Awaitable[Response]]


class Methods:
    """The endpoint of a route. HEAD is a GET whose body the server leaves out."""

    def __init__(self, door: Door, handlers: Mapping[str, Handler]) -> None:
        self._door = door
        self._handlers = dict(handlers)
        if "GET" in handlers:
            self._handlers["HEAD"] = handlers["GET"]
        self._allow = ", ".join(sorted({*self._handlers, "OPTIONS"}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": self._allow})
        handler = self._handlers.get(request.method)
        if handler is None:
            text = f"method {request.method} is not allowed here; allowed are {self._allow}"
            raise Problem(405, "ERR_METHOD_NOT_ALLOWED", text, {"Allow": self._allow})
        path = {name: decoded(name, segment) for name, segment in request.path_params.items()}
        door = self._door
        asker = asker_of(request, door.runtime.app_id)
        return await handler(Call(door.seen_by(asker), request, path, asker, door.catalog))
