"""Activities at Temporal: what an order means again, and which of them readers are shown."""

from collections.abc import AsyncIterator

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import ActivityType, Payload, Payloads
from temporalio.api.history.v1 import ActivityTaskScheduledEventAttributes, HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.common import RawValue

from perdure.bridge import names
from perdure.bridge.tasks import activity_id, arguments_of_task, task_order_of, task_views
from perdure.bridge.texts import raw_bytes, raw_text
from perdure.core.effects import RunTask
from perdure.core.events import TaskScheduled, TimerFired
from perdure.wire.events import encode

SCHEDULED = TaskScheduled(at_us=3, event_id=1, name="a", input='{"n":  1}')
ARGUMENTS = arguments_of_task(RunTask(SCHEDULED, "shop"), "i", b"history")


def test_an_order_is_read_as_it_was_written() -> None:
    order = task_order_of(ARGUMENTS)
    assert order is not None
    assert (order.scheduled, order.instance_id) == (SCHEDULED, "i")
    assert (order.app_id, order.propagated) == ("shop", b"history")


def test_what_somebody_else_scheduled_is_no_order() -> None:
    other = encode(TimerFired(at_us=1, timer_id=1, fire_at_us=1))
    for about in (raw_text("1"), raw_bytes(b"\xff\xff"), raw_bytes(other)):
        assert task_order_of([raw_text("1"), about, raw_bytes(b"")]) is None
    assert task_order_of([raw_text("1")]) is None


def scheduled(event_id: int, name: str, activity: str, arguments: list[RawValue]) -> HistoryEvent:
    return HistoryEvent(
        event_id=event_id,
        event_time=Timestamp(seconds=1),
        activity_task_scheduled_event_attributes=ActivityTaskScheduledEventAttributes(
            activity_id=activity,
            activity_type=ActivityType(name=name),
            task_queue=TaskQueue(name="dapr-shop"),
            input=Payloads(payloads=[each.payload for each in arguments]),
        ),
    )


def turn(event_id: int, generation: int) -> HistoryEvent:
    order = RawValue(Payload(data=b'{"generation": %d}' % generation))
    return scheduled(event_id, names.TURN, str(event_id), [order])


def task(event_id: int, generation: int, task_id: int) -> HistoryEvent:
    return scheduled(event_id, "a", activity_id(generation, task_id), ARGUMENTS)


async def shown(*events: HistoryEvent) -> list[tuple[int, str]]:
    async def history() -> AsyncIterator[HistoryEvent]:
        for event in events:
            yield event

    return [(view.task_id, view.app_id) for view in await task_views(history(), [])]


async def test_activities_have_the_ids_and_the_app_of_their_instance() -> None:
    assert await shown(turn(5, 1), task(6, 1, 1), task(7, 1, 2)) == [(1, "shop"), (2, "shop")]


async def test_those_of_an_earlier_generation_are_gone_with_it() -> None:
    earlier = (turn(5, 1), task(6, 1, 1))
    assert await shown(*earlier, turn(7, 2), task(8, 2, 1), task(9, 2, 2)) == [
        (1, "shop"),
        (2, "shop"),
    ]
    # The next generation has had a turn, and has begun none yet.
    assert await shown(*earlier, turn(7, 2)) == []
    # Begun beside the continue-as-new: its first turn is still to come.
    assert await shown(*earlier, task(8, 2, 3)) == [(3, "shop")]
