"""The API token: who does not carry it is turned away before the request is read."""

from collections.abc import Iterable
from hmac import compare_digest
from typing import Final

import grpc

from perdure.api.grpc.calls import Context
from perdure.wire.management import error_details

TOKEN_METADATA_KEY: Final = "dapr-api-token"  # noqa: S105 - a name, not a token

_TEXT: Final = "Unauthorized"
_MISSING: Final = "missing api token in request metadata"
_WRONG: Final = "authentication error: api token mismatch"


def token_complaint(token: str, metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    """Return what is wrong with a call's token, or None if it is the right one.

    How long it takes tells nothing about the token.
    """
    carried = [value for key, value in metadata if key == TOKEN_METADATA_KEY]
    if not carried or not carried[-1]:
        return _MISSING
    value = carried[-1]
    given = value if isinstance(value, bytes) else value.encode()
    return None if compare_digest(given, token.encode()) else _WRONG


def turned_away(complaint: str) -> "grpc.RpcMethodHandler[bytes, bytes]":
    """Return the handler that ends a call, of whatever shape, because of its token."""
    details = error_details(
        grpc.StatusCode.UNAUTHENTICATED.value[0], _TEXT, "UNAUTHENTICATED", {"reason": complaint}
    )

    async def handle(_requests: object, context: Context) -> None:
        await context.abort(
            grpc.StatusCode.UNAUTHENTICATED, _TEXT, (("grpc-status-details-bin", details),)
        )

    return grpc.stream_stream_rpc_method_handler(handle)
