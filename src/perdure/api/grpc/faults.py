"""How a call ends that does not end well: one table from faults to gRPC statuses."""

from typing import Final, NoReturn
from uuid import uuid4

import grpc
import structlog

from perdure.base.errors import (
    AccessDenied,
    CallerFault,
    ComponentError,
    ComponentUnavailable,
    ShuttingDown,
    StoreError,
    StoreUnavailable,
    WorkerFault,
)
from perdure.transport.call import Call

_log = structlog.get_logger(__name__)

# Details travel as a header, and clients bound their headers at 8 KiB.
_DETAILS_CHARS_MAX: Final = 2_000


class Rejected(Exception):
    """A call that ends with a status other than OK, decided by the method itself."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        """Take the status as the client will see it."""
        super().__init__(text)
        self.code = code
        self.text = text


def status_of(error: Exception) -> tuple[grpc.StatusCode, str]:
    """Return the status that tells a client of `error`, and log what nobody foresaw."""
    match error:
        case Rejected():
            return error.code, error.text
        case CallerFault() | WorkerFault():
            return grpc.StatusCode.INVALID_ARGUMENT, str(error)
        case AccessDenied():
            return grpc.StatusCode.PERMISSION_DENIED, str(error)
        case StoreUnavailable() | ComponentUnavailable() | ShuttingDown():
            return grpc.StatusCode.UNAVAILABLE, str(error)
        case StoreError() | ComponentError():
            return grpc.StatusCode.INTERNAL, str(error)
        case _:
            reference = uuid4().hex
            _log.error("a call failed", reference=reference, exc_info=error)
            return (
                grpc.StatusCode.INTERNAL,
                f"the server failed; its log says why under {reference}",
            )


async def end_with(context: Call, error: Exception) -> NoReturn:
    """End the call with the status of `error`."""
    code, text = status_of(error)
    await context.abort(code, text[:_DETAILS_CHARS_MAX])
