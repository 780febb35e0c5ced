"""The one Temporal workflow that runs the workflows of Dapr's SDKs, whatever their names.

Theory of operation. The run holds the instance as the core knows it. Signals, results and timers
are events that go to its inbox. When there is something to decide and nothing forbids it, the
batch goes to a worker of the SDK, by way of an activity: what the worker decides is that
activity's result, so that it is in Temporal's history, and a replay decides the same. The
effects are then carried out with Temporal's own activities, timers, children and signals.

A continue-as-new of the SDK begins a new generation within the run, since Temporal lets a new
run begin once a second at most. A new run takes over when Temporal suggests it and nothing is
under way that would be lost on the way.

Everything in here is deterministic: the time is Temporal's, and nothing else comes from outside.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from perdure.base.errors import CallerFault, WorkerFault
from perdure.base.limits import (
    STALL_RETRY_FIRST_US,
    STALL_RETRY_LONGEST_US,
    TURN_RETRY_FIRST_US,
    TURN_RETRY_LONGEST_US,
)
from perdure.base.time import SECOND_US
from perdure.bridge import names, past
from perdure.bridge.effects import Effects
from perdure.bridge.envelope import arguments_of_renewal, begun_of
from perdure.bridge.failures import temporals_failure
from perdure.bridge.instance import Batch
from perdure.bridge.memos import progress_in, progress_of, shown_custom_status
from perdure.bridge.moments import now_us, sleep_until
from perdure.bridge.options import (
    END_RUN_OPTIONS,
    HISTORY_EVENTS_HOLD,
    TURN_OPTIONS,
)
from perdure.bridge.signals import event_of
from perdure.bridge.tasks import TurnOrder, arguments_of_turn
from perdure.bridge.texts import is_too_large, raw_text, word_of
from perdure.components.temporal.views import CUSTOM_STATUS_MEMO
from perdure.core.events import ExecutionResumed, ExecutionSuspended, Failure
from perdure.core.status import Status
from perdure.core.turn import Closed, ContinuedAsNew, Stalled, TurnResult
from perdure.wire.actions import decision_of, parse_turn_answer
from perdure.wire.generated.management_pb2 import StoredEvents

HISTORY_PAGE_BYTES: Final = 1_000_000


@workflow.defn(dynamic=True)
class DaprWorkflow:
    """One run of an instance."""

    @workflow.init
    def __init__(self, args: Sequence[RawValue]) -> None:
        """Take up the instance; signals may come before `run` does."""
        info = workflow.info()
        self._begun = begun_of(
            info.workflow_id,
            info.workflow_type,
            info.first_execution_run_id,
            args,
            now_us(),
        )
        self._instance = self._begun.instance
        self._suspended = self._begun.suspended
        self._held: asyncio.Task[None] | None = None
        self._pauses = 0
        self._shown = progress_in(info.raw_memo)
        self._shown_status = self._instance.custom_status
        self._renewal_tried_at = 0
        self._effects = Effects(self._instance, self._begun.queues, self._instance.receive)

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> RawValue:
        """Turn after turn until the instance has ended."""
        del args  # `__init__` has taken them
        await self._take_up()
        while not self._instance.state.finished:
            await workflow.wait_condition(self._may_move)
            if self._is_to_end():
                await self._effects.carry_out(self._instance.end(now_us()).effects)
                break
            self._renew_if_suggested()
            batch = self._instance.freeze(now_us())
            if batch is not None:
                await self._turn(batch)
        return await self._ended()

    @workflow.signal(dynamic=True)
    def take(self, name: str, args: Sequence[RawValue]) -> None:
        """Take a signal for an event."""
        event = event_of(name, args, now_us())
        if isinstance(event, ExecutionSuspended | ExecutionResumed):
            suspended = isinstance(event, ExecutionSuspended)
            if suspended is self._suspended:
                return  # SDKs do not expect what changes nothing
            self._suspended = suspended
            self._show()
        self._instance.receive(event)

    @workflow.query(name=names.HISTORY)
    def history(self, after: int) -> bytes:
        """Return committed events of the present generation, from one on, as StoredEvents."""
        reply, size_bytes = StoredEvents(), 0
        for event in self._instance.past.events()[after:]:
            size_bytes += len(event)
            if reply.events and size_bytes > HISTORY_PAGE_BYTES:
                break
            reply.events.append(event)
        return reply.SerializeToString()

    # ---- beginning

    async def _take_up(self) -> None:
        """Begin what an earlier run has left to be done, or wait for the time of the start."""
        self._offer_past()
        await self._effects.begin_again(self._begun.born)
        start_us = self._instance.scheduled_start_us
        if start_us is not None and start_us > now_us():
            self._held = asyncio.create_task(sleep_until(start_us))

    def _offer_past(self) -> None:
        run_id = workflow.info().run_id
        past.show(run_id, self._instance.state.generation, self._instance.past)

    # ---- turns

    def _is_to_end(self) -> bool:
        return self._instance.order_to_end is not None

    def _may_move(self) -> bool:
        if self._is_to_end():
            return True
        is_held = self._held is not None and not self._held.done()
        return bool(self._instance.inbox) and not (
            is_held or self._suspended or self._is_overlong()
        )

    def _is_overlong(self) -> bool:
        """Tell whether the run has grown so long that what is under way has to come back first."""
        events = workflow.info().get_current_history_length()
        return events > HISTORY_EVENTS_HOLD and self._instance.awaits_tasks

    async def _turn(self, batch: Batch) -> None:
        """Have a worker decide, and carry out what it decided, unless the instance is to end."""
        answer = workflow.start_activity(
            names.TURN,
            args=arguments_of_turn(self._order(), batch, self._instance),
            result_type=RawValue,
            **TURN_OPTIONS,
        )
        if not await self._done_before_the_end(answer):
            return
        try:
            returned = answer.result().payload
            decision = decision_of(
                parse_turn_answer(returned.data), microsoft=word_of(returned, "dialect") != "dapr"
            )
            result = self._instance.decide(decision, now_us())
        except ActivityError as error:
            await self._not_decided(error)
        except (WorkerFault, CallerFault) as fault:
            await self._pause_after(fault)
        else:
            await self._land(result)

    def _order(self) -> TurnOrder:
        instance, info = self._instance, workflow.info()
        started = instance.state.started
        return TurnOrder(
            instance_id=instance.instance_id,
            execution_id="" if started is None else started.execution_id,
            app_id=instance.app_id,
            name=info.workflow_type,
            run_id=info.run_id,
            generation=instance.state.generation,
            past_length=len(instance.past),
        )

    async def _done_before_the_end(self, step: "asyncio.Future[Any]") -> bool:
        """Wait for a step; a terminate does not wait for it."""
        await workflow.wait_condition(lambda: step.done() or self._is_to_end())
        return step.done() or not step.cancel()

    async def _land(self, result: TurnResult) -> None:
        match result:
            case Closed():
                await self._effects.carry_out(result.effects)
            case ContinuedAsNew():
                # What was begun is to happen; only what comes of it means nothing any more.
                await self._effects.settle()
                self._effects.forget()
                self._begun = replace(self._begun, created_us=now_us())
                self._offer_past()
                workflow.upsert_memo({names.INPUT: raw_text(self._instance.input)})
                await self._effects.carry_out(result.effects)
            case Stalled():
                self._show()
                await self._stalled()
                return
        self._pauses = 0
        self._show()

    async def _not_decided(self, error: ActivityError) -> None:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.type == names.TOO_LARGE:
            await self._land(self._instance.cannot_be_sent(cause.message, now_us()))
        else:
            await self._pause_after(error)

    async def _pause_after(self, fault: Exception) -> None:
        """Let a turn that went wrong be tried again, ever later."""
        workflow.logger.warning("a turn is tried again: %s", fault)
        pause_s = self._next_pause_s(TURN_RETRY_FIRST_US, TURN_RETRY_LONGEST_US)
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(self._is_to_end, timeout=pause_s)

    async def _stalled(self) -> None:
        """Wait for another worker, or for a while: perhaps it fits then."""
        pause_s = self._next_pause_s(STALL_RETRY_FIRST_US, STALL_RETRY_LONGEST_US)
        waiting = workflow.start_activity(
            names.AWAIT_WORKER, args=[self._instance.app_id, pause_s], **TURN_OPTIONS
        )
        await self._done_before_the_end(waiting)

    def _next_pause_s(self, first_us: int, longest_us: int) -> float:
        self._pauses += 1
        return min(first_us << min(self._pauses - 1, 32), longest_us) / SECOND_US

    # ---- what can be seen

    def _show(self) -> None:
        """Write into the memo what has changed of what readers may see."""
        instance, state = self._instance, self._instance.state
        created_us = self._begun.created_us
        progress = progress_of(instance, suspended=self._suspended, created_us=created_us)
        changed: dict[str, object] = {}
        is_over = state.finished and progress["version"] is None
        if progress != self._shown and not (is_over and self._shown is None):
            changed[names.PROGRESS] = progress
        if instance.custom_status != self._shown_status:
            text = instance.custom_status
            shown = None if text is None else raw_text(shown_custom_status(text))
            changed[CUSTOM_STATUS_MEMO] = shown
        self._shown, self._shown_status = progress, instance.custom_status
        if changed:
            workflow.upsert_memo(changed)

    # ---- ending

    def _renew_if_suggested(self) -> None:
        """Let a fresh run take over if this one has grown long and nothing would be lost by it."""
        info = workflow.info()
        would_lose = self._effects.is_busy or self._instance.batch is not None
        if would_lose or not info.is_continue_as_new_suggested():
            return
        length = info.get_current_history_length()
        if length < self._renewal_tried_at * 5 // 4:
            return
        self._renewal_tried_at = length
        begun = replace(self._begun, suspended=self._suspended, born=self._effects.born)
        arguments = arguments_of_renewal(begun)
        if arguments is not None:
            memo = {key: RawValue(payload) for key, payload in info.raw_memo.items()}
            workflow.continue_as_new(args=arguments, memo=memo)

    async def _ended(self) -> RawValue:
        """End the run as the instance has ended."""
        await self._effects.settle()
        completed = self._instance.state.completed
        assert completed is not None, "what has ended has an outcome"
        if completed.status is Status.FAILED:
            raise temporals_failure(completed.failure)
        if is_too_large(completed.result):
            raise temporals_failure(
                Failure("PayloadSizeExceeded", "the output is too large for Temporal")
            )
        if completed.status is Status.COMPLETED:
            return raw_text(completed.result)
        # No workflow can say of itself that it was terminated: it has Temporal do it.
        await workflow.execute_local_activity(
            names.END_RUN, args=[raw_text(completed.result)], **END_RUN_OPTIONS
        )
        await workflow.wait_condition(lambda: False)
        raise AssertionError("Temporal has ended this run")
