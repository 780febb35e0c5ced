"""What each status of the cluster is to us: one table."""

from typing import Final

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.service import RPCError, RPCStatusCode

from perdure.base.errors import CallerFault, ComponentError, ComponentUnavailable, PerdureError
from perdure.core.requests import Reason, Refusal


class ComponentDenied(ComponentError):
    """The cluster knows us, and does not let us do this; something else it may."""


class ComponentBusy(ComponentUnavailable):
    """The cluster answers that it is asked too much."""


# A refusal is an answer, everything else a fault. Statuses that are not here are ComponentError.
OUTCOMES: Final[dict[RPCStatusCode, Reason | type[PerdureError]]] = {
    RPCStatusCode.NOT_FOUND: Reason.NOT_FOUND,
    RPCStatusCode.ALREADY_EXISTS: Reason.ALREADY_EXISTS,
    RPCStatusCode.INVALID_ARGUMENT: Reason.INVALID,
    RPCStatusCode.OUT_OF_RANGE: Reason.INVALID,
    RPCStatusCode.FAILED_PRECONDITION: Reason.INVALID,
    RPCStatusCode.UNIMPLEMENTED: Reason.UNSUPPORTED,
    RPCStatusCode.UNAVAILABLE: ComponentUnavailable,
    RPCStatusCode.DEADLINE_EXCEEDED: ComponentUnavailable,
    RPCStatusCode.RESOURCE_EXHAUSTED: ComponentBusy,
    RPCStatusCode.ABORTED: ComponentUnavailable,
    RPCStatusCode.CANCELLED: ComponentUnavailable,
    # "Something went wrong, please retry", and a connection that broke in the middle of a call.
    RPCStatusCode.UNKNOWN: ComponentUnavailable,
    RPCStatusCode.UNAUTHENTICATED: ComponentError,
    RPCStatusCode.PERMISSION_DENIED: ComponentDenied,
    RPCStatusCode.INTERNAL: ComponentError,
    RPCStatusCode.DATA_LOSS: ComponentError,
}
_VERBS: Final[dict[type[PerdureError], str]] = {
    ComponentUnavailable: " is away",
    ComponentBusy: " is busy",
}
# The same status says that a message does not fit, which no trying again will change.
_TOO_LARGE: Final = "larger than max"
# After these the same request may be made again at once: nobody knows whether it got through.
PASSING: Final = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.ABORTED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.UNKNOWN,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.DEADLINE_EXCEEDED,
    }
)


def outcome_of(error: RPCError, where: str) -> Refusal | PerdureError:
    """Return what the cluster's error is to whoever asked; `where` names the cluster."""
    found = OUTCOMES.get(error.status, ComponentError)
    if found is ComponentBusy and _TOO_LARGE in error.message:
        found = Reason.INVALID
    if isinstance(found, Reason) and not _is_of_namespace(error):
        return Refusal(found, error.message)
    kind = ComponentError if isinstance(found, Reason) else found
    return kind(f"{where}{_VERBS.get(kind, '')}: {error.status.name}: {error.message}")


def fault_of(refusal: Refusal, where: str) -> PerdureError:
    """Return what a refusal is where nothing of that kind can be an answer."""
    if refusal.reason is Reason.INVALID:
        return CallerFault(refusal.text)
    return ComponentError(f"{where}: {refusal.text}")


def _is_of_namespace(error: RPCError) -> bool:
    """Tell whether it is the namespace that is missing, and so no fault of the caller's."""
    return any(
        detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details
    )
