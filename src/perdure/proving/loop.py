"""An event loop on one thread whose time stands still while anything runs.

Theory of operation. What is ready runs first in, first out; when nothing is, time jumps to the
next thing that was to be called later. Nothing waits for real, no thread is started, and what an
executor was to do is done here, a simulated while later. So a run follows from its inputs alone.

Whatever is called belongs to a *home*: the process that it is a part of. A home that has died is
called no more, in the middle of whatever it did, as a process that was killed.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final, TypeAlias

from perdure.base.time import SECOND_US
from perdure.proving.foreign import is_foreign
from perdure.proving.nesting import running

Callback: TypeAlias = Callable[..., object]
AnyFuture: TypeAlias = asyncio.Future[Any]
AnyTask: TypeAlias = asyncio.Task[Any]
Delays = Callable[[], tuple[int, int]]


@dataclass(slots=True, eq=False)
class Home:
    """A simulated process. What is called in its context is called only while it lives."""

    name: str
    alive: bool = True
    reads: int = 0  # under way
    stopped_until_us: int = 0  # it does nothing before, and knows nothing of that
    tasks: list[AnyTask] = field(default_factory=list)

    def read_is_over(self, _: AnyFuture) -> None:
        self.reads -= 1


HOME: Final[ContextVar[Home | None]] = ContextVar("HOME", default=None)


class _Called(asyncio.TimerHandle):
    """Something to be called, now or later."""

    def __init__(
        self,
        when: float,
        call: tuple[Callback, tuple[object, ...]],
        loop: "SimLoop",
        context: Context,
    ) -> None:
        callback, args = call
        super().__init__(when, callback, args, loop, context)
        self.home = context.get(HOME)


class SimLoop(asyncio.BaseEventLoop):
    """The loop of one run. `delays` draws how long a read takes to begin and to come back."""

    def __init__(self, delays: Delays) -> None:
        """Begin at time 0."""
        self._shut = False
        self.now_us = 0
        self.calls = 0
        self.homes: list[Home] = []
        self.cut_off = 0  # last words of the dead, which nobody heard
        self.on_fault: Callable[[Home | None, BaseException], None] = _raise
        self._delays = delays
        self._outside = copy_context()
        assert HOME not in self._outside or self._outside[HOME] is None, "a loop is in no home"
        self._soon: deque[_Called] = deque()
        self._later: list[tuple[int, int, _Called]] = []
        self._count = 0
        self._called_of: Home | None = None
        self._interruption: BaseException | None = None
        super().__init__()
        self._soon.clear()

    # ---- running

    def run_until(self, over: Callable[[], bool], limit_us: int) -> bool:
        """Run until `over`, or until there is nothing to do before the limit; tell which."""
        with running(self):
            while not over():
                if not self._soon and not self._jump(limit_us):
                    return over()
                self._run_one(self._soon.popleft())
                if self._interruption is not None:
                    raise self._interruption
            return True

    def interrupt(self, error: BaseException) -> None:
        """End the run with an error that is nobody's in it."""
        self._interruption = error

    def _jump(self, limit_us: int) -> bool:
        """Let time pass until something is to be called; False if nothing is before the limit."""
        while self._later:
            when_us, _, called = self._later[0]
            if when_us > limit_us:
                break
            heappop(self._later)
            if not called.cancelled() and _lives(called):
                self.now_us = max(self.now_us, when_us)
                self._soon.append(called)
                return True
        self.now_us = max(self.now_us, limit_us)
        return False

    def skip(self, until_us: int) -> None:
        """Let time pass at once: what was to be called before then is called then."""
        self.now_us = max(self.now_us, until_us)

    def _run_one(self, called: _Called) -> None:
        if not called.cancelled() and _lives(called):
            if (home := called.home) is not None and home.stopped_until_us > self.now_us:
                self._count += 1
                heappush(self._later, (home.stopped_until_us, self._count, called))
                return
            self.calls += 1
            self._called_of = home
            called._run()  # noqa: SLF001 - this is what a loop does with its handles

    @property
    def quiet(self) -> bool:
        """Whether nothing is to be called before time passes."""
        return not self._soon

    def close(self) -> None:
        """Call nothing any more, and let go of whatever was cut off."""
        if self._shut:
            return
        self._shut = True
        self._soon.clear()
        self._later.clear()
        with running(self):
            for home in self.homes:
                home.alive = False
                self._bury(home)

    def _bury(self, home: Home) -> None:
        """End what a home was doing; what that makes it do last comes to nothing."""
        for task in home.tasks:
            work = task.get_coro()
            if not task.done() and isinstance(work, Coroutine):
                # That it never came to its end is meant.
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - so
                try:
                    work.close()
                except Exception:  # noqa: BLE001 - the dead are in the middle of anything
                    self.cut_off += 1
        home.tasks.clear()

    # ---- what asyncio asks of a loop

    def time(self) -> float:
        return self.now_us / SECOND_US

    def call_soon(
        self, callback: Callback, *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        called = self._called(self.now_us, callback, args, context)
        if not self._shut:
            self._soon.append(called)
        return called

    call_soon_threadsafe = call_soon

    def call_later(
        self,
        delay: float,
        callback: Callback,
        *args: object,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_in(round(delay * SECOND_US), callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callback,
        *args: object,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_later(when - self.time(), callback, *args, context=context)

    def call_in(
        self,
        delay_us: int,
        callback: Callback,
        *args: object,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call something after whole microseconds."""
        when_us = self.now_us + max(0, delay_us)
        called = self._called(when_us, callback, args, context)
        if not self._shut:
            self._count += 1
            heappush(self._later, (when_us, self._count, called))
        return called

    def outside(self, delay_us: int, callback: Callback, *args: object) -> None:
        """Call something after whole microseconds that belongs to no home, whoever asks for it."""
        self.call_in(delay_us, callback, *args, context=self._outside)

    def _called(
        self, when_us: int, callback: Callback, args: tuple[object, ...], context: Context | None
    ) -> _Called:
        # An empty context is false, and yet it is one.
        context = copy_context() if context is None else context
        return _Called(when_us / SECOND_US, (callback, args), self, context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Keep it: it is passed over when its time comes."""

    def create_future(self) -> AnyFuture:
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]  # what it makes belongs to a home
        self,
        coro: Coroutine[Any, Any, Any],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> AnyTask:
        if self._shut:
            coro.close()
            nothing = self.create_future()
            nothing.cancel()
            return nothing  # type: ignore[return-value]  # whoever asked is gone
        home = (context.get(HOME) if context is not None else HOME.get()) or None
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        if home is not None:
            # Held, so that what was cut off by a death is not taken up again by the collector.
            home.tasks.append(task)
            if len(home.tasks) % 256 == 0:
                home.tasks = [each for each in home.tasks if not each.done()]
        return task

    def run_in_executor(self, executor: object, func: Callback, *args: object) -> AnyFuture:
        """Do something that may block: it is done after a while, and told after another."""
        del executor
        before_us, after_us = self._delays()
        future = self.create_future()
        home = HOME.get()
        if home is not None:
            home.reads += 1
            future.add_done_callback(home.read_is_over)

        def run() -> None:
            try:
                answer = func(*args)
            except Exception as error:  # noqa: BLE001 - told to whoever asked
                self.call_in(after_us, _fail, future, error)
            else:
                self.call_in(after_us, _fulfil, future, answer)

        self.call_in(before_us, run)
        return future

    def is_running(self) -> bool:
        return not self._shut

    def is_closed(self) -> bool:
        return self._shut

    def get_debug(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if self._shut or not isinstance(error, BaseException):
            return
        if is_foreign(error):
            self.interrupt(error)
        else:
            self.on_fault(self._called_of, error)


def _lives(called: _Called) -> bool:
    return called.home is None or called.home.alive


def _fulfil(future: AnyFuture, answer: object) -> None:
    if not future.done():
        future.set_result(answer)


def _fail(future: AnyFuture, error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _raise(home: Home | None, error: BaseException) -> None:
    del home
    raise error
