"""Strands of workflow code: generators and coroutines, advanced whenever their task is there.

Most workflows have one strand. A coroutine that is given to a join (`authoring.joins`) becomes a
strand of its own. Strands that may go on do so one after the other, in the order in which their
tasks completed: no clock and no chance is in it.

While a coroutine runs, a loop that refuses everything (`WorkflowLoop`) stands in for asyncio's, so
that awaiting something foreign is refused at the line that does it, with a loop or without one.
"""

import asyncio
import inspect
import logging
import sys
from asyncio import events as loops
from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

from perdure.authoring.divergence import NOT_OF_THE_CODE
from perdure.authoring.foreign import explained, foreign, no_task, place_of, refusal
from perdure.authoring.tasks import AnyTask, Awaiting, Task, Yielding

T = TypeVar("T")
_log = logging.getLogger(__name__)

Steps: TypeAlias = Yielding[T] | Awaiting[T]
Delay: TypeAlias = float | timedelta | datetime  # a number is in seconds
AnyStrand: TypeAlias = "Strand[Any]"

# How many strands a workflow may have at once.
STRANDS_MAX: Final = 100_000
# How many waits in its `finally` code that is wanted no more may have.
_CLOSES_MAX: Final = 16


class WorkflowLoop(asyncio.AbstractEventLoop):
    """Stands where asyncio looks for its loop while workflow code runs, and refuses all of it."""

    __slots__ = ("let_go", "open", "ready", "stopped", "timer")

    def __init__(self, timer: Callable[[Delay], Task[None]]) -> None:
        """Begin with no strand; `timer` sets a durable timer of the workflow."""
        self.timer = timer
        self.ready: list[AnyStrand] = []  # an empty deque would take 700 bytes
        self.open: dict[AnyStrand, None] = {}
        self.stopped = self.let_go = False

    def get_debug(self) -> bool:
        """Answer what asyncio asks before it makes anything."""
        return False

    def is_running(self) -> bool:
        """Answer what asyncio asks before it makes anything."""
        return True

    def is_closed(self) -> bool:
        """Answer what asyncio asks before it makes anything."""
        return False

    def close_strands(self) -> None:
        """End all code where it waits. What it does in its `finally` is not wanted any more."""
        self.stopped = self.let_go = True
        strands, self.open = self.open, {}
        for strand in strands:
            # Code that waits in its `finally`, as it may, is closed once for each wait: what is
            # left open Python closes in the end, and complains about on the standard error.
            for _ in range(_CLOSES_MAX):
                try:
                    strand.steps.close()
                    break
                except NOT_OF_THE_CODE:
                    raise
                except BaseException:  # noqa: BLE001 - the code is wanted no more, nor what it says
                    _log.debug("workflow code did not end quietly", exc_info=True)


def _refuse(_loop: WorkflowLoop, *arguments: object, **_options: object) -> NoReturn:
    for one in arguments:
        if inspect.iscoroutine(one):
            one.close()  # it will never be awaited, and need not say so
    raise foreign(sys._getframe(1))  # noqa: SLF001 - there is no other way to a line number


for _name in vars(asyncio.AbstractEventLoop):
    if not _name.startswith("_") and _name not in vars(WorkflowLoop):
        setattr(WorkflowLoop, _name, _refuse)
WorkflowLoop.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]  # all is there now


class Strand(Task[T]):
    """A generator or coroutine that is advanced until it returns; then it is complete."""

    __slots__ = ("_awaited", "_cancelled", "_is_coroutine", "_loop", "_queued", "steps")

    def __init__(self, loop: WorkflowLoop, steps: Steps[T]) -> None:
        """Begin ready: it runs up to its first wait when its turn comes."""
        super().__init__()
        if len(loop.open) >= STRANDS_MAX:
            raise ValueError(f"a workflow may have {STRANDS_MAX} strands at once")
        loop.open[self] = None
        self._loop = loop
        self.steps = steps
        self._is_coroutine = not isinstance(steps, Generator)
        self._awaited: AnyTask | None = None
        self._cancelled = False
        self._queued = True
        loop.ready.append(self)

    def cancel(self) -> bool:
        """Have CancelledError raised where it waits. Tells whether it had not ended yet."""
        if self.is_complete:
            return False
        self._cancelled = True
        self._wake(self)
        return True

    def _wake(self, task: AnyTask) -> None:
        # A task that it has stopped waiting for, because it was cancelled, wakes nobody.
        if (task is self._awaited or task is self) and not self._queued and not self.is_complete:
            self._queued = True
            self._loop.ready.append(self)

    def advance(self) -> None:
        """Run up to the next task that is not there yet, or to the end."""
        self._queued = False
        try:
            awaited = self._next(self._awaited)
            while awaited.is_complete:
                awaited = self._next(awaited)
        except StopIteration as stop:
            del self._loop.open[self]
            self.succeed(stop.value)
        except NOT_OF_THE_CODE:
            raise
        except BaseException as error:  # noqa: BLE001 - as NOT_OF_THE_CODE says
            del self._loop.open[self]
            self.fail(explained(error))
        else:
            self._awaited = awaited
            awaited.watch(self._wake)

    def _next(self, awaited: AnyTask | None) -> AnyTask:
        steps = self.steps
        if self._cancelled:
            self._cancelled = False
            found = steps.throw(asyncio.CancelledError())
        elif self._is_coroutine or awaited is None:
            found = steps.send(None)
        elif awaited.is_failed:
            found = steps.throw(awaited.get_exception())
        else:
            found = steps.send(awaited.get_result())
        return found if isinstance(found, Task) else self._refused(found)

    def _refused(self, found: object) -> AnyTask:
        if isinstance(found, asyncio.Future):
            found.cancel()
        if not self._is_coroutine:
            raise TypeError(
                "The orchestrator generator yielded a non-Task object: "
                f"{type(found).__name__}; yield what a method of the context returns"
            )
        place = place_of(self.steps)
        called = "sleep" if found is None else ""
        what = "asyncio.sleep(0)" if found is None else no_task(found)
        refused = refusal(what, called, place)
        again = self.steps.throw(refused)
        # Whoever catches the refusal may go on with a task of its own, but not with another one.
        return again if isinstance(again, Task) else self._refused(again)


def run_ready(loop: WorkflowLoop) -> None:
    """Advance strands until none can go on."""
    outer = loops._get_running_loop()  # noqa: SLF001 - asyncio offers it to those who write loops
    loops._set_running_loop(loop)  # noqa: SLF001 - as above
    try:
        while loop.ready and not loop.stopped:
            strands, loop.ready = loop.ready, []
            for strand in strands:
                if not (loop.stopped or strand.is_complete):
                    strand.advance()
    finally:
        loops._set_running_loop(outer)  # noqa: SLF001 - as above


def running() -> WorkflowLoop:
    """Return the loop of the workflow whose code is running.

    Raises RuntimeError outside of a workflow.
    """
    loop = loops._get_running_loop()  # noqa: SLF001 - it raises nothing where there is none
    if not isinstance(loop, WorkflowLoop):
        raise RuntimeError("this can only be used within a workflow")  # noqa: TRY004 - it is a place
    return loop


def as_task(loop: WorkflowLoop, awaited: Task[T] | Awaiting[T]) -> Task[T]:
    """Return a task as it is, and a coroutine as a strand of its own.

    Raises ForeignAwaitable for anything else.
    """
    if isinstance(awaited, Task):
        return awaited
    if inspect.iscoroutine(awaited):
        return Strand(loop, awaited)
    raise refusal(no_task(awaited), "")
