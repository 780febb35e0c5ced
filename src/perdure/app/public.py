"""What the public port answers without a token: health and metadata, and nothing else."""

from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN: Final = frozenset({"/v1.0/healthz", "/v1.0/healthz/outbound", "/v1.0/metadata"})
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class HealthAndMetadata:
    """Lets reads of those paths through to the application beneath it."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`, which asks for no token."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404 to everything else."""
        assert scope["type"] == "http", "uvicorn is told of no other protocol"
        if scope["path"] in OPEN and scope["method"] in _METHODS:
            await self._app(scope, receive, send)
        else:
            answer = PlainTextResponse("this port has health and metadata only\n", 404)
            await answer(scope, receive, send)
