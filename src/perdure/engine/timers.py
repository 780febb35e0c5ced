"""Timers: on disk, fired by one loop that sleeps until the earliest is due.

Nothing is held in memory for a timer but the moment of the earliest one, so a hundred thousand
of them cost what one does.
"""

import asyncio

from perdure.base.errors import StoreError
from perdure.base.limits import LAND_RETRY_LONGEST_US, TIMERS_PER_SWEEP_MAX
from perdure.base.time import SECOND_US
from perdure.core.events import TimerFired
from perdure.engine.ground import Ground
from perdure.engine.inboxes import Inboxes
from perdure.engine.residents import Resident, Residents
from perdure.engine.rows import inbox_add
from perdure.store.port import START_TIMER_ID, Entry, Outcome, TimerEnd, TimerRow, Verdict

_LONGEST_SLEEP_US = 3_600 * SECOND_US


class Timers:
    """Fires what is due."""

    def __init__(self, ground: Ground, residents: Residents, inboxes: Inboxes) -> None:
        """Fire the timers of the store."""
        self._clock = ground.clock
        self._observer = ground.observer
        self._reader = ground.reader
        self._landing = ground.landing
        self._owner = ground.owner
        self._residents = residents
        self._inboxes = inboxes
        self._next_us: int | None = None
        self._changed = asyncio.Event()

    def note(self, fire_at_us: int) -> None:
        """Note that a timer has been set, and wake the loop if it is the earliest."""
        if self._next_us is None or fire_at_us < self._next_us:
            self._next_us = fire_at_us
            self._changed.set()

    def look_again(self) -> None:
        """Ask the store which timer is the earliest: there may be others than were told of."""
        self.note(self._clock.now_us())

    async def run(self) -> None:
        """Fire timers until cancelled."""
        await self._look()
        while True:
            self._changed.clear()
            await self._sleep()
            now_us = self._clock.now_us()
            if self._next_us is not None and self._next_us <= now_us:
                await self._sweep(now_us)

    async def _sleep(self) -> None:
        until_us = _LONGEST_SLEEP_US
        if self._next_us is not None:
            until_us = min(until_us, max(0, self._next_us - self._clock.now_us()))
        try:
            async with asyncio.timeout(until_us / SECOND_US):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _sweep(self, now_us: int) -> None:
        try:
            within = self._owner.within
            due = await self._reader.read(
                lambda store: store.due_timers(now_us, TIMERS_PER_SWEEP_MAX, within)
            )
        except StoreError as error:
            self._observer.fault("reading due timers", error)
            await asyncio.sleep(LAND_RETRY_LONGEST_US / SECOND_US)
            return
        if due:
            # What could not be fired has been reported, and is due again.
            await asyncio.gather(
                *(self._fire(timer, now_us) for timer in due if self._is_ours(timer)),
                return_exceptions=True,
            )
        await self._look()

    def _is_ours(self, timer: TimerRow) -> bool:
        """Tell whether a timer is still to be fired here; its partition may have been lost."""
        return self._owner.alone or self._owner.term_in(timer.partition) is not None

    async def _look(self) -> None:
        """Learn from the store which timer is the earliest."""
        self._next_us = None
        try:
            within = self._owner.within
            earliest_us = await self._reader.read(lambda store: store.next_timer_us(within))
        except StoreError as error:
            self._observer.fault("reading the earliest timer", error)
            earliest_us = self._clock.now_us() + LAND_RETRY_LONGEST_US
        # One that was set meanwhile has told its moment already.
        if earliest_us is not None:
            self.note(earliest_us)

    def _fire(self, timer: TimerRow, now_us: int) -> "asyncio.Future[Outcome]":
        end = TimerEnd(timer.generation, timer.timer_id, must_exist=True)
        term = self._owner.term_in(timer.partition)
        if timer.timer_id == START_TIMER_ID:
            entry = Entry(key=timer.key, term=term, ended_timers=(end,), held=False)
            return self._landing.surely(
                entry, lambda outcome: self._may_start(timer.key, outcome), self._not_fired
            )
        event = TimerFired(at_us=now_us, timer_id=timer.timer_id, fire_at_us=timer.fire_at_us)
        add = inbox_add(event, generation=timer.generation)
        entry = Entry(key=timer.key, term=term, ended_timers=(end,), inbox=(add,))

        def fired(outcome: Outcome) -> None:
            # A timer that is gone was cancelled meanwhile; that is as it should be.
            coming.landed(outcome.inbox_seqs[0] if outcome.verdict is Verdict.LANDED else None)

        def not_fired(error: BaseException) -> None:
            coming.lost()
            self._not_fired(error)

        landing = self._landing.surely(entry, fired, not_fired)
        coming = self._inboxes.coming(timer.key, add, event)
        return landing

    def _may_start(self, key: int, outcome: Outcome) -> None:
        if outcome.verdict is not Verdict.LANDED:
            return
        resident = self._residents.do(key, _release)
        if resident is not None:
            self._inboxes.consider(resident)
        else:
            self._landing.spawn(self._inboxes.wake(key), "starting at its time")

    def _not_fired(self, error: BaseException) -> None:
        self._observer.fault("firing a timer", error)


def _release(resident: Resident) -> None:
    resident.held = False
