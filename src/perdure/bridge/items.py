"""Work items as a worker is sent them, for the dialect of its stream."""

from perdure.base.limits import WORK_ITEM_PERCENT_MAX
from perdure.bridge.jobs import TooLarge
from perdure.bridge.past import Past
from perdure.bridge.tasks import TaskOrder, TurnOrder
from perdure.engine.dispatcher import WorkStream
from perdure.engine.work import Dialect
from perdure.wire.events import encode
from perdure.wire.generated import work_pb2 as pb
from perdure.wire.work_items import (
    activity_item,
    activity_request,
    for_microsoft,
    past_field,
    turn_item,
)


def item_of_turn(
    order: TurnOrder,
    past: Past,
    new_events: list[bytes],
    propagated: bytes,
    stream: WorkStream,
    token: str,
) -> bytes:
    """Return the serialized WorkItem of a turn."""
    head = pb.TurnRequest(instance_id=order.instance_id)
    if order.execution_id:
        head.execution_id.value = order.execution_id
    if stream.dialect is not Dialect.DAPR:
        events = past.events()[: order.past_length]
        fields = b"".join(map(past_field, for_microsoft(events)))
        return turn_item(head, fields, for_microsoft(new_events), token)
    if propagated:
        head.propagated = propagated
    return turn_item(head, past.fields(order.past_length), new_events, token)


def item_of_task(order: TaskOrder, stream: WorkStream, token: str) -> bytes:
    """Return the serialized WorkItem of an activity."""
    microsoft = stream.dialect is not Dialect.DAPR
    request = activity_request(
        encode(order.scheduled), order.instance_id, order.propagated, microsoft=microsoft
    )
    return activity_item(request, token)


def within_bounds(item: bytes, what: str, most_bytes: int) -> bytes:
    """Return a work item. Raises TooLarge if a message cannot carry it."""
    if len(item) * 100 <= most_bytes * WORK_ITEM_PERCENT_MAX:
        return item
    raise TooLarge(
        f"{what} payload size {len(item)} bytes exceeds {WORK_ITEM_PERCENT_MAX}% of max gRPC body "
        f"size {most_bytes} bytes; increase --max-body-size and restart the bridge to resume"
    )
