"""Activities: handed out once their cause is on disk, and ended by the first result that lands.

A result counts if its token is the present hand-out's, or if it carries none. The activity's
row is what makes it count once: a result whose row is gone finds nothing. An activity is
handed out again only after its stream has ended or the process was restarted; each hand-out is
noted in its row.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from perdure.base.limits import (
    TURN_RETRY_FIRST_US,
    TURN_RETRY_LONGEST_US,
    WORK_ITEM_PERCENT_MAX,
)
from perdure.base.observer import WORKER_GONE
from perdure.base.time import SECOND_US
from perdure.core.events import Failure, TaskFailed
from perdure.engine.dispatcher import Dispatcher, Work, WorkStream
from perdure.engine.early import pass_on
from perdure.engine.errands import Errands, TaskDealings
from perdure.engine.ground import Ground
from perdure.engine.inboxes import Coming, Inboxes
from perdure.engine.local import LocalApp
from perdure.engine.queueing import Task, TaskOut, TaskQueues
from perdure.engine.reports import activity_of
from perdure.engine.residents import InboxItem
from perdure.engine.results import TaskResult, arrival_of, ending, result_of
from perdure.engine.slots import Slots
from perdure.engine.turns import Turns
from perdure.engine.work import Dialect
from perdure.store.port import Entry, HandOut, Outcome, Verdict
from perdure.wire.actions import parse_activity_answer
from perdure.wire.work_items import activity_item, activity_request


class Tasks:
    """Hands out activities and takes their results."""

    def __init__(
        self,
        ground: Ground,
        queues: TaskQueues,
        dispatcher: Dispatcher,
        inboxes: Inboxes,
        turns: Turns,
    ) -> None:
        """Stand between the queued activities and the workers; `on_room` is as that of `Turns`."""
        self.on_room: Callable[[str], None] = lambda app_id: None  # noqa: ARG005 - the signature
        self._settings = ground.settings
        self._clock = ground.clock
        self._observer = ground.observer
        self._landing = ground.landing
        self._owner = ground.owner
        self._crew = ground.crew
        self._queues = queues
        self._dispatcher = dispatcher
        self._inboxes = inboxes
        dealings = TaskDealings(
            self._went_out, self._land, self._landed, self._give_back, self._run_again
        )
        self.errands = Errands(ground, turns.local, dealings)
        self._together = turns.early.together
        settings = ground.settings
        self._slots = Slots(
            "activities", settings.activities_max, settings.activities_max_by_name, ground.owner
        )

    @property
    def outstanding(self) -> int:
        """How many activities are at workers."""
        return self._slots.total

    # ---- handing out

    def pump(self, app_id: str) -> None:
        """Hand out ready activities of an app for as long as its workers have room."""
        queue = self._queues.of(app_id)
        if not (len(queue) or self._queues.blocked) or not self._owner.may_hand_out():
            return
        while (len(queue) or self._queues.blocked) and not self._slots.refuses():
            stream = self._dispatcher.pick(app_id, Work.ACTIVITY)
            if stream is None:
                return
            popped = self._queues.blocked.take(app_id, self._slots.refuses_for) or queue.pop()
            if popped is None:
                return
            task = popped[1]
            if self._queues.must_wait(task):
                continue
            if self._slots.refuses_for(task.add.name):
                self._queues.block(task)
                continue
            if isinstance(stream, LocalApp):
                self.errands.begin(task, stream)
            else:
                self._hand_out(task, stream)

    def _hand_out(self, task: Task, stream: WorkStream) -> None:
        token = self._crew.fresh_id()
        microsoft = stream.dialect is not Dialect.DAPR
        request = activity_request(
            task.add.event, task.instance_id, task.add.propagated, microsoft=microsoft
        )
        item = activity_item(request, token)
        ratio = len(item) / self._settings.message_bytes_max
        subject = task.subject(self._settings.app_id)
        self._observer.payload_size(subject, activity=task.add.name, ratio=ratio)
        if ratio * 100 > WORK_ITEM_PERCENT_MAX:
            text = (
                f"activity '{task.add.name}::{task.add.task_id}' payload: "
                "activity payload exceeds max gRPC body size"
            )
            self._too_large(task, text)
            return
        now_us = self._clock.now_us()
        task.attempts += 1
        task.losses.size_bytes = len(item)
        out = TaskOut(task, stream, token, now_us)
        self._went_out(out)
        stream.send(Work.ACTIVITY, out, item)
        note = HandOut(task.add.generation, task.add.task_id, stream.profile.worker, now_us)
        self._landing.note(Entry(key=task.key, term=task.term, handed_out=(note,)))
        activity = activity_of(task.scheduled, task.add.app_id, task.attempts)
        waited_us = max(0, now_us - task.add.scheduled_at_us)
        self._observer.activity_handed_out(subject, activity, waited_us=waited_us)

    def _went_out(self, out: TaskOut) -> None:
        self._queues.went_out(out)
        self._slots.take(out.task.add.name)
        out.stream.held[Work.ACTIVITY].add(out)

    def _too_large(self, task: Task, text: str) -> None:
        """End an activity that no message can carry; the workflow is told, and may go on."""
        now_us = self._clock.now_us()
        failed = TaskFailed(
            at_us=now_us,
            task_id=task.add.task_id,
            failure=Failure("PayloadSizeExceeded", text),
            execution_id=task.scheduled.execution_id,
        )
        entry = ending(task, failed)
        coming = Coming(self._inboxes, task.key, entry.inbox[0], failed)
        self._landing.surely(entry, lambda outcome: self._ended(task, outcome, coming), _lost)

    # ---- what comes back

    async def complete(self, answer_bytes: bytes) -> None:
        """Land a worker's answer to an activity (see `engine.work.Workplace`)."""
        answer = parse_activity_answer(answer_bytes)
        out = self._queues.find_out(answer.instance_id, answer.task_id, answer.token)
        if out is None or out.landing:
            reason = "it is not outstanding" if out is None else "an answer is being landed"
            self._drop(answer.instance_id, reason)
            return
        if answer.token:
            out.stream.echoes_tokens = True
        if out.void:
            self._drop(answer.instance_id, "its instance is gone")
            self._release(out)
            return
        await self._take(out, result_of(answer, out.task, self._clock.now_us()))

    def _take(self, out: TaskOut, result: TaskResult) -> "asyncio.Future[Any]":
        """Land a result with the turn that it brings about, or by itself."""
        if not self._together.may_wait(out.stream):
            return self._land(out, result)
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def landed() -> None:
            self._landed(out, result)
            if not told.done():
                told.set_result(None)

        def alone(item: InboxItem) -> None:
            landing = self._land(out, result, item)
            landing.add_done_callback(lambda done: pass_on(done, told))

        out.landing = True
        arrival = arrival_of(out, result, landed, alone)
        if self._together.arrive(out.task.key, arrival, out.task.term, out.stream):
            return told
        return self._land(out, result)

    def _land(
        self, out: TaskOut, result: TaskResult, early: InboxItem | None = None
    ) -> "asyncio.Future[Outcome]":
        """Land a result by itself; `early` is its item if its turn is out already."""
        out.landing = True
        entry = ending(out.task, result, out.unnoted)

        def landed(outcome: Outcome) -> None:
            self._release(out)
            self._ended(out.task, outcome, coming)
            if outcome.verdict is Verdict.LANDED:
                self._report(out, result)

        def failed(error: BaseException) -> None:
            self._observer.fault("landing an activity's result", error)
            coming.lost()
            self._release(out)
            self._try_again_later(out.task)

        landing = self._together.timed(self._landing.surely(entry, landed, failed))
        if early is not None:
            coming = Coming(self._inboxes, out.task.key, entry.inbox[0], result, early)
        else:
            coming = self._inboxes.coming(out.task.key, entry.inbox[0], result)
        return landing

    # ---- of apps that are here

    def _landed(self, out: TaskOut, result: TaskResult) -> None:
        """Take note that a result has landed with the turn that takes it."""
        self._release(out)
        self._queues.ended(out.task)
        self._report(out, result)

    def _give_back(self, out: TaskOut, reason: str) -> None:
        self._drop(out.task.instance_id, reason)
        self._release(out)

    def _run_again(self, out: TaskOut) -> None:
        self._release(out)
        if not out.void:
            self._again(out.task)

    def _try_again_later(self, task: Task) -> None:
        """Run an activity again whose result could not be written at all, but not at once."""
        pause_us = min(TURN_RETRY_FIRST_US << min(task.attempts - 1, 32), TURN_RETRY_LONGEST_US)
        asyncio.get_running_loop().call_later(pause_us / SECOND_US, self._queues.push, task)

    def _ended(self, task: Task, outcome: Outcome, coming: Coming) -> None:
        self._queues.ended(task)
        if outcome.verdict is Verdict.LANDED:
            coming.landed(outcome.inbox_seqs[0])
        else:
            coming.lost()
            self._drop(task.instance_id, f"the activity is {outcome.verdict.name}")

    def _report(self, out: TaskOut, result: TaskResult) -> None:
        self._observer.activity_finished(
            out.task.subject(self._settings.app_id),
            activity_of(out.task.scheduled, out.task.add.app_id, out.task.attempts),
            failed=isinstance(result, TaskFailed),
            handed_out_at_us=out.handed_out_at_us,
            finished_at_us=result.at_us,
            span=out.task.span,
        )

    def _drop(self, instance_id: str, reason: str) -> None:
        self._observer.late_completion_dropped("activity", instance_id=instance_id, reason=reason)

    # ---- letting go

    def left(self, stream: WorkStream) -> None:
        """Hand out again what a stream that has ended still held."""
        for out in self._queues.all_out():
            if out.stream is not stream or out.landing:
                continue
            self._release(out)
            if out.void:
                continue
            activity = activity_of(out.task.scheduled, out.task.add.app_id, out.task.attempts)
            self._observer.activity_retried(
                out.task.subject(self._settings.app_id), activity, reason=WORKER_GONE
            )
            self._again(out.task)

    def _again(self, task: Task) -> None:
        losses = task.losses
        losses.count += 1
        if losses.drives_workers_away:
            self._too_large(task, losses.text)
        elif losses.pause_us:
            self._queues.rest(task)
            loop = asyncio.get_running_loop()
            loop.call_later(losses.pause_us / SECOND_US, self._queues.wake, task.task_key)
        else:
            self._queues.push(task, first=True)

    def _release(self, out: TaskOut) -> None:
        out.stream.release(Work.ACTIVITY, out)
        self._queues.came_back(out)
        was_full = self._slots.full()
        name = out.task.add.name
        self._slots.give(name)
        # A place under the limit of all apps is free for any of them.
        others = self._queues.apps() if was_full else self._queues.blocked.apps_of(name)
        for app_id in dict.fromkeys([out.stream.profile.app_id, *others]):
            self.on_room(app_id)


def _lost(error: BaseException) -> None:
    # `Landing` has reported it; after a restart the activity is found again in the store.
    del error
