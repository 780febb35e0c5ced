"""Children of an instance, as children of its Temporal workflow.

They outlive their parent. A run that takes over from another one did not bear its children, and
Temporal tells it nothing of them: it asks for the outcome of those that were born already.
"""

import asyncio

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ChildWorkflowError, WorkflowAlreadyStartedError

from perdure.bridge import names
from perdure.bridge.complaints import complaint_of
from perdure.bridge.envelope import arguments_of_start
from perdure.bridge.errands import Errands, keep
from perdure.bridge.failures import failure_of
from perdure.bridge.memos import memo_of_start
from perdure.bridge.moments import now_us
from perdure.bridge.options import TURN_OPTIONS
from perdure.bridge.texts import text_of
from perdure.core.effects import Birth
from perdure.core.events import AnyFailure, ChildCompleted, ChildCreated, ChildFailed


class Children:
    """Bears children and awaits what becomes of them."""

    def __init__(self, errands: Errands) -> None:
        """Bear children of the instance of `errands`."""
        self._errands = errands
        self._awaited: set[asyncio.Task[None]] = set()
        # By the id that their outcome will carry, the first run of each that was born.
        self.born: dict[int, str] = {}

    def forget(self) -> None:
        """Await none any more; they go on."""
        for task in self._awaited:
            task.cancel()
        self._awaited.clear()
        self.born.clear()

    async def bear(self, birth: Birth) -> None:
        """Begin to bring a child into the world; the run does not end before that is done."""
        errands, started = self._errands, birth.started
        generation = errands.instance.state.generation
        complaint = complaint_of(started.name, "a workflow", started.input)
        if complaint is not None:
            if started.parent is not None:
                self._failed(started.parent.task_id, complaint, generation)
            return
        propagated = errands.instance.handed_down(birth.scope)
        arguments = arguments_of_start(started, birth.app_id, errands.queues, propagated)
        await errands.make_room(arguments)
        is_born: asyncio.Future[None] = asyncio.Future()
        errands.run(_waiting_for(is_born))
        keep(self._awaited, self._life(birth, arguments, generation, is_born))

    def rejoin(self, created: ChildCreated, run_id: str) -> None:
        """Await a child that an earlier run has born."""
        self.born[created.event_id] = run_id
        keep(self._awaited, self._rest_of_life(created, run_id))

    async def _life(
        self,
        birth: Birth,
        arguments: list[RawValue],
        generation: int,
        is_born: "asyncio.Future[None]",
    ) -> None:
        started = birth.started
        try:
            child = await workflow.start_child_workflow(
                started.name,
                args=arguments,
                id=started.instance_id,
                task_queue=self._errands.queue_of(birth.app_id),
                result_type=RawValue,
                memo=memo_of_start(started, birth.app_id),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
            )
            if started.parent is not None:
                self.born[started.parent.task_id] = child.first_execution_run_id or ""
        except WorkflowAlreadyStartedError:
            if birth.if_taken is not None:
                self._errands.deliver(birth.if_taken, generation)
            return
        finally:
            is_born.set_result(None)
        if started.parent is None:
            return
        task_id = started.parent.task_id
        try:
            self._completed(task_id, await child, generation)
        except ChildWorkflowError as error:
            self._failed(task_id, failure_of(error), generation)

    async def _rest_of_life(self, created: ChildCreated, run_id: str) -> None:
        task_id, generation = created.event_id, self._errands.instance.state.generation
        try:
            outcome = await workflow.execute_activity(
                names.AWAIT_CHILD,
                args=[created.instance_id, run_id],
                result_type=RawValue,
                **TURN_OPTIONS,
            )
            self._completed(task_id, outcome, generation)
        except ActivityError as error:
            self._failed(task_id, failure_of(error), generation)

    def _completed(self, task_id: int, outcome: RawValue, generation: int) -> None:
        self.born.pop(task_id, None)
        result = text_of(outcome.payload)
        completed = ChildCompleted(at_us=now_us(), task_id=task_id, result=result)
        self._errands.deliver(completed, generation)

    def _failed(self, task_id: int, failure: AnyFailure, generation: int) -> None:
        self.born.pop(task_id, None)
        failed = ChildFailed(at_us=now_us(), task_id=task_id, failure=failure)
        self._errands.deliver(failed, generation)


async def _waiting_for(future: "asyncio.Future[None]") -> None:
    await future
