"""The API token: whoever does not carry it is let through to the health checks alone."""

import hmac
from collections.abc import Collection
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HEADER: Final = b"dapr-api-token"
EXEMPT: Final = frozenset({"/v1.0/healthz", "/v1.0/healthz/outbound"})


class ApiToken:
    """Answers 401 to requests without the token and hides the token from all beneath it.

    It is compared in constant time, so that nobody can guess it letter by letter. `open_paths` are
    let through, too: who is behind them sees to it who may come in.
    """

    def __init__(self, app: ASGIApp, token: str | None, open_paths: Collection[str] = ()) -> None:
        self._app = app
        self._exempt = EXEMPT | frozenset(open_paths)
        self._token = None if not token else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers: list[tuple[bytes, bytes]] = scope["headers"]
            sent = next((value for name, value in headers if name == HEADER), b"")
            if not self._admits(scope["path"], sent):
                await PlainTextResponse("invalid api token", 401)(scope, receive, send)
                return
            scope = {**scope, "headers": [pair for pair in headers if pair[0] != HEADER]}
        await self._app(scope, receive, send)

    def _admits(self, path: str, sent: bytes) -> bool:
        if self._token is None or path in self._exempt:
            return True
        return hmac.compare_digest(sent, self._token)
