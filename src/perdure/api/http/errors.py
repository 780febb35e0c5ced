"""Every error of the HTTP API: its status, its code and its text (behaviour.md 1.2).

`{inner}` is what the component said; texts are Dapr's own, because SDKs and tests match on them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from perdure.base.errors import (
    AccessDenied,
    CallerFault,
    ComponentError,
    ComponentUnavailable,
    PerdureError,
    ShuttingDown,
    StoreError,
    StoreUnavailable,
)
from perdure.core.requests import Reason, Refusal
from perdure.wire.json_api.text import Json

RETRY_AFTER_FAULT_SECONDS: Final = 1
FORBIDDEN: Final = 403


# An exception cannot be frozen: Python itself writes its traceback.
@dataclass(slots=True, eq=False)
class Problem(Exception):
    """An answer that is an error. Raised anywhere beneath a handler, it is the response."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Json] = field(default_factory=dict)  # further members of the body


@dataclass(frozen=True, slots=True)
class Operation:
    """What was asked, as errors name it."""

    code: str
    template: str

    def message(self, subject: str, inner: str) -> str:
        """Return the text of an error about `subject`, a workflow's name or an instance's id."""
        return self.template.format(subject=subject, inner=inner)


START: Final = Operation("ERR_START_WORKFLOW", "error starting workflow '{subject}': {inner}")
GET: Final = Operation(
    "ERR_GET_WORKFLOW", "error while getting workflow info on instance '{subject}': {inner}"
)
RAISE: Final = Operation(
    "ERR_RAISE_EVENT_WORKFLOW", "error raising event on workflow '{subject}': {inner}"
)
PAUSE: Final = Operation("ERR_PAUSE_WORKFLOW", "error pausing workflow {subject}: {inner}")
RESUME: Final = Operation("ERR_RESUME_WORKFLOW", "error resuming workflow {subject}: {inner}")
TERMINATE: Final = Operation(
    "ERR_TERMINATE_WORKFLOW", "error terminating workflow '{subject}': {inner}"
)
PURGE: Final = Operation("ERR_PURGE_WORKFLOW", "error purging workflow {subject}: {inner}")
RERUN: Final = Operation("ERR_RERUN_WORKFLOW", "error rerunning workflow '{subject}': {inner}")
QUERY: Final = Operation("ERR_QUERY_WORKFLOW", "error querying workflows{subject}: {inner}")

MALFORMED: Final = "ERR_MALFORMED_REQUEST"
BODY_READ: Final = "ERR_BODY_READ"
NOT_FOUND: Final = "ERR_INSTANCE_ID_NOT_FOUND"
ALREADY_EXISTS: Final = "ERR_INSTANCE_ID_ALREADY_EXISTS"
INTERNAL: Final = "ERR_INTERNAL"

# What a refusal is in document form. None: the code of the operation.
REFUSALS: Final[dict[Reason, tuple[int, str | None]]] = {
    Reason.NOT_FOUND: (404, NOT_FOUND),
    Reason.ALREADY_EXISTS: (409, ALREADY_EXISTS),
    Reason.ALREADY_FINISHED: (409, None),
    Reason.NOT_FINISHED: (409, None),
    Reason.STALLED: (409, None),
    Reason.DESCENDANT_ACTIVE: (409, ALREADY_EXISTS),
    Reason.INVALID: (400, None),
    Reason.UNSUPPORTED: (501, None),
}

# What a fault is in either form; the first that fits.
FAULTS: Final[tuple[tuple[type[PerdureError], int], ...]] = (
    (CallerFault, 400),
    (AccessDenied, FORBIDDEN),
    (ShuttingDown, 503),
    (StoreUnavailable, 503),
    (ComponentUnavailable, 503),
    (PerdureError, 500),
)


def fault_status(fault: PerdureError) -> int:
    """Return the status of an answer to a request that met `fault`."""
    return next(status for kind, status in FAULTS if isinstance(fault, kind))


def fault_problem(fault: PerdureError, code: str, message: str) -> Problem:
    """Return the answer to a request that met `fault`."""
    status = fault_status(fault)
    again = {"Retry-After": str(RETRY_AFTER_FAULT_SECONDS)} if status == 503 else {}  # noqa: PLR2004 - try again
    return Problem(status, code, message, again)


@contextmanager
def doing(operation: Operation, subject: str) -> Iterator[None]:
    """Name the operation and its subject in the answer to a fault that is not the caller's."""
    try:
        yield
    except (AccessDenied, StoreError, ComponentError, ShuttingDown) as fault:
        message = operation.message(subject, str(fault))
        raise fault_problem(fault, operation.code, message) from fault


def refused(operation: Operation, subject: str, refusal: Refusal) -> Problem:
    """Return the answer to what a component refused, in document form."""
    status, code = REFUSALS[refusal.reason]
    if refusal.reason is Reason.NOT_FOUND:
        return not_found(subject)
    if code is None:
        return Problem(status, operation.code, operation.message(subject, refusal.text))
    return Problem(status, code, refusal.text)


def malformed(text: str) -> Problem:
    """Return the answer to a request that cannot be read."""
    return Problem(400, MALFORMED, text)


def not_found(instance_id: str) -> Problem:
    """Return the answer where there is no such instance."""
    text = f"unable to find workflow with the provided instance ID: {instance_id}"
    return Problem(404, NOT_FOUND, text)


def no_route() -> Problem:
    """Return the answer where there is no such path; Dapr takes it for a call to another app."""
    text = "failed getting app id either from the URL path or the header dapr-app-id"
    return Problem(404, "ERR_DIRECT_INVOKE", text)
