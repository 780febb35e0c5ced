"""The batch of a turn, and its work item for the dialect and the memory of a stream."""

from collections.abc import Hashable, Sequence
from typing import Final

from perdure.base.limits import TURN_BATCH_EVENTS_MAX, WORK_ITEM_PERCENT_MAX
from perdure.core.events import Event, StallReason, WorkflowStarted
from perdure.core.turn import takable
from perdure.engine.dispatcher import WorkStream
from perdure.engine.residents import NOT_BORN, InboxItem, Resident, Turn
from perdure.engine.work import Dialect
from perdure.wire.events import decode_stored, encode
from perdure.wire.generated import work_pb2 as pb
from perdure.wire.work_items import events_of, for_microsoft, past_field, turn_item

# What a work item has besides its events, and an event besides its bytes; at most.
_ITEM_BYTES: Final = 256
_FIELD_BYTES: Final = 6


def freeze(resident: Resident, now_us: int, message_bytes_max: int) -> Turn:
    """Take the batch of an instance's next turn; it is empty if no event is for any turn.

    What belongs to an earlier generation, or is not awaited, is not shown but dropped. A backlog
    that no message can carry beside the history is taken in parts.
    """
    rows = sorted(resident.inbox.values(), key=lambda item: (item.add.rank, item.seq))
    rows = rows[: _carried(resident, rows, message_bytes_max)]
    generation = resident.state.generation
    current = [item for item in rows if item.add.generation in {0, generation}]
    verdicts = takable(resident.state, [item.event for item in current])
    batch = tuple(item for item, keep in zip(current, verdicts, strict=True) if keep)
    kept = {item.seq for item in batch}
    dropped = tuple(item.seq for item in rows if item.seq not in kept)
    started = WorkflowStarted(at_us=max(now_us, resident.state.last_turn_us))
    return Turn(started, batch, dropped)


def _carried(resident: Resident, rows: Sequence[InboxItem], message_bytes_max: int) -> int:
    """Return how many events one work item can carry: at least one, so that none is passed over."""
    taken = len(resident.past) + len(resident.identity.propagated or b"") + _ITEM_BYTES
    taken += len(resident.instance_id.encode())
    for count, item in enumerate(rows[:TURN_BATCH_EVENTS_MAX]):
        taken += _FIELD_BYTES + len(item.add.event)
        if count and taken * 100 > message_bytes_max * WORK_ITEM_PERCENT_MAX:
            return count
    return TURN_BATCH_EVENTS_MAX


def too_large_text(resident: Resident, size_bytes: int, most_bytes: int) -> str:
    """Return what is said of a turn that no message can carry (behaviour.md 4.12).

    What has been said once is said again: the stall itself is in the history by now, and to tell
    the new size each time would let that grow for ever.
    """
    before = f"{StallReason.PAYLOAD_SIZE_EXCEEDED.name}: "
    if resident.head.stalled is not None and resident.head.stalled.startswith(before):
        return resident.head.stalled.removeprefix(before)
    return (
        f"Workflow payload size {size_bytes} bytes exceeds {WORK_ITEM_PERCENT_MAX}% of max gRPC "
        f"body size {most_bytes} bytes; increase daprd --max-body-size and restart to resume"
    )


def history_of(resident: Resident) -> Hashable:
    """Return what names one generation of one life of an instance, from before its birth on."""
    return resident.identity.execution_id, resident.state.generation


def past_of(resident: Resident) -> list[Event]:
    """Return an instance's history as records."""
    return [decode_stored(event) for event in events_of(resident.past, resident.ends)]


def history_sent(resident: Resident) -> tuple[int, int, int]:
    """Return what a stream has seen once it was sent this: key, generation and length."""
    return resident.key, resident.state.generation, len(resident.ends)


def turn_work_item(resident: Resident, turn: Turn, stream: WorkStream, token: str) -> bytes:
    """Return the serialized WorkItem of a turn.

    A worker that keeps histories is sent only what it has not seen (behaviour.md 3.3).
    """
    head = pb.TurnRequest(instance_id=resident.instance_id)
    started = resident.state.started
    if started is not None:
        head.execution_id.value = started.execution_id
    new = [encode(turn.started), *(item.add.event for item in turn.batch)]
    if stream.dialect is not Dialect.DAPR:
        past_events = events_of(resident.past, resident.ends)
        past = b"".join(map(past_field, for_microsoft(past_events)))
        return turn_item(head, past, for_microsoft(new), token)
    if resident.identity.propagated is not None:
        head.propagated = resident.identity.propagated
    start = 0
    if stream.profile.stateful_history:
        key, generation, seen = stream.sent.get(resident.instance_id, (NOT_BORN, 0, 0))
        known = (key, generation) == (resident.key, resident.state.generation)
        if known and 0 < seen <= len(resident.ends):
            head.cached.event_count = seen
            start = resident.ends[seen - 1]
    return turn_item(head, memoryview(resident.past)[start:], new, token)
