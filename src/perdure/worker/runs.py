"""A call under way: who is to be told, what it has been told, and how long it takes."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from perdure.authoring.activities import Activity, ActivityContext
from perdure.base.errors import PerdureError
from perdure.worker.calls import ActivityCall, Outcome, history_of
from perdure.worker.gates import Gate
from perdure.worker.threads import Job

Done = Callable[[Outcome], None]


class ActivityCancelled(PerdureError):
    """The activity's result is wanted by nobody any more: it may stop."""


class Run:
    """One run of an activity. What the activity asks of its context may come from any thread."""

    __slots__ = (
        "activity",
        "beat_s",
        "begun_s",
        "call",
        "cancelled_because",
        "context",
        "done",
        "gates",
        "job",
        "on_loop",
        "over",
        "task",
        "timers",
    )

    def __init__(
        self, activity: Activity, call: ActivityCall, done: Done, *, on_loop: bool
    ) -> None:
        self.activity = activity
        self.on_loop = on_loop  # it is a coroutine there, and not a job elsewhere
        self.call = call
        self.done = done
        scheduled = call.scheduled
        self.context = ActivityContext(
            call.instance_id,
            scheduled.event_id,
            scheduled.execution_id,
            history_of(call.propagated),
        )
        self.context.wire(self._heartbeat, self._is_cancelled)
        self.over = False  # `done` has been told
        self.cancelled_because: str | None = None
        # By the monotonic clock; None before it has really begun.
        self.begun_s: float | None = None
        self.beat_s: float | None = None
        self.gates: tuple[Gate, ...] = ()  # in which it has a place
        self.task: asyncio.Task[Any] | None = None
        self.job: Job[Outcome] | None = None
        self.timers: tuple[asyncio.TimerHandle, ...] = ()

    def begin(self) -> None:
        """Note that it begins to run."""
        self.begun_s = self.beat_s = time.monotonic()

    def beat(self) -> None:
        """Note a sign of life."""
        self.beat_s = time.monotonic()

    def cancel(self, why: str) -> None:
        """Let the activity know that it may stop; the first reason stays."""
        self.cancelled_because = self.cancelled_because or why

    def ended(self) -> None:
        """Let go of what refers to it, too, or the garbage collector would have to find it."""
        del self.context
        self.task = self.job = None

    def _heartbeat(self, _details: object) -> None:
        self.beat()
        if self.cancelled_because is not None:
            raise ActivityCancelled(self.cancelled_because)

    def _is_cancelled(self) -> bool:
        return self.cancelled_because is not None
