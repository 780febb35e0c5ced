"""Temporal's workers of this process: one for each app's workflows, and one for its activities.

Workflows are always polled for, since a terminate or a signal needs no worker of an SDK. The
activities of an app, its turns among them, are polled for while one of its workers is connected
here: otherwise a bridge without workers would hold work that another one could have done.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from perdure.base.observer import Observer
from perdure.bridge.activities import AppActivities, RunActivities
from perdure.bridge.desk import Desk
from perdure.bridge.envelope import queue_of
from perdure.bridge.lone_activity import LoneActivity
from perdure.bridge.settings import BridgeSettings
from perdure.bridge.workflow import DaprWorkflow

# What a worker has is taken back before its poller stops; its answers are let through.
_STOP_GRACE: Final = timedelta(seconds=5)
# How much of each kind one process takes from Temporal; workers take less at a time.
_ACTIVITIES_MAX: Final = 1_000
_WORKFLOW_TASKS_MAX: Final = 100
_AGAIN_AFTER_S: Final = 5.0


@dataclass(slots=True)
class _Queue:
    """A task queue, and the apps whose work is in it: one, or all if they share one."""

    name: str
    app_ids: list[str]
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)


class Polling:
    """Polls the task queues of the apps whose workers come here."""

    def __init__(
        self, settings: BridgeSettings, client: Client, desk: Desk, observer: Observer
    ) -> None:
        """Poll through `client` for what workers at `desk` can do."""
        self._settings = settings
        self._client = client
        self._desk = desk
        self._observer = observer
        self._queues: dict[str, _Queue] = {}
        self._stopping = asyncio.Event()
        desk.on_workers = self._workers_changed

    def start(self) -> None:
        """Poll for the workflows of this bridge's own app."""
        self._queue_of(self._settings.app_id)

    async def stop(self) -> None:
        """Poll no more, and let what is under way be answered."""
        self._stopping.set()
        for queue in self._queues.values():
            queue.changed.set()
            for app_id in queue.app_ids:
                self._desk.give_back(app_id)
        await asyncio.gather(*(task for queue in self._queues.values() for task in queue.tasks))

    def _workers_changed(self, app_id: str) -> None:
        if not self._stopping.is_set():
            self._queue_of(app_id).changed.set()

    def _queue_of(self, app_id: str) -> _Queue:
        name = queue_of(self._settings.queues, app_id)
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = _Queue(name, [app_id])
            queue.tasks.append(asyncio.create_task(self._poll_workflows(queue)))
            queue.tasks.append(asyncio.create_task(self._poll_activities(queue)))
        elif app_id not in queue.app_ids:
            queue.app_ids.append(app_id)
        return queue

    def _has_workers(self, queue: _Queue) -> bool:
        return any(self._desk.has_workers(app_id) for app_id in queue.app_ids)

    async def _poll_workflows(self, queue: _Queue) -> None:
        while not self._stopping.is_set():
            await self._run(partial(self._for_workflows, queue), self._stopping)

    async def _poll_activities(self, queue: _Queue) -> None:
        """Poll for as long as workers are there; in between, wait for some to come."""
        while not self._stopping.is_set():
            queue.changed.clear()
            if self._has_workers(queue):
                await self._poll_while_workers(queue)
            else:
                await queue.changed.wait()

    async def _poll_while_workers(self, queue: _Queue) -> None:
        nobody_left = asyncio.Event()
        watching = asyncio.create_task(self._watch(queue, nobody_left))
        try:
            await self._run(partial(self._for_activities, queue), nobody_left)
        finally:
            watching.cancel()

    async def _watch(self, queue: _Queue, nobody_left: asyncio.Event) -> None:
        while self._has_workers(queue) and not self._stopping.is_set():
            queue.changed.clear()
            await queue.changed.wait()
        nobody_left.set()

    def _for_workflows(self, queue: _Queue) -> Worker:
        return Worker(
            self._client,
            task_queue=queue.name,
            workflows=[DaprWorkflow, LoneActivity],
            activities=[RunActivities(self._client).end_run],
            # The workflow's code is ours and reads nothing from outside (see the decision):
            # the sandbox would load the whole package again for every instance.
            workflow_runner=UnsandboxedWorkflowRunner(),
            no_remote_activities=True,
            max_concurrent_workflow_tasks=_WORKFLOW_TASKS_MAX,
        )

    def _for_activities(self, queue: _Queue) -> Worker:
        most_bytes = self._settings.message_bytes_max
        activities = AppActivities(self._desk, self._client, queue.app_ids[0], most_bytes)
        return Worker(
            self._client,
            task_queue=queue.name,
            activities=[
                activities.turn,
                activities.task,
                activities.await_worker,
                activities.await_child,
            ],
            max_concurrent_activities=_ACTIVITIES_MAX,
            graceful_shutdown_timeout=_STOP_GRACE,
        )

    async def _run(self, make: Callable[[], Worker], end: asyncio.Event) -> None:
        """Run a worker until `end` is set; one that fails is replaced after a while."""
        try:
            await _run_until(make(), end)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told and tried again
            self._observer.fault("polling the Temporal cluster", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN_AFTER_S):
                    await end.wait()


async def _run_until(worker: Worker, end: asyncio.Event) -> None:
    running = asyncio.create_task(worker.run())
    ending = asyncio.create_task(end.wait())
    await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if not running.done():
        await worker.shutdown()
    await running
