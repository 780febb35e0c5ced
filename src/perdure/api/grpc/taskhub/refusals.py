"""Refusals as TaskHub's clients know them: code UNKNOWN, and a text that SDKs look into."""

from typing import Final

import grpc

from perdure.api.grpc.faults import Rejected
from perdure.core.requests import Reason, Refusal

# Dapr's tests look for the one text and durabletask-go's for the other: both are there.
_TAKEN_TOO: Final = "orchestration instance already exists"

_OF_START: Final = {
    Reason.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Reason.DESCENDANT_ACTIVE: grpc.StatusCode.ALREADY_EXISTS,
    Reason.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
}

_OF_RERUN: Final = {
    Reason.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Reason.NOT_FINISHED: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Reason.DESCENDANT_ACTIVE: grpc.StatusCode.ALREADY_EXISTS,
}


def of_start(refusal: Refusal) -> Rejected:
    """Return how a refused start ends."""
    code = _OF_START.get(refusal.reason, grpc.StatusCode.UNKNOWN)
    if code is not grpc.StatusCode.ALREADY_EXISTS:
        return Rejected(code, f"failed to create workflow instance: {refusal.text}")
    inner = f"rpc error: code = AlreadyExists desc = {refusal.text}"
    return Rejected(code, f"failed to create workflow instance: {inner} ({_TAKEN_TOO})")


def of_change(refusal: Refusal, prefix: str = "") -> Rejected | None:
    """Return how a refused event, terminate, suspend or resume ends.

    None if it ends well: an instance that has finished takes these calls and drops them.
    """
    if refusal.reason is Reason.ALREADY_FINISHED:
        return None
    if refusal.reason is Reason.INVALID:
        return Rejected(grpc.StatusCode.INVALID_ARGUMENT, prefix + refusal.text)
    return Rejected(grpc.StatusCode.UNKNOWN, prefix + refusal.text)


def of_purge(refusal: Refusal) -> Rejected:
    """Return how a refused purge ends."""
    text = refusal.text
    if refusal.reason is Reason.STALLED:
        text = "orchestration has not yet completed"
    return Rejected(grpc.StatusCode.UNKNOWN, f"failed to purge workflow state: {text}")


def of_rerun(refusal: Refusal) -> Rejected:
    """Return how a refused rerun ends."""
    return Rejected(_OF_RERUN.get(refusal.reason, grpc.StatusCode.UNKNOWN), refusal.text)
