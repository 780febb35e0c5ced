"""Work items, made by splicing stored bytes: an event is never parsed to be sent on.

A history that is held for its next turns is kept as one run of bytes in which each event has
already the tag and length it has inside a WorkflowRequest (`past_field`); sending it is a copy.
"""

from collections.abc import Iterable, Iterator, Sequence

from perdure.core.events import PropagationScope
from perdure.wire.generated import history_pb2 as history_pb
from perdure.wire.generated import work_pb2 as pb

_PAST_TAG = b"\x1a"  # WorkflowRequest.pastEvents, field 3
_NEW_TAG = b'"'  # WorkflowRequest.newEvents, field 4
_TURN_TAG = b"\x0a"  # WorkItem.workflowRequest, field 1
_ACTIVITY_TAG = b"\x12"  # WorkItem.activityRequest, field 2


_SEVEN_BITS = 0x7F
_FOURTEEN_BITS = 0x3FFF
_ONE_BYTE = tuple(bytes((number,)) for number in range(_SEVEN_BITS + 1))


def varint(number: int) -> bytes:
    """Return a protobuf varint of a number that is not negative."""
    assert number >= 0, number
    if number <= _SEVEN_BITS:
        return _ONE_BYTE[number]
    if number <= _FOURTEEN_BITS:
        return bytes((number & 0x7F | 0x80, number >> 7))
    out = bytearray()
    while number > _SEVEN_BITS:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def past_field(event: bytes) -> bytes:
    """Return an event as an element of WorkflowRequest.pastEvents."""
    return b"".join((_PAST_TAG, varint(len(event)), event))


def new_field(event: bytes) -> bytes:
    """Return an event as an element of WorkflowRequest.newEvents."""
    return b"".join((_NEW_TAG, varint(len(event)), event))


def turn_item(
    head: pb.TurnRequest, past_fields: bytes | memoryview, new_events: Iterable[bytes], token: str
) -> bytes:
    """Return a WorkItem for a turn; `head` carries everything but the events."""
    parts: list[bytes | memoryview] = [head.SerializeToString(), past_fields]
    parts.extend(new_field(event) for event in new_events)
    length = sum(map(len, parts))
    envelope = pb.WorkItem(token=token).SerializeToString()
    return b"".join((_TURN_TAG, varint(length), *parts, envelope))


def recall_item(token: str) -> bytes:
    """Return a WorkItem that recalls an activity by its token (see `management.takes_recalls`)."""
    return pb.WorkItem(recall=token).SerializeToString()


def activity_item(request: pb.ActivityRequest, token: str) -> bytes:
    """Return a WorkItem for an activity."""
    body = request.SerializeToString()
    envelope = pb.WorkItem(token=token).SerializeToString()
    return b"".join((_ACTIVITY_TAG, varint(len(body)), body, envelope))


def activity_request(
    scheduled: bytes, instance_id: str, propagated: bytes | None, *, microsoft: bool
) -> pb.ActivityRequest:
    """Return the request that runs a stored TaskScheduled.

    For Microsoft's dialect without what means something else there (behaviour.md 3.5).
    """
    event = history_pb.HistoryEvent.FromString(scheduled)
    body = event.task_scheduled
    request = pb.ActivityRequest(name=body.name, task_id=event.event_id)
    request.instance.instance_id = instance_id
    if body.HasField("input"):
        request.input.CopyFrom(body.input)
    if body.HasField("version"):
        request.version.CopyFrom(body.version)
    if body.HasField("trace"):
        request.trace.CopyFrom(body.trace)
    if not microsoft:
        request.execution_id = body.execution_id
        if propagated is not None:
            request.propagated = propagated
    return request


def for_microsoft(events: Iterable[bytes]) -> Iterator[bytes]:
    """Yield events as Microsoft's dialect can read them.

    They have no route and no task execution id, and stalls, which it does not know, are left out.
    """
    for event in events:
        message = history_pb.HistoryEvent.FromString(event)
        if message.WhichOneof("kind") != "execution_stalled":
            yield _for_microsoft(message)


def _for_microsoft(message: history_pb.HistoryEvent) -> bytes:
    message.ClearField("router")
    kind = message.WhichOneof("kind")
    if kind == "task_scheduled":
        message.task_scheduled.ClearField("execution_id")
        message.task_scheduled.ClearField("rerun_of")
        message.task_scheduled.ClearField("scope")
    elif kind == "child_created":
        message.child_created.ClearField("rerun_of")
        message.child_created.ClearField("scope")
        message.child_created.ClearField("retry_of")
    return message.SerializeToString()


def propagated_history(
    scope: PropagationScope, chunk: pb.PropagatedChunk, ancestors: bytes | None
) -> bytes:
    """Return the PropagatedHistory that a caller hands down.

    It is the caller's own chunk and, for LINEAGE, the chunks that the caller was given itself.
    """
    history = pb.PropagatedHistory(scope=scope)
    if scope is PropagationScope.LINEAGE and ancestors is not None:
        history.chunks.extend(pb.PropagatedHistory.FromString(ancestors).chunks)
    history.chunks.append(chunk.SerializeToString())
    return history.SerializeToString()


def events_of(past_fields: bytes | bytearray, ends: Sequence[int]) -> list[bytes]:
    """Return the events of a run of `past_field`s, each of which ends where `ends` says."""
    events = []
    start = 0
    for end in ends:
        at = start + 1
        while past_fields[at] > 0x7F:  # noqa: PLR2004 - a varint goes on
            at += 1
        events.append(bytes(past_fields[at + 1 : end]))
        start = end
    return events
