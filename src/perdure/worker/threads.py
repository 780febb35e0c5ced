"""Threads for activities that block.

A result is put aside by its thread, and the loop is woken once for all that have come until it
looks: waking it costs more than an activity of a few microseconds does.

A thread cannot be stopped. One whose job was abandoned has its place taken by another, but not for
ever: when `ABANDONED_THREADS_MAX` of them have not ended, each further one is missing from the pool
until one of them ends. So there are never more than that and the size of the pool.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context
from enum import Enum, auto
from queue import SimpleQueue
from typing import Generic, TypeVar

from perdure.base.limits import ABANDONED_THREADS_MAX

R = TypeVar("R")


class _Stage(Enum):
    WAITING = auto()
    BEGUN = auto()
    FINISHED = auto()
    ABANDONED = auto()


class Job(Generic[R]):
    """One piece of work for a thread."""

    __slots__ = ("done", "stage", "work")

    def __init__(self, work: Callable[[], R], done: Callable[[R], None]) -> None:
        self.work = work
        self.done = done
        self.stage = _Stage.WAITING


class Threads(Generic[R]):
    """Up to `size` threads of one loop. Work must not raise; its `done` is called on the loop."""

    def __init__(self, size: int, *, name: str) -> None:
        """Begin without any: a thread is made when there is work and nobody is free."""
        assert size >= 1, size
        self._size = size
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Job[R] | None] = SimpleQueue()
        self._finished: deque[tuple[Job[R], R]] = deque()
        self._told = False
        self._staging = threading.Lock()
        self._count = 0  # threads that take work; one whose job was abandoned takes no more
        self._abandoned = 0  # threads of abandoned jobs that have not ended
        self._wanted = 0  # jobs that wait or are under way
        self._made = 0
        self._closed = False

    @property
    def abandoned(self) -> int:
        """How many threads are at jobs that were abandoned and have not ended."""
        return self._abandoned

    @property
    def size(self) -> int:
        """How many threads may take work: fewer, where too many have been abandoned."""
        missing = max(0, self._abandoned - ABANDONED_THREADS_MAX)
        return max(0, self._size - missing)

    def widen(self, size: int) -> None:
        """Allow for at least so many threads. Called on the loop."""
        self._size = max(self._size, size)
        self._make_if_wanted()

    def submit(self, work: Callable[[], R], done: Callable[[R], None]) -> Job[R]:
        """Run something in a thread as soon as one is free. Called on the loop."""
        assert not self._closed, "nothing is begun after the end"
        job = Job(work, done)
        self._wanted += 1
        self._make_if_wanted()
        self._jobs.put(job)
        return job

    def drop(self, job: Job[R]) -> bool:
        """Do not begin a job; False if it has begun. Called on the loop.

        `done` is not called for one that was dropped.
        """
        if not self._stage(job, _Stage.WAITING, _Stage.ABANDONED):
            return False
        self._wanted -= 1
        return True

    def abandon(self, job: Job[R]) -> None:
        """Wait for a job no longer that has begun. Called on the loop.

        It goes on in a thread that ends with it, and whose place is taken by another while there
        may be more; `done` is called when it has come to its end.
        """
        if self._stage(job, _Stage.BEGUN, _Stage.ABANDONED):
            self._wanted -= 1
            self._count -= 1
            self._abandoned += 1
            self._make_if_wanted()

    def close(self) -> None:
        """Take no more work; threads end when they are free. Nobody is told of anything more."""
        self._closed = True
        for _ in range(self._made):
            self._jobs.put(None)

    def _make_if_wanted(self) -> None:
        if self._wanted > self._count < self.size and not self._closed:
            self._count += 1
            self._made += 1
            name = f"{self._name}-{self._made}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not self._stage(job, _Stage.WAITING, _Stage.BEGUN):
                continue
            # What it sets in context variables is its own, not that of whoever comes after it.
            result = Context().run(job.work)
            goes_on = self._stage(job, _Stage.BEGUN, _Stage.FINISHED)
            self._finished.append((job, result))
            # Set before anybody looks, cleared before the looking: nothing is left lying.
            if not self._told:
                self._told = True
                try:
                    self._loop.call_soon_threadsafe(self._deliver)
                except RuntimeError:
                    return  # the loop is closed: nobody waits for anything any more
            if not goes_on:
                return

    def _stage(self, job: Job[R], before: _Stage, after: _Stage) -> bool:
        with self._staging:
            if job.stage is not before:
                return False
            job.stage = after
            return True

    def _deliver(self) -> None:
        self._told = False
        while self._finished:
            job, result = self._finished.popleft()
            if job.stage is _Stage.FINISHED:
                self._wanted -= 1
            else:
                self._abandoned -= 1
                self._make_if_wanted()
            if not self._closed:
                job.done(result)
