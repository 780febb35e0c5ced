"""What an activity's answer comes to: an event, the end of its row, and the entry of both."""

from collections.abc import Callable

from perdure.core.events import TaskCompleted, TaskFailed
from perdure.engine.residents import NOT_LANDED, Arrival, InboxItem
from perdure.engine.rows import inbox_add
from perdure.engine.task import Task, TaskOut
from perdure.store.port import Entry, HandOut, TaskEnd
from perdure.wire.generated.work_pb2 import ActivityAnswer

TaskResult = TaskCompleted | TaskFailed


def result_of(answer: ActivityAnswer, task: Task, now_us: int) -> TaskResult:
    """Return what a worker says that an activity came to."""
    execution_id = task.scheduled.execution_id
    if answer.HasField("failure"):
        return TaskFailed(
            at_us=now_us,
            task_id=answer.task_id,
            failure=answer.failure,
            execution_id=execution_id,
        )
    return TaskCompleted(
        at_us=now_us,
        task_id=answer.task_id,
        result=answer.result.value if answer.HasField("result") else None,
        execution_id=execution_id,
    )


def ending(task: Task, result: TaskResult, note: HandOut | None = None) -> Entry:
    """Return the entry of a result by itself."""
    add = inbox_add(result, generation=task.add.generation)
    notes = () if note is None else (note,)
    return Entry(
        key=task.key,
        term=task.term,
        ended_tasks=(_end_of(task, result),),
        handed_out=notes,
        inbox=(add,),
    )


def arrival_of(
    out: TaskOut,
    result: TaskResult,
    landed: Callable[[], None],
    alone: Callable[[InboxItem], object],
) -> Arrival:
    """Return a result that is to land with the turn that takes it (see `engine.residents`)."""
    task = out.task
    item = InboxItem(NOT_LANDED, inbox_add(result, generation=task.add.generation), result)
    return Arrival(
        item,
        landed=landed,
        alone=lambda: alone(item),
        task=_end_of(task, result),
        handed_out=out.unnoted,
    )


def _end_of(task: Task, result: TaskResult) -> TaskEnd:
    failed = isinstance(result, TaskFailed)
    return TaskEnd(task.add.generation, task.add.task_id, result.at_us, failed)
