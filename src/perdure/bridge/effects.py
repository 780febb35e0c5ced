"""The effects of a turn, carried out with what Temporal has for each.

Only called from workflow code: every step is recorded in Temporal's history, and a replay takes
the same steps. What comes back of an effect goes to the inbox, under the generation it is of.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, FailureError, WorkflowAlreadyStartedError

from perdure.base.time import is_never
from perdure.bridge import names
from perdure.bridge.children import Children
from perdure.bridge.complaints import complaint_of
from perdure.bridge.errands import Deliver, Errands, keep
from perdure.bridge.failures import failure_of
from perdure.bridge.instance import Instance
from perdure.bridge.moments import now_us, sleep_until
from perdure.bridge.open_ends import birth_again, task_again
from perdure.bridge.options import ACTIVITY_OPTIONS
from perdure.bridge.signals import signal_of
from perdure.bridge.tasks import activity_id, arguments_of_task
from perdure.bridge.texts import text_of
from perdure.core import effects as fx
from perdure.core.events import (
    Event,
    ExecutionTerminated,
    TaskCompleted,
    TaskFailed,
    TimerCreated,
    TimerFired,
)


class Effects:
    """What is under way of one instance."""

    def __init__(self, instance: Instance, queues: str, deliver: Deliver) -> None:
        """Carry out the effects of `instance`; `deliver` takes what comes of them."""
        self._instance = instance
        self._deliver = deliver
        self._errands = Errands(instance, queues, deliver)
        self._children = Children(self._errands)
        self._timers: dict[int, asyncio.Task[None]] = {}
        self._awaited: set[asyncio.Task[None]] = set()

    @property
    def is_busy(self) -> bool:
        """Whether something is under way of which no later run would know."""
        return self._errands.are_under_way or bool(self._awaited)

    @property
    def born(self) -> Mapping[int, str]:
        """The children that live, as a later run has to know them: the first run of each."""
        return self._children.born

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
                    await self._children.bear(effect)
                case fx.Tell(instance_id, event):
                    self._errands.run(self._tell(instance_id, event))
                case fx.EndChildren(reason):
                    await self._end_children(reason)
                case fx.TellSelf(event):
                    self._deliver(event, self._instance.state.generation)
                case fx.TellParent() | fx.Forbidden():
                    continue  # the end of the Temporal workflow tells the parent

    async def begin_again(self, born: Mapping[int, str]) -> None:
        """Begin what is open in the history of an instance that a run takes up.

        Those of its children that are `born` are only awaited.
        """
        state = self._instance.open_ends
        for scheduled in state.open_tasks.values():
            await self._run(task_again(self._instance, scheduled))
        for task_id, created in state.open_children.items():
            if task_id in born:
                self._children.rejoin(created, born[task_id])
            else:
                await self._children.bear(birth_again(self._instance, created))
        for timer in state.open_timers.values():
            self.set_timer(timer)

    async def settle(self) -> None:
        """Return once what was begun would outlive this run."""
        await self._errands.settle()

    def forget(self) -> None:
        """Await nothing any more: the generation is over. What runs goes on, for nobody."""
        for task in (*self._timers.values(), *self._awaited):
            task.cancel()
        self._timers.clear()
        self._awaited.clear()
        self._children.forget()

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
        await self._errands.make_room(arguments)
        if self._instance.state.finished:
            self._errands.run(self._run_alone(effect, arguments, generation))
        else:
            keep(self._awaited, self._result_of(effect, arguments, generation))

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
                task_queue=self._errands.queue_of(effect.app_id),
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
                task_queue=self._errands.queue_of(effect.app_id),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.warning("an activity of that id runs already", exc_info=True)

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

    async def _end_children(self, reason: str | None) -> None:
        order = ExecutionTerminated(at_us=now_us(), input=reason, recurse=True)
        _, arguments = signal_of(order)
        for created in list(self._instance.state.open_children.values()):
            await self._errands.make_room(arguments)
            self._errands.run(self._tell(created.instance_id, order))
