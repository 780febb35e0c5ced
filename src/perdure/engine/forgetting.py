"""Notes removed when their time is over: receipts, and events that nobody came for."""

import asyncio

from perdure.base.limits import NOTES_PER_SWEEP_MAX
from perdure.base.time import HOUR_US, SECOND_US
from perdure.core.notes import NoteEnd, Shelf
from perdure.engine.ground import Ground
from perdure.engine.mailbox import Mailbox
from perdure.engine.sweeping import sweep_on
from perdure.store.port import Entry, Outcome

_SHORTEST_PAUSE_US = SECOND_US // 100


class Forgetting:
    """Removes what has been kept long enough."""

    def __init__(self, ground: Ground, mailbox: Mailbox) -> None:
        """Keep receipts for as long as the settings say, and each event for its own time."""
        self._receipts_us = ground.settings.receipts_us
        self._clock = ground.clock
        self._observer = ground.observer
        self._reader = ground.reader
        self._landing = ground.landing
        self._mailbox = mailbox
        self._next_us = 0
        self._changed = asyncio.Event()

    def note(self, expires_us: int) -> None:
        """Note that something expires, and wake the loop if it is the next to do so."""
        if expires_us < self._next_us:
            self._next_us = expires_us
            self._changed.set()

    async def run(self) -> None:
        """Remove until cancelled."""
        await sweep_on(self._sweep, self._changed, self._observer, "forgetting notes")

    async def forget(self, shelf: str, before_us: int) -> int:
        """Remove the notes of a shelf from before a moment; return how many there were."""
        count = 0
        while True:
            old = await self._reader.read(
                lambda store: store.notes_before(shelf, before_us, NOTES_PER_SWEEP_MAX)
            )
            if old:
                ends = tuple(NoteEnd(shelf, key, must_exist=False) for key, _ in old)
                await self._landing.once(Entry(key=None, ended_notes=ends), _ignore)
                count += len(old)
            if len(old) < NOTES_PER_SWEEP_MAX:
                return count

    async def _sweep(self) -> int:
        """Remove what is due, and return how long there is nothing more to do."""
        now_us = self._clock.now_us()
        # What is kept meanwhile tells its moment; before this one it need not.
        self._next_us = now_us + HOUR_US
        await self.forget(Shelf.RECEIPTS, now_us - self._receipts_us)
        oldest_us = await self._reader.read(lambda store: store.oldest_note_us(Shelf.RECEIPTS))
        if oldest_us is not None:
            self._next_us = min(self._next_us, oldest_us + self._receipts_us + 1)
        expires_us = await self._mailbox.expire()
        if expires_us is not None:
            self._next_us = min(self._next_us, expires_us)
        return max(self._next_us - self._clock.now_us(), _SHORTEST_PAUSE_US)


def _ignore(_: Outcome) -> None:
    """Nothing is held in memory that would have to follow."""
