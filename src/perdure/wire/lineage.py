"""Propagated history, from the bytes that were handed down to records."""

from dataclasses import replace

from google.protobuf.message import DecodeError

from perdure.base.errors import CallerFault
from perdure.core.events import ChildFailed, Event, PropagationScope, TaskFailed
from perdure.core.lineage import Chunk, Lineage
from perdure.wire.events import decode
from perdure.wire.fields import failure_of
from perdure.wire.generated import work_pb2 as pb


def lineage_of(propagated: bytes) -> Lineage:
    """Return what a serialized PropagatedHistory holds. Raises CallerFault if it is none."""
    try:
        history = pb.PropagatedHistory.FromString(propagated)
        chunks = tuple(_chunk(pb.PropagatedChunk.FromString(data)) for data in history.chunks)
        return Lineage(PropagationScope(history.scope), chunks)
    except (DecodeError, ValueError) as error:
        msg = "the propagated history cannot be parsed"
        raise CallerFault(msg) from error


def _chunk(chunk: pb.PropagatedChunk) -> Chunk:
    events = tuple(_told(decode(event)) for event in chunk.events)
    return Chunk(chunk.app_id, chunk.instance_id, chunk.workflow_name, events)


def _told(event: Event) -> Event:
    """Return an event whose failure, if it has one, can be read."""
    if isinstance(event, TaskFailed | ChildFailed) and isinstance(event.failure, bytes):
        return replace(event, failure=failure_of(event.failure))
    return event
