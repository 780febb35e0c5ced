"""The activities that the bridge offers to Temporal: each has a worker do something, and waits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError, RPCStatusCode

from perdure.base.observer import Activity, Subject
from perdure.bridge import names, past
from perdure.bridge.desk import Desk
from perdure.bridge.failures import failure_of_run, temporals_failure
from perdure.bridge.items import item_of_task, item_of_turn, within_bounds
from perdure.bridge.jobs import TURN_PAIR, Answered, Job, TooLarge, WorkersGone
from perdure.bridge.options import GIVE_BACK_DELAY, HEARTBEAT_EVERY_S
from perdure.bridge.past import Past
from perdure.bridge.tasks import TaskOrder, TurnOrder, task_order_of
from perdure.bridge.texts import PAYLOAD_BYTES_MAX, is_too_large, raw_bytes, raw_text, text_of
from perdure.core.events import AnyFailure, Failure
from perdure.engine.dispatcher import Work
from perdure.wire.actions import parse_activity_answer
from perdure.wire.generated.management_pb2 import StoredEvents


class AppActivities:
    """The activities of one app, for whose workers they are."""

    def __init__(self, desk: Desk, client: Client, app_id: str, message_bytes_max: int) -> None:
        """Have the workers at `desk` do the work of `app_id`."""
        self._desk = desk
        self._client = client
        self._app_id = app_id
        self._message_bytes_max = message_bytes_max

    @activity.defn(name=names.TURN)
    async def turn(self, order: TurnOrder, events: RawValue, propagated: RawValue) -> RawValue:
        """Have a worker decide a turn, and return its WorkflowResponse."""
        async with _heartbeats():
            known = await self._past(order)
            new_events = list(StoredEvents.FromString(events.payload.data).events)
            handed_down = propagated.payload.data
            job = Job(
                kind=Work.TURN,
                pair=(order.instance_id, TURN_PAIR),
                subject=Subject(order.instance_id, order.name, order.app_id or self._app_id),
                make_item=lambda stream, token: within_bounds(
                    item_of_turn(order, known, new_events, handed_down, stream, token),
                    "Workflow",
                    self._message_bytes_max,
                ),
            )
            answered = await self._done(job)
        if len(answered.data) > PAYLOAD_BYTES_MAX:
            text = f"the decisions of one turn have {len(answered.data)} bytes"
            raise _too_large(f"{text}; Temporal takes {PAYLOAD_BYTES_MAX}")
        dialect = "microsoft" if answered.microsoft else "dapr"
        return raw_bytes(answered.data, dialect=dialect)

    @activity.defn(dynamic=True)
    async def task(self, args: Sequence[RawValue]) -> RawValue:
        """Have a worker run an activity of a workflow, whatever its name."""
        order = task_order_of(args)
        if order is None:
            name = activity.info().activity_type
            text = f"activity '{name}' was not scheduled by a workflow of a Dapr SDK"
            raise ApplicationError(text, non_retryable=True)
        async with _heartbeats():
            answered = await self._done(self._job_of(order))
        answer = parse_activity_answer(answered.data)
        if answer.HasField("failure"):
            raise _final(answer.failure)
        result = answer.result.value if answer.HasField("result") else None
        if is_too_large(result):
            text = f"the result is larger than {PAYLOAD_BYTES_MAX} bytes, which Temporal takes"
            raise _final(Failure("PayloadSizeExceeded", text))
        return raw_text(result)

    @activity.defn(name=names.AWAIT_WORKER)
    async def await_worker(self, app_id: str, timeout_s: float) -> None:
        """Return when another worker may have come, or after a while."""
        if activity.info().attempt > 1:
            return  # the workers that were there when it was first tried have gone meanwhile
        async with _heartbeats():
            await self._desk.arrival(app_id or self._app_id, timeout_s)

    @activity.defn(name=names.AWAIT_CHILD)
    async def await_child(self, instance_id: str, run_id: str) -> RawValue:
        """Return what a child came to that an earlier run of its parent has born."""
        run: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(
            instance_id, run_id=run_id or None, result_type=RawValue
        )
        async with _heartbeats():
            try:
                outcome: RawValue = await run.result()
            except WorkflowFailureError as error:
                raise _final(failure_of_run(error, instance_id)) from error
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                text = f"child workflow '{instance_id}' is not there any more"
                raise _final(Failure("WorkflowNotFound", text)) from error
        return outcome

    def _job_of(self, order: TaskOrder) -> Job:
        scheduled, app_id = order.scheduled, order.app_id or self._app_id
        info = activity.info()
        return Job(
            kind=Work.ACTIVITY,
            pair=(order.instance_id, scheduled.event_id),
            subject=Subject(order.instance_id, info.workflow_type or "", app_id),
            activity=Activity(
                scheduled.name, scheduled.event_id, app_id, scheduled.at_us, info.attempt
            ),
            make_item=lambda stream, token: within_bounds(
                item_of_task(order, stream, token),
                f"activity '{scheduled.name}::{scheduled.event_id}'",
                self._message_bytes_max,
            ),
        )

    async def _done(self, job: Job) -> Answered:
        try:
            return await self._desk.do(job)
        except WorkersGone as fault:
            raise ApplicationError(
                str(fault),
                type=names.WORKERS_GONE,
                next_retry_delay=GIVE_BACK_DELAY,
                category=ApplicationErrorCategory.BENIGN,
            ) from fault
        except TooLarge as fault:
            if job.kind is Work.TURN:
                raise _too_large(str(fault)) from fault
            raise _final(Failure("PayloadSizeExceeded", str(fault))) from fault

    async def _past(self, order: TurnOrder) -> Past:
        """Return the history before a turn: from memory, or else from the workflow itself."""
        known = past.find(order.run_id, order.generation, order.past_length)
        if known is not None:
            return known
        run: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(
            order.instance_id, run_id=order.run_id
        )
        known = Past()
        while len(known) < order.past_length:
            page: bytes = await run.query(names.HISTORY, len(known), result_type=bytes)
            events = StoredEvents.FromString(page).events
            if not events:
                raise ApplicationError("the workflow has less history than its turn asks for")
            known.extend(events)
        return known


class RunActivities:
    """What a run does about itself, whether or not a worker is there."""

    def __init__(self, client: Client) -> None:
        """Ask the cluster through `client`."""
        self._client = client

    @activity.defn(name=names.END_RUN)
    async def end_run(self, output: RawValue) -> None:
        """Have Temporal terminate the run that this is a step of, with its output as details."""
        info = activity.info()
        run: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(
            info.workflow_id or "", run_id=info.workflow_run_id
        )
        details = [] if text_of(output.payload) is None else [output]
        try:
            await run.terminate(*details, reason=names.TERMINATED_REASON)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


@asynccontextmanager
async def _heartbeats() -> AsyncIterator[None]:
    """Let Temporal know that this activity goes on, and learn from it when nobody wants it."""
    beating = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beating.cancel()


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_EVERY_S)


def _final(failure: AnyFailure) -> ApplicationError:
    return temporals_failure(failure, category=ApplicationErrorCategory.BENIGN)


def _too_large(text: str) -> ApplicationError:
    return ApplicationError(text, type=names.TOO_LARGE, non_retryable=True)
