"""Landing what must land: entries of workers, timers and the engine itself, tried until they do.

A request from outside is told when the store is away and may try again itself. What a worker
has done is not done twice for that reason: it is kept and landed when the store is back.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from perdure.base.errors import (
    StoreBroken,
    StoreError,
    StoreFailed,
    StoreUnavailable,
    StoreUnsure,
)
from perdure.base.limits import LAND_ATTEMPTS_MAX, LAND_RETRY_FIRST_US, LAND_RETRY_LONGEST_US
from perdure.base.observer import Observer
from perdure.base.time import SECOND_US
from perdure.engine.committer import Committer
from perdure.store.leases import Term
from perdure.store.port import Entry, Outcome, Verdict

# How soon what goes on for ever is begun anew where it has failed.
_ANEW_S: Final = 1.0

Apply = Callable[[Outcome], None]
Fail = Callable[[BaseException], None]
Work = Callable[[], Coroutine[Any, Any, None]]  # something to be done, as often as it is called


class Landing:
    """Lands entries and does what follows, in the order in which they land."""

    def __init__(self, committer: Committer, observer: Observer) -> None:
        """Land through `committer`."""
        self._committer = committer
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._tasks: dict[asyncio.Task[Any], None] = {}  # in the order in which they began
        self._stopped = False
        # Instances of which an entry that is under way may have landed already.
        self.doubts: set[int] = set()
        # Set by whoever composes the engine: what to do about an entry whose term was over, and
        # about one that may have landed although nobody was told what became of it.
        self.on_fenced: Callable[[Term], None] = lambda term: None  # noqa: ARG005 - nobody listens yet
        self.on_unsure: Callable[[Entry], None] = lambda entry: None  # noqa: ARG005 - nobody listens yet

    def once(self, entry: Entry, apply: Apply, fail: Fail | None = None) -> asyncio.Future[Outcome]:
        """Land an entry of a request; the future has a StoreError if it could not be stored.

        `apply` is called when it is on disk, and `fail` when it is not, even if the caller has
        gone away meanwhile.
        """
        return self._attempt(entry, apply, fail, LAND_ATTEMPTS_MAX)

    def surely(self, entry: Entry, apply: Apply, fail: Fail) -> asyncio.Future[Outcome]:
        """Land an entry, trying again while the store is away.

        `fail` is called if it cannot be landed at all. Whoever awaits the future may go away.
        """
        return self._attempt(entry, apply, fail, 1)

    def follow(self, entry: Entry, apply: Apply, fail: Fail) -> None:
        """Land an entry as `surely` does, where nobody awaits it."""
        self._submit(_Landing(entry, apply, fail, None), 1)

    def note(self, entry: Entry) -> None:
        """Land an entry that only tells something; a failure is reported and forgotten."""
        try:
            self._committer.submit(entry, self._noted, soon=False)
        except StoreUnavailable as error:
            self._noted(error)

    def spawn(self, work: Coroutine[Any, Any, None], where: str) -> asyncio.Task[None]:
        """Run something beside the caller; what it raises is reported."""
        task = self._loop.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(partial(self._spawned, where))
        if self._stopped:
            task.cancel()  # the last commits still tell of what they bring about
        return task

    def keep(self, work: Work, where: str) -> asyncio.Task[None]:
        """Run something that goes on for ever; where it fails it is begun anew, after a pause.

        Without it the process would go on all the same, and do less than it seems to.
        """
        return self.spawn(self._kept(work, where), where)

    async def _kept(self, work: Work, where: str) -> None:
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - reported, and no reason to do it no more
                self._observer.fault(where, error)
                await asyncio.sleep(_ANEW_S)
            else:
                return

    def stop(self) -> None:
        """Cancel what was spawned, and try nothing again: the next process finds it on disk."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()

    def _spawned(self, where: str, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._observer.fault(where, error)

    def _noted(self, outcome: Outcome | BaseException) -> None:
        if isinstance(outcome, BaseException):
            self._observer.fault("landing a note", outcome)

    def _attempt(
        self, entry: Entry, apply: Apply, fail: Fail | None, attempt: int
    ) -> asyncio.Future[Outcome]:
        told: asyncio.Future[Outcome] = self._loop.create_future()
        self._submit(_Landing(entry, apply, fail, told), attempt)
        return told

    def _attempts_max(self) -> int:
        return 0 if self._stopped else LAND_ATTEMPTS_MAX

    def _submit(self, landing: "_Landing", attempt: int) -> None:
        try:
            self._committer.submit(landing.entry, partial(self._came, landing, attempt))
        except StoreUnavailable as error:
            # Not at once: whoever asked has still to hear that it was asked.
            self._loop.call_soon(self._came, landing, attempt, error)

    def _came(self, landing: "_Landing", attempt: int, outcome: Outcome | BaseException) -> None:
        if isinstance(outcome, Outcome):
            self._landed(landing, outcome)
            return
        if isinstance(outcome, StoreUnsure):
            landing.unsure = True
            if landing.entry.key is not None:
                self.doubts.add(landing.entry.key)
        if isinstance(outcome, StoreError) and attempt < self._attempts_max():
            pause_us = min(LAND_RETRY_FIRST_US << min(attempt, 16), LAND_RETRY_LONGEST_US)
            self._observer.fault(f"landing, attempt {attempt}", outcome)
            self._loop.call_later(pause_us / SECOND_US, self._submit, landing, attempt + 1)
            return
        if landing.fail is not None:
            landing.fail(outcome)
        if landing.unsure:
            self._settle(landing, None)
        if landing.told is not None and not landing.told.done():
            self._refuse(landing.told, outcome)

    def _refuse(self, told: asyncio.Future[Outcome], error: BaseException) -> None:
        if isinstance(error, StoreFailed | StoreBroken):
            # Whoever asked hears of it; so must those who look after the store.
            self._observer.fault("landing what was asked", error)
        _fail(told, error)

    def _landed(self, landing: "_Landing", outcome: Outcome) -> None:
        told = landing.told
        try:
            if outcome.verdict is Verdict.FENCED and landing.entry.term is not None:
                self.on_fenced(landing.entry.term)
            landing.apply(outcome)
        except Exception as fault:
            if told is not None and not told.done():
                _fail(told, fault)
            raise
        if landing.unsure:
            self._settle(landing, outcome)
        if told is not None and not told.done():
            told.set_result(outcome)

    def _settle(self, landing: "_Landing", outcome: Outcome | None) -> None:
        """What was in doubt is not any more; if it did not land just now, it may have before."""
        if landing.entry.key is not None:
            self.doubts.discard(landing.entry.key)
        if outcome is None or outcome.verdict is not Verdict.LANDED:
            self.on_unsure(landing.entry)


@dataclass(slots=True)
class _Landing:
    """An entry under way, and who is to be told."""

    entry: Entry
    apply: Apply
    fail: Fail | None
    told: asyncio.Future[Outcome] | None  # whoever waits for it, if anybody does
    unsure: bool = False  # an attempt may have landed


def _fail(told: asyncio.Future[Outcome], error: BaseException) -> None:
    told.set_exception(error)
    # Whoever asked may be gone; the exception has been reported or will be raised to it.
    told.exception()
