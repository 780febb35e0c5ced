"""What an answer to a turn says, without what differs each time it is said."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from google.protobuf.message import DecodeError

from perdure.wire.generated import history_pb2 as history_pb
from perdure.wire.generated import work_pb2 as pb

_DIGEST_BYTES: Final = 16


def meaning_of(answer: pb.TurnAnswer) -> bytes:
    """Return a digest that two answers of the same code to the same turn have in common.

    Left out are tokens, ids that a worker draws afresh, trace contexts (in field 6, which is a
    version to others, too), and where in its code a failure happened.
    """
    kept = pb.TurnAnswer(actions=answer.actions)
    if answer.HasField("custom_status"):
        kept.custom_status.CopyFrom(answer.custom_status)
    for action in kept.actions:
        action.DiscardUnknownFields()
        _leave_out(action)
    said = kept.SerializeToString(deterministic=True)
    return blake2b(said, digest_size=_DIGEST_BYTES).digest()


def ids_of(answer: pb.TurnAnswer) -> Iterator[int]:
    """Yield the ids of what an answer asks for, without that of the completion."""
    return (action.id for action in answer.actions if action.WhichOneof("kind") != "complete")


def _leave_out(action: pb.Action) -> None:
    match action.WhichOneof("kind"):
        case "schedule_task":
            action.schedule_task.ClearField("execution_id")
        case "create_timer" if action.create_timer.WhichOneof("origin") == "activity_retry":
            action.create_timer.activity_retry = b""  # the task's execution id
        case "create_detached":
            action.create_detached.ClearField("execution_id")
            action.create_detached.ClearField("trace")
        case "complete" if action.complete.HasField("failure"):
            action.complete.failure = _without_stack(action.complete.failure)
        case _:
            pass


def _without_stack(failure: bytes) -> bytes:
    try:
        details = history_pb.FailureDetails.FromString(failure)
    except DecodeError:
        return failure
    return f"{details.error_type}: {details.message}".encode()
