"""What the clients of this module raise: gRPC's error, as those of Dapr's SDK do."""

from typing import Any, Final

import grpc

from perdure.authoring.failures import FailureDetails

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


class WorkflowRpcError(grpc.RpcError):
    """A call that was refused or failed, whether or not there was a network in between."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        """Keep the status as a server tells it."""
        super().__init__(f"{code.name}: {details}")
        self._code = code
        self._details = details

    def code(self) -> grpc.StatusCode:
        """Return the status code."""
        return self._code

    def details(self) -> str:
        """Return the text beside it."""
        return self._details

    def debug_error_string(self) -> str:
        """Return both, for people."""
        return str(self)

    def initial_metadata(self) -> tuple[tuple[str, str], ...]:
        """Return nothing: no call of this module has any."""
        return ()

    def trailing_metadata(self) -> tuple[Any, ...]:
        """Return nothing: no call of this module has any."""
        return ()


class OrchestrationFailedError(Exception):
    """A workflow has failed; raised by who asks its state to."""

    def __init__(self, message: str, failure_details: FailureDetails) -> None:
        """Keep what is known of the failure."""
        super().__init__(message)
        self._failure_details = failure_details

    @property
    def failure_details(self) -> FailureDetails:
        """What the workflow failed with."""
        return self._failure_details


def closed() -> WorkflowRpcError:
    """Return the error of a call by a client that was closed."""
    return WorkflowRpcError(grpc.StatusCode.UNAVAILABLE, "the client is closed")


def rpc_error(code: int, details: str) -> WorkflowRpcError:
    """Return the error of a status by its number."""
    return WorkflowRpcError(_CODES.get(code, grpc.StatusCode.UNKNOWN), details)
