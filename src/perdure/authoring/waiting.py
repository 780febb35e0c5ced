"""The part of a workflow's context that waits: for events, and for a while."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar, overload

from perdure.authoring.determinism import Determinism
from perdure.authoring.divergence import EVENT_TIMER
from perdure.authoring.run import OpenStep, Waits
from perdure.authoring.taking import text_field
from perdure.authoring.tasks import EventTask, Task
from perdure.base.time import LATEST_US

T = TypeVar("T")

_NO_TIME: Final = timedelta(0)


class Waiting(Determinism):
    """Durable timers and external events."""

    __slots__ = ()

    def create_timer(self, fire_at: datetime | timedelta) -> Task[None]:
        """Return a durable timer: after a while, or at a moment (in UTC if it names no zone)."""
        return self._run.sleep(fire_at)

    def sleep(self, delay: float | timedelta) -> Task[None]:
        """Return a durable timer of so many seconds."""
        return self._run.sleep(delay)

    @overload
    def wait_for_external_event(
        self, name: str, *, timeout: datetime | timedelta | None = None, data_type: None = None
    ) -> Task[Any]: ...
    @overload
    def wait_for_external_event(
        self, name: str, *, timeout: datetime | timedelta | None = None, data_type: type[T]
    ) -> Task[T]: ...
    def wait_for_external_event(
        self,
        name: str,
        *,
        timeout: datetime | timedelta | None = None,
        data_type: type[Any] | None = None,
    ) -> Task[Any]:
        """Return the task of the next event of a name, whose case does not matter.

        After the timeout it fails with TimeoutError; with none, or a negative one, it waits for
        ever; with `timedelta(0)` it takes only what has come already. With a `data_type` what the
        event carries is made into it. Raises TypeError or ValueError for a name that no event has.
        """
        if not isinstance(name, str):
            raise TypeError(f"an event is waited for by its name, which is text, not {name!r}")
        if not name:
            raise ValueError("an event is waited for by its name, and '' is none")
        run, folded = self._run, name.casefold()
        step = OpenStep(Task(), data_type)
        waiting = run.received.get(folded)
        if waiting:
            _, event = waiting.popleft()
            if not waiting:
                del run.received[folded]
            run.settle(step, event.input)
            return step.task
        if timeout == _NO_TIME:
            text = f"Wait for external event {name!r} canceled immediately due to zero timeout"
            step.task.fail(TimeoutError(text))
            return step.task
        run.waits.setdefault(folded, []).append(step)
        endless = timeout is None or (isinstance(timeout, timedelta) and timeout < _NO_TIME)
        due_us = LATEST_US if endless or timeout is None else run.moment_us(timeout)
        timer = run.timer(due_us, EVENT_TIMER, text_field(name), awaited=name)
        late = (name, timedelta.max if timeout is None else timeout)
        return EventTask(step.task, timer.task, late, partial(_forget, run.waits, folded, step))


def _forget(waits: Waits, name: str, step: OpenStep) -> None:
    """Take a wait back that is over."""
    waiting = waits.get(name)
    if waiting is not None and step in waiting:
        waiting.remove(step)
        if not waiting:
            del waits[name]
