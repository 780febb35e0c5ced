"""What a run has to have done before it may end, and what all its effects share."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RawValue

from perdure.bridge.envelope import queue_of
from perdure.bridge.instance import Instance
from perdure.bridge.options import MESSAGES_BYTES_MAX
from perdure.core.events import Event

Deliver = Callable[[Event, int], None]
Steps = Coroutine[Any, Any, None]

# What is sent to Temporal in one piece has to stay below its limit on messages.
_PAUSE_S: Final = 0.001


class Errands:
    """The brief steps under way, and the way to the task queues of the apps."""

    def __init__(self, instance: Instance, queues: str, deliver: Deliver) -> None:
        """Run errands for `instance`; `deliver` takes what comes of its effects."""
        self.instance = instance
        self.queues = queues
        self.deliver = deliver
        self._brief: set[asyncio.Task[None]] = set()
        self._sent_bytes = 0

    @property
    def are_under_way(self) -> bool:
        """Whether a step is not yet done."""
        return bool(self._brief)

    def run(self, steps: Steps) -> None:
        """Begin steps that end by themselves; the run does not end before they have."""
        keep(self._brief, steps)

    async def settle(self) -> None:
        """Return once what was begun would outlive this run: births are done, messages sent."""
        while self._brief:
            await workflow.wait(list(self._brief))

    async def make_room(self, arguments: Iterable[RawValue]) -> None:
        """Let what was begun go to Temporal first, if all together were too large for a message."""
        size_bytes = sum(len(each.payload.data) for each in arguments)
        self._sent_bytes += size_bytes
        if self._sent_bytes > MESSAGES_BYTES_MAX:
            self._sent_bytes = size_bytes
            await workflow.sleep(_PAUSE_S)

    def queue_of(self, app_id: str) -> str:
        """Return the task queue of an app."""
        if app_id == self.instance.app_id:
            return workflow.info().task_queue
        return queue_of(self.queues, app_id)


def keep(tasks: "set[asyncio.Task[None]]", steps: Steps) -> None:
    """Begin steps, and let `tasks` hold them until they are done."""
    task = asyncio.create_task(steps)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
