"""The effects of a turn, carried out with what Temporal has for each.

Only called from workflow code: every step is recorded in Temporal's history, and a replay takes
the same steps. What comes back of an effect goes to the inbox, under the generation it is of.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import (
    ActivityError,
    ChildWorkflowError,
    FailureError,
    WorkflowAlreadyStartedError,
)

from perdure.base.time import is_never
from perdure.bridge import names
from perdure.bridge.complaints import complaint_of
from perdure.bridge.envelope import arguments_of_start, queue_of
from perdure.bridge.failures import failure_of
from perdure.bridge.instance import Instance
from perdure.bridge.memos import memo_of_start
from perdure.bridge.moments import now_us, sleep_until
from perdure.bridge.open_ends import birth_again, task_again
from perdure.bridge.options import ACTIVITY_OPTIONS, MESSAGES_BYTES_MAX
from perdure.bridge.signals import signal_of
from perdure.bridge.tasks import activity_id, arguments_of_task
from perdure.bridge.texts import text_of
from perdure.core import effects as fx
from perdure.core.events import (
    ChildCompleted,
    ChildFailed,
    Event,
    ExecutionTerminated,
    TaskCompleted,
    TaskFailed,
    TimerCreated,
    TimerFired,
)

Deliver = Callable[[Event, int], None]
Steps = Coroutine[Any, Any, None]

# What is sent to Temporal in one piece has to stay below its limit on messages.
_PAUSE_S: Final = 0.001


class Effects:
    """What is under way of one instance."""

    def __init__(self, instance: Instance, queues: str, deliver: Deliver) -> None:
        """Carry out the effects of `instance`; `deliver` takes what comes of them."""
        self._instance = instance
        self._queues = queues
        self._deliver = deliver
        self._timers: dict[int, asyncio.Task[None]] = {}
        self._awaited: set[asyncio.Task[None]] = set()
        self._brief: set[asyncio.Task[None]] = set()
        self._sent_bytes = 0

    @property
    def is_busy(self) -> bool:
        """Whether something is under way of which no later run would know."""
        return bool(self._brief or self._awaited)

    async def carry_out(self, effects: Iterable[fx.Effect]) -> None:  # noqa: C901 - one a kind
        """Begin every effect; none of them is waited for."""
        for effect in effects:
            match effect:
                case fx.RunTask():
                    await self._run(effect)
                case fx.SetTimer(created):
                    self.set_timer(created)
                case fx.CancelTimer(timer_id):
                    self._cancel_timer(timer_id)
                case fx.Birth():
                    await self._bear(effect)
                case fx.Tell(instance_id, event):
                    self._briefly(self._tell(instance_id, event))
                case fx.EndChildren(reason):
                    self._end_children(reason)
                case fx.TellSelf(event):
                    self._deliver(event, self._instance.state.generation)
                case fx.TellParent() | fx.Forbidden():
                    continue  # the end of the Temporal workflow tells the parent

    async def begin_again(self) -> None:
        """Begin what is open in the history of an instance that a run takes up."""
        state = self._instance.open_ends
        for scheduled in state.open_tasks.values():
            await self._run(task_again(self._instance, scheduled))
        for created in state.open_children.values():
            await self._bear(birth_again(self._instance, created))
        for timer in state.open_timers.values():
            self.set_timer(timer)

    async def settle(self) -> None:
        """Return once what was begun would outlive this run: births are done, messages sent."""
        while self._brief:
            await workflow.wait(list(self._brief))

    def forget(self) -> None:
        """Await nothing any more: the generation is over. What runs goes on, for nobody."""
        for task in (*self._timers.values(), *self._awaited):
            task.cancel()
        self._timers.clear()
        self._awaited.clear()

    def set_timer(self, created: TimerCreated) -> None:
        """Wake the instance at a timer's moment, if that ever comes."""
        if not is_never(created.fire_at_us):
            firing = self._fire(created, self._instance.state.generation)
            self._timers[created.event_id] = asyncio.create_task(firing)

    async def _fire(self, created: TimerCreated, generation: int) -> None:
        await sleep_until(created.fire_at_us)
        self._timers.pop(created.event_id, None)
        fired = TimerFired(
            at_us=max(now_us(), created.fire_at_us),
            timer_id=created.event_id,
            fire_at_us=created.fire_at_us,
        )
        self._deliver(fired, generation)

    def _cancel_timer(self, timer_id: int) -> None:
        timer = self._timers.pop(timer_id, None)
        if timer is not None:
            timer.cancel()

    async def _run(self, effect: fx.RunTask) -> None:
        scheduled, generation = effect.scheduled, self._instance.state.generation
        complaint = complaint_of(scheduled.name, "an activity", scheduled.input)
        if complaint is not None:
            failed = TaskFailed(
                at_us=now_us(),
                task_id=scheduled.event_id,
                failure=complaint,
                execution_id=scheduled.execution_id,
            )
            self._deliver(failed, generation)
            return
        propagated = self._instance.handed_down(scheduled.scope)
        arguments = arguments_of_task(effect, self._instance.instance_id, propagated)
        await self._make_room(arguments)
        if self._instance.state.finished:
            self._briefly(self._run_alone(effect, arguments, generation))
        else:
            self._await(self._result_of(effect, arguments, generation))

    async def _result_of(
        self, effect: fx.RunTask, arguments: list[RawValue], generation: int
    ) -> None:
        scheduled = effect.scheduled
        result: Event
        try:
            returned = await workflow.execute_activity(
                scheduled.name,
                args=arguments,
                activity_id=activity_id(generation, scheduled.event_id),
                task_queue=self._queue_of(effect.app_id),
                result_type=RawValue,
                **ACTIVITY_OPTIONS,
            )
            result = TaskCompleted(
                at_us=now_us(),
                task_id=scheduled.event_id,
                result=text_of(returned.payload),
                execution_id=scheduled.execution_id,
            )
        except ActivityError as error:
            result = TaskFailed(
                at_us=now_us(),
                task_id=scheduled.event_id,
                failure=failure_of(error),
                execution_id=scheduled.execution_id,
            )
        self._deliver(result, generation)

    async def _run_alone(
        self, effect: fx.RunTask, arguments: list[RawValue], generation: int
    ) -> None:
        """Run an activity beyond the end of its workflow: in a run of its own."""
        task_id = effect.scheduled.event_id
        try:
            await workflow.start_child_workflow(
                names.LONE_ACTIVITY,
                args=[effect.scheduled.name, *arguments],
                id=f"{self._instance.instance_id}::{task_id}::{generation}",
                task_queue=self._queue_of(effect.app_id),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.warning("an activity of that id runs already", exc_info=True)

    async def _bear(self, birth: fx.Birth) -> None:
        started, generation = birth.started, self._instance.state.generation
        complaint = complaint_of(started.name, "a workflow", started.input)
        if complaint is not None:
            if started.parent is not None:
                task_id = started.parent.task_id
                failed = ChildFailed(at_us=now_us(), task_id=task_id, failure=complaint)
                self._deliver(failed, generation)
            return
        arguments = arguments_of_start(
            started, birth.app_id, self._queues, self._instance.handed_down(birth.scope)
        )
        await self._make_room(arguments)
        born: asyncio.Future[None] = asyncio.Future()
        self._briefly(_waiting_for(born))
        self._await(self._outcome_of(birth, arguments, generation, born))

    async def _outcome_of(
        self,
        birth: fx.Birth,
        arguments: list[RawValue],
        generation: int,
        born: "asyncio.Future[None]",
    ) -> None:
        started = birth.started
        try:
            child = await workflow.start_child_workflow(
                started.name,
                args=arguments,
                id=started.instance_id,
                task_queue=self._queue_of(birth.app_id),
                result_type=RawValue,
                memo=memo_of_start(started, birth.app_id),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
            )
        except WorkflowAlreadyStartedError:
            if birth.if_taken is not None:
                self._deliver(birth.if_taken, generation)
            return
        finally:
            born.set_result(None)
        if started.parent is None:
            return
        task_id = started.parent.task_id
        outcome: Event
        try:
            returned = await child
            result = text_of(returned.payload)
            outcome = ChildCompleted(at_us=now_us(), task_id=task_id, result=result)
        except ChildWorkflowError as error:
            failure = failure_of(error)
            outcome = ChildFailed(at_us=now_us(), task_id=task_id, failure=failure)
        self._deliver(outcome, generation)

    async def _tell(self, instance_id: str, event: Event) -> None:
        if instance_id == self._instance.instance_id:
            self._deliver(event, 0)
            return
        name, arguments = signal_of(event)
        target: workflow.ExternalWorkflowHandle[Any]
        target = workflow.get_external_workflow_handle(instance_id)
        try:
            await target.signal(name, args=arguments)
        except FailureError as error:
            # It is not there, or not any more: what it is told is dropped, as Dapr drops it.
            workflow.logger.info("nobody was told '%s': %s", name, error)

    def _end_children(self, reason: str | None) -> None:
        order = ExecutionTerminated(at_us=now_us(), input=reason, recurse=True)
        for created in self._instance.state.open_children.values():
            self._briefly(self._tell(created.instance_id, order))

    async def _make_room(self, arguments: Iterable[RawValue]) -> None:
        """Let what was begun go to Temporal first, if all together were too large for a message."""
        size_bytes = sum(len(each.payload.data) for each in arguments)
        self._sent_bytes += size_bytes
        if self._sent_bytes > MESSAGES_BYTES_MAX:
            self._sent_bytes = size_bytes
            await workflow.sleep(_PAUSE_S)

    def _queue_of(self, app_id: str) -> str:
        if app_id == self._instance.app_id:
            return workflow.info().task_queue
        return queue_of(self._queues, app_id)

    def _await(self, steps: Steps) -> None:
        _keep(self._awaited, steps)

    def _briefly(self, steps: Steps) -> None:
        _keep(self._brief, steps)


async def _waiting_for(future: "asyncio.Future[None]") -> None:
    await future


def _keep(tasks: "set[asyncio.Task[None]]", steps: Steps) -> None:
    task = asyncio.create_task(steps)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
