"""Refusals as Dapr words them: the code of behaviour.md 1.2 and the texts that tests look into."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import grpc

from perdure.api.grpc.faults import Rejected, status_of
from perdure.base.errors import AccessDenied, ComponentError, ShuttingDown, StoreError
from perdure.core.requests import Reason, Refusal

# What Dapr has a code of its own for; to all else that its engine refuses it says INTERNAL.
_CODES: Final = {
    Reason.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.UNSUPPORTED: grpc.StatusCode.UNIMPLEMENTED,
}


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Name what was asked in the status of a fault that is not the caller's."""
    try:
        yield
    except AccessDenied as denied:
        raise Rejected(grpc.StatusCode.INTERNAL, f"{what}: {denied}") from denied
    except (StoreError, ComponentError, ShuttingDown) as fault:
        code, text = status_of(fault)
        raise Rejected(code, f"{what}: {text}") from fault


def not_found(instance_id: str) -> Rejected:
    """Return how a call ends whose instance is not there."""
    text = f"unable to find workflow with the provided instance ID: {instance_id}"
    return Rejected(grpc.StatusCode.NOT_FOUND, text)


def of_start(name: str, refusal: Refusal) -> Rejected:
    """Return how a refused start ends."""
    if refusal.reason in _CODES:
        return Rejected(_CODES[refusal.reason], refusal.text)
    inner = refusal.text
    if refusal.reason in {Reason.ALREADY_EXISTS, Reason.DESCENDANT_ACTIVE}:
        inner = (
            "unable to start workflow: failed to start workflow: "
            f"rpc error: code = AlreadyExists desc = {inner}"
        )
    return start_failed(name, inner)


def start_failed(name: str, inner: str) -> Rejected:
    """Return how a start ends that failed for a reason of its own."""
    return Rejected(grpc.StatusCode.INTERNAL, f"error starting workflow '{name}': {inner}")


def of_event(instance_id: str, event_name: str, refusal: Refusal) -> Rejected | None:
    """Return how a refused event ends; None if the instance has finished, which drops it."""
    inner = (
        f"failed to raise event {event_name} on workflow {instance_id}: "
        f"failed to raise event: {refusal.text}"
    )
    return _unless_finished(refusal, f"error raising event on workflow '{instance_id}': {inner}")


def of_pause(instance_id: str, refusal: Refusal) -> Rejected | None:
    """Return how a refused pause ends; None if the instance has finished."""
    inner = f"failed to pause workflow {instance_id}: failed to suspend workflow: {refusal.text}"
    return _unless_finished(refusal, f"error pausing workflow {instance_id}: {inner}")


def of_resume(instance_id: str, refusal: Refusal) -> Rejected | None:
    """Return how a refused resume ends; None if the instance has finished."""
    inner = f"failed to resume workflow {instance_id}: failed to resume workflow: {refusal.text}"
    return _unless_finished(refusal, f"error resuming workflow {instance_id}: {inner}")


def of_terminate(instance_id: str, refusal: Refusal) -> Rejected | None:
    """Return how a refused terminate ends; None if the instance has finished."""
    if refusal.reason is Reason.NOT_FOUND:
        return not_found(instance_id)
    text = f"error terminating workflow '{instance_id}': {refusal.text}"
    return _unless_finished(refusal, text)


def of_purge(instance_id: str, refusal: Refusal) -> Rejected:
    """Return how a refused purge ends."""
    if refusal.reason is Reason.NOT_FOUND:
        return not_found(instance_id)
    inner = refusal.text
    if refusal.reason is Reason.STALLED:
        inner = "orchestration has not yet completed"
    return Rejected(
        _CODES.get(refusal.reason, grpc.StatusCode.INTERNAL),
        f"error purging workflow {instance_id}: failed to Purge workflow {instance_id}: "
        f"failed to purge workflow state: {inner}",
    )


def _unless_finished(refusal: Refusal, text: str) -> Rejected | None:
    if refusal.reason is Reason.ALREADY_FINISHED:
        return None
    return Rejected(_CODES.get(refusal.reason, grpc.StatusCode.INTERNAL), text)
