"""Joins in the shape of asyncio's, for workflows that are coroutines: the order is the history's.

Each takes tasks (what the context's methods return) and coroutines. A coroutine becomes a strand
of its own, as with asyncio. They can be used within a workflow only, and raise RuntimeError
elsewhere; what is no task and no coroutine is refused with ForeignAwaitable.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeAlias, TypeVar, overload

from perdure.authoring.strands import Delay, Strand, as_task, running
from perdure.authoring.tasks import AnyTask, Awaiting, CompositeTask, Task, when_any

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

Awaited: TypeAlias = Task[T] | Awaiting[T]
Timeout: TypeAlias = Delay | None


class GatherTask(CompositeTask[list[Any]]):
    """What `gather` returns: done when all are, or at the first failure."""

    __slots__ = ("_left", "_with_exceptions")

    def __init__(self, tasks: Iterable[AnyTask], *, with_exceptions: bool) -> None:
        """Look at the tasks. With exceptions, a failure is a result as any other."""
        tasks = list(tasks)
        self._left = len(tasks)
        self._with_exceptions = with_exceptions
        super().__init__(tasks)
        if not tasks:
            self.succeed([])

    def _on_ended(self, task: AnyTask) -> None:
        self._left -= 1
        if task.is_failed and not self._with_exceptions:
            self.fail(task.get_exception())
        elif self._left == 0:
            self.succeed([_outcome(one) for one in self._tasks])

    def cancel(self) -> None:
        """Cancel the coroutines among what it waits for."""
        for task in self._tasks:
            if isinstance(task, Strand):
                task.cancel()


def _outcome(task: AnyTask) -> object:
    return task.get_exception() if task.is_failed else task.get_result()


# Two, three or four keep their types apart. A checker sees that more of one type fit them as well,
# and that the list they would get is no tuple: the first that fits is meant.
@overload
def gather(  # type: ignore[overload-overlap]
    first: Awaited[A], second: Awaited[B], /, *, return_exceptions: Literal[False] = False
) -> Task[tuple[A, B]]: ...
@overload
def gather(  # type: ignore[overload-overlap]
    first: Awaited[A],
    second: Awaited[B],
    third: Awaited[C],
    /,
    *,
    return_exceptions: Literal[False] = False,
) -> Task[tuple[A, B, C]]: ...
@overload
def gather(  # type: ignore[overload-overlap]
    first: Awaited[A],
    second: Awaited[B],
    third: Awaited[C],
    fourth: Awaited[D],
    /,
    *,
    return_exceptions: Literal[False] = False,
) -> Task[tuple[A, B, C, D]]: ...
@overload
def gather(*awaited: Awaited[T], return_exceptions: Literal[False] = False) -> Task[list[T]]: ...
@overload
def gather(*awaited: Awaited[T], return_exceptions: bool) -> Task[list[T | BaseException]]: ...
def gather(*awaited: Awaited[Any], return_exceptions: bool = False) -> AnyTask:
    """Return a task of all their results, as a list in the order in which they were given.

    It fails with the first failure, at once; the others go on. With `return_exceptions` failures
    are in the list instead.
    """
    loop = running()
    return GatherTask([as_task(loop, one) for one in awaited], with_exceptions=return_exceptions)


async def wait_for(awaited: Awaited[T], timeout: Timeout) -> T:  # noqa: ASYNC109 - asyncio's shape
    """Return the result, or raise TimeoutError if it is not there in time.

    `timeout` is in seconds, a timedelta, a moment, or None for no limit. It is a durable timer. A
    coroutine that is late is cancelled; an activity or child that is late goes on, and its result
    is for nobody.
    """
    task = as_task(running(), awaited)
    if timeout is None or task.is_complete:
        return await task
    await when_any([task, running().timer(timeout)])
    if task.is_complete:
        return task.get_result()
    if isinstance(task, Strand | GatherTask):
        task.cancel()
    raise TimeoutError(f"Timed out after {timeout!r}")


def as_completed(awaited: Iterable[Awaited[T]], *, timeout: Timeout = None) -> Iterator[Task[T]]:
    """Yield as many tasks as were given: the first has the outcome of what ends first, and so on.

    After the timeout those that are left fail with TimeoutError.
    """
    loop = running()
    tasks = [as_task(loop, one) for one in awaited]
    slots: list[Task[T]] = [Task() for _ in tasks]
    empty = iter(slots)

    def settle(task: AnyTask) -> None:
        slot = next(empty, None)
        if slot is not None and task.is_failed:
            slot.fail(task.get_exception())
        elif slot is not None:
            slot.succeed(task.get_result())

    def give_up(_timer: AnyTask) -> None:
        for slot in empty:
            slot.fail(TimeoutError(f"Timed out after {timeout!r}"))

    for task in tasks:
        task.watch(settle)
    if timeout is not None:
        loop.timer(timeout).watch(give_up)
    return iter(slots)


def sleep(delay: Delay) -> Task[None]:
    """Return a durable timer: seconds, a timedelta, or the moment at which it fires."""
    return running().timer(delay)
