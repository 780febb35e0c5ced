"""Tasks: what workflow code waits for. A generator yields them, a coroutine awaits them.

A task completes once, and then tells those who look at it, in the order in which they came. Those
are the tasks made of it and the strand of code that waits; the latter goes on once the event that
completed the task is dealt with (`authoring.strands`). All of it follows from the order of events
alone, so that a replay does the same.
"""

from collections.abc import Callable, Coroutine, Generator, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

T = TypeVar("T")

Watcher: TypeAlias = "Callable[[AnyTask], None]"
# What calling the function of a workflow gives: a coroutine, or a generator.
Awaiting: TypeAlias = Coroutine[Any, Any, T]
Yielding: TypeAlias = Generator[Any, Any, T]
_NOTHING: Final = object()


class Task(Generic[T]):
    """Something that a workflow can wait for, and its outcome once it is there."""

    __slots__ = ("_complete", "_exception", "_others", "_result", "_watcher")

    def __init__(self) -> None:
        """Begin incomplete."""
        self._complete = False
        self._exception: BaseException | None = None
        self._result: object = _NOTHING
        # Nearly all have one watcher at most; a list for each would double the size of a task.
        self._watcher: Watcher | None = None
        self._others: list[Watcher] | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it has ended, well or not."""
        return self._complete

    @property
    def is_failed(self) -> bool:
        """Whether it has ended in a failure."""
        return self._exception is not None

    def get_result(self) -> T:
        """Return its result.

        Raises what it failed with, or ValueError if it has not completed.
        """
        if not self._complete:
            raise ValueError("The task has not completed.")
        if self._exception is not None:
            raise self._exception
        return cast("T", self._result)

    def get_exception(self) -> BaseException:
        """Return what it failed with. Raises ValueError if it has not failed."""
        if self._exception is None:
            raise ValueError("The task has not failed.")
        return self._exception

    def __await__(self) -> Generator[object, None, T]:
        """Wait for it in a coroutine, and return its result or raise its failure."""
        if not self._complete:
            yield self
        return self.get_result()

    def watch(self, watcher: Watcher) -> None:
        """Have the watcher called with this task when it completes; at once if it has."""
        if self._complete:
            watcher(self)
        elif self._watcher is None:
            self._watcher = watcher
        elif self._others is None:
            self._others = [watcher]
        else:
            self._others.append(watcher)

    def succeed(self, result: object) -> None:
        """End it well. What has ended stays as it is."""
        if not self._complete:
            self._result = result
            self._end()

    def fail(self, error: BaseException) -> None:
        """End it in a failure. What has ended stays as it is."""
        if not self._complete:
            self._exception = error
            self._end()

    def _end(self) -> None:
        self._complete = True
        watcher, self._watcher = self._watcher, None
        others, self._others = self._others, None
        if watcher is not None:
            watcher(self)
        for each in others or ():
            each(self)


AnyTask: TypeAlias = Task[Any]


class CompositeTask(Task[T]):
    """A task made of others."""

    __slots__ = ("_tasks",)

    def __init__(self, tasks: Iterable[AnyTask]) -> None:
        """Look at the tasks; those that have ended count at once."""
        super().__init__()
        self._tasks = list(tasks)
        for task in self._tasks:
            task.watch(self._on_ended)

    def get_tasks(self) -> list[AnyTask]:
        """Return the tasks that it is made of, in their order."""
        return self._tasks

    def _on_ended(self, task: "AnyTask") -> None:
        """Take note that one of them has ended."""
        raise AssertionError(f"a composite says what it makes of {task}")


class WhenAllTask(CompositeTask[list[T]]):
    """Completes when all its tasks have; with the first failure, if there was one."""

    __slots__ = ("_ended", "_first_failure")

    def __init__(self, tasks: Iterable[Task[T]]) -> None:
        """Look at the tasks; of none at all, the result is there at once."""
        self._ended = 0
        self._first_failure: BaseException | None = None
        super().__init__(tasks)
        if not self._tasks:
            self.succeed([])

    def get_completed_tasks(self) -> int:
        """Return how many of its tasks have ended."""
        return self._ended

    def _on_ended(self, task: "AnyTask") -> None:
        self._ended += 1
        if task.is_failed and self._first_failure is None:
            self._first_failure = task.get_exception()
        if self._ended < len(self._tasks):
            return
        if self._first_failure is not None:
            self.fail(self._first_failure)
        else:
            self.succeed([one.get_result() for one in self._tasks])


class WhenAnyTask(CompositeTask[AnyTask]):
    """Completes with the first of its tasks that ends, well or not."""

    __slots__ = ()

    def __init__(self, tasks: Iterable[AnyTask]) -> None:
        """Look at the tasks; of none at all, the result is an empty list at once."""
        super().__init__(tasks)
        if not self._tasks:
            self.succeed([])

    def _on_ended(self, task: "AnyTask") -> None:
        self.succeed(task)


class EventTask(CompositeTask[T]):
    """The wait for an external event beside the timer that bounds it."""

    __slots__ = ("_event", "_forget", "_late")

    def __init__(
        self,
        event: Task[T],
        timer: Task[None],
        late: tuple[str, datetime | timedelta],
        forget: Callable[[], None],
    ) -> None:
        """Look at both. When the timer wins, `forget` takes the wait back.

        Then TimeoutError is raised, with the event's name and time-out, which are `late`.
        """
        self._event = event
        self._late = late
        self._forget = forget
        super().__init__((event, timer))

    def _on_ended(self, task: "AnyTask") -> None:
        if self.is_complete:
            return
        if task is not self._event:
            self._forget()
            self.fail(timed_out(*self._late))
        elif task.is_failed:
            self.fail(task.get_exception())
        else:
            self.succeed(task.get_result())


def when_all(tasks: list[Task[T]]) -> WhenAllTask[T]:
    """Return a task that completes once all of the tasks have, with the list of their results.

    If any of them fails, it fails with the first failure, once all have ended.
    """
    return WhenAllTask(tasks)


def when_any(tasks: list[AnyTask]) -> WhenAnyTask:
    """Return a task that completes with the first of the tasks that ends, well or not."""
    return WhenAnyTask(tasks)


def timed_out(name: str, timeout: datetime | timedelta) -> TimeoutError:
    """Return what is raised of a wait for an event that did not come in time."""
    return TimeoutError(f"Timed out after {timeout!r} waiting for external event {name!r}")
