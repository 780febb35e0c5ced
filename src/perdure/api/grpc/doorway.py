"""The way in: from a call's path and metadata to the method that answers it."""

from collections.abc import Mapping
from typing import Final

import grpc

from perdure.api.grpc.calls import Context
from perdure.api.grpc.methods import AnyHandler
from perdure.api.grpc.token import token_complaint, turned_away

# Whoever checks health may know nothing else of the server.
_OPEN_TO_ALL: Final = "/grpc.health.v1.Health/"


class Doorway:
    """Every method of every service by its path, behind the token."""

    def __init__(self, handlers: Mapping[str, AnyHandler], token: str | None) -> None:
        """Serve `handlers`; None asks for no token."""
        self._handlers = handlers
        self._token = token

    def method_of(self, call: Context) -> AnyHandler:
        """Return what answers the call."""
        path = call.path
        if self._token is not None and not path.startswith(_OPEN_TO_ALL):
            complaint = token_complaint(self._token, call.invocation_metadata())
            if complaint is not None:
                return turned_away(complaint)
        return self._handlers.get(path) or _unserved(path)


def _unserved(path: str) -> AnyHandler:
    async def handle(_requests: object, context: Context) -> None:
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            f"'{path[:200]}' is not served here: this server runs workflows and has no other "
            "building block of Dapr; reflection lists its services and methods",
        )

    return grpc.stream_stream_rpc_method_handler(handle)
