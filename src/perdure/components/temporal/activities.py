"""The activities of a run, put together from its history and from what is under way."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo

from perdure.components.port import TaskView
from perdure.components.temporal.moments import moment_us


async def tasks_of(
    events: AsyncIterator[HistoryEvent], pending: Iterable[PendingActivityInfo]
) -> list[TaskView]:
    """Return every activity in the order of scheduling.

    The start of an activity is in the history only once it has ended: until then `pending` knows.
    """
    tasks: dict[int, TaskView] = {}
    ids: dict[str, int] = {}
    async for event in events:
        match event.WhichOneof("attributes"):
            case "activity_task_scheduled_event_attributes":
                scheduled = event.activity_task_scheduled_event_attributes
                ids[scheduled.activity_id] = event.event_id
                tasks[event.event_id] = _scheduled(event)
            case "activity_task_started_event_attributes":
                started = event.activity_task_started_event_attributes
                tasks[started.scheduled_event_id] = replace(
                    tasks[started.scheduled_event_id],
                    handed_out_at_us=moment_us(event, "event_time"),
                    worker=started.identity or None,
                    attempts=started.attempt,
                )
            case _:
                _end(tasks, event)
    for info in pending:
        task_id = ids.get(info.activity_id)
        if task_id is not None and tasks[task_id].finished_at_us is None:
            tasks[task_id] = replace(
                tasks[task_id],
                handed_out_at_us=moment_us(info, "last_started_time"),
                worker=info.last_worker_identity or None,
                attempts=info.attempt,
            )
    return [tasks[task_id] for task_id in sorted(tasks)]


def _scheduled(event: HistoryEvent) -> TaskView:
    scheduled = event.activity_task_scheduled_event_attributes
    return TaskView(
        task_id=event.event_id,
        name=scheduled.activity_type.name,
        app_id=scheduled.task_queue.name,
        scheduled_at_us=moment_us(event, "event_time") or 0,
        handed_out_at_us=None,
        worker=None,
        attempts=0,
        finished_at_us=None,
        failed=False,
    )


def _end(tasks: dict[int, TaskView], event: HistoryEvent) -> None:
    match event.WhichOneof("attributes"):
        case "activity_task_completed_event_attributes":
            task_id = event.activity_task_completed_event_attributes.scheduled_event_id
            failed = False
        case "activity_task_failed_event_attributes":
            task_id = event.activity_task_failed_event_attributes.scheduled_event_id
            failed = True
        case "activity_task_timed_out_event_attributes":
            task_id = event.activity_task_timed_out_event_attributes.scheduled_event_id
            failed = True
        case "activity_task_canceled_event_attributes":
            task_id = event.activity_task_canceled_event_attributes.scheduled_event_id
            failed = True
        case _:
            return
    at_us = moment_us(event, "event_time")
    tasks[task_id] = replace(tasks[task_id], finished_at_us=at_us, failed=failed)
