"""Turns and activities as Temporal's activities: their arguments, and what these mean again."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace

from temporalio.api.history.v1 import ActivityTaskScheduledEventAttributes, HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.common import RawValue

from perdure.base.errors import CallerFault
from perdure.bridge import names
from perdure.bridge.instance import Batch, Instance
from perdure.bridge.texts import raw_bytes, raw_text, text_of, word_of
from perdure.components.port import TaskView
from perdure.components.temporal.activities import tasks_of
from perdure.core.effects import RunTask
from perdure.core.events import TaskScheduled
from perdure.wire.events import decode, encode
from perdure.wire.generated.management_pb2 import StoredEvents


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnOrder:
    """What a worker is to be sent for a turn, but for the history, which is not sent around."""

    instance_id: str
    execution_id: str
    app_id: str
    name: str
    run_id: str
    generation: int
    past_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOrder:
    """What a worker is to be sent for an activity."""

    scheduled: TaskScheduled
    instance_id: str
    app_id: str
    propagated: bytes | None


def arguments_of_turn(order: TurnOrder, batch: Batch, instance: Instance) -> list[object]:
    """Return the arguments of the activity that has a worker decide a turn."""
    events = StoredEvents(events=batch.event_bytes).SerializeToString()
    return [order, raw_bytes(events), raw_bytes(instance.propagated or b"")]


def arguments_of_task(
    effect: RunTask, instance_id: str, propagated: bytes | None
) -> list[RawValue]:
    """Return the arguments of an activity of a workflow: its input, and what else belongs to it."""
    bare = encode(replace(effect.scheduled, input=None))
    return [
        raw_text(effect.scheduled.input),
        raw_bytes(bare, instance=instance_id, app=effect.app_id),
        raw_bytes(propagated or b""),
    ]


def task_order_of(arguments: Sequence[RawValue]) -> TaskOrder | None:
    """Return what an activity is about; None if its workflow is none of the bridge's."""
    if len(arguments) != 3:  # noqa: PLR2004 - those of `arguments_of_task`
        return None
    text, about, propagated = (each.payload for each in arguments)
    try:
        scheduled = decode(about.data)
    except CallerFault:
        return None
    if not isinstance(scheduled, TaskScheduled):
        return None
    return TaskOrder(
        scheduled=replace(scheduled, input=text_of(text)),
        instance_id=word_of(about, "instance"),
        app_id=word_of(about, "app"),
        propagated=propagated.data or None,
    )


@dataclass(frozen=True, slots=True)
class _Scheduled:
    """What the id of an activity at Temporal says, and the app whose worker runs it."""

    generation: int
    task_id: int
    app_id: str


async def task_views(
    events: AsyncIterator[HistoryEvent], pending: Iterable[PendingActivityInfo]
) -> list[TaskView]:
    """Return the activities of an instance's present generation, under the ids they have there."""
    known: dict[int, _Scheduled] = {}
    present = 0

    async def noted() -> AsyncIterator[HistoryEvent]:
        nonlocal present
        async for event in events:
            if event.HasField("activity_task_scheduled_event_attributes"):
                scheduled = event.activity_task_scheduled_event_attributes
                present = max(present, _generation_of_turn(scheduled))
                task = _scheduled(scheduled)
                if task is not None:
                    known[event.event_id] = task
                    present = max(present, task.generation)
            yield event

    views = await tasks_of(noted(), pending)
    return [
        replace(view, task_id=task.task_id, app_id=task.app_id or view.app_id)
        for view in views
        if (task := known.get(view.task_id)) is not None and task.generation == present
    ]


def activity_id(generation: int, task_id: int) -> str:
    """Return the id that an activity has at Temporal."""
    return f"{generation}.{task_id}"


def _scheduled(scheduled: ActivityTaskScheduledEventAttributes) -> _Scheduled | None:
    """Return what is known of an activity; None of a turn, which has an id of Temporal's own."""
    generation, dot, task_id = scheduled.activity_id.partition(".")
    if not dot or not generation.isdecimal():
        return None
    about = scheduled.input.payloads[1:2]
    app_id = word_of(about[0], "app") if about else ""
    return _Scheduled(int(generation), int(task_id), app_id)


def _generation_of_turn(scheduled: ActivityTaskScheduledEventAttributes) -> int:
    """Return the generation that a turn was of; 0 for what is no turn."""
    if scheduled.activity_type.name != names.TURN:
        return 0
    order: dict[str, int] = json.loads(scheduled.input.payloads[0].data)
    return order["generation"]
