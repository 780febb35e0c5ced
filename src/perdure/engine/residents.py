"""Instances held in memory by their owner, so that the steady state reads nothing.

The least recently used ones are let go when there are too many or they are too large; one that has
a turn, or a commit under way, stays.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from itertools import islice

from perdure.base.limits import FINISHED_RESIDENTS_MAX
from perdure.engine.ownership import Ownership
from perdure.engine.reading import Reader
from perdure.engine.resident import (
    NOT_BORN,
    NOT_LANDED,
    Arrival,
    Held,
    InboxItem,
    Resident,
    Turn,
    resident_of,
    unborn,
)

__all__ = [
    "NOT_BORN",
    "NOT_LANDED",
    "Arrival",
    "Held",
    "InboxItem",
    "Resident",
    "Residents",
    "Turn",
    "resident_of",
    "unborn",
]

_RESIDENT_BYTES = 4_096  # what one costs besides its history, roughly


class Residents:
    """All residents of this process, by key and by id."""

    def __init__(self, reader: Reader, owner: Ownership, *, count_max: int, bytes_max: int) -> None:
        """Begin with none; only what `owner` owns is taken in."""
        self._reader = reader
        self._owner = owner
        self._count_max = count_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._by_key: OrderedDict[int, Resident] = OrderedDict()
        self._finished: dict[int, None] = {}  # in the order of their ends
        self._key_of: dict[str, int] = {}
        self._sizes: dict[int, int] = {}
        # What landed for an instance while it was being loaded, to be done to it afterwards.
        self._late: dict[int, list[Callable[[Resident], None]]] = {}
        self._loading: dict[int, asyncio.Task[Resident | None]] = {}
        # Told of what has landed for a resident, by whoever composes the engine.
        self.on_change: Callable[[int, Callable[[Resident], None]], None] = _ignore
        # Told of whoever is here still and whose id another life has: to be dropped by it.
        self.on_replaced: Callable[[int], object] = self.drop

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_key)

    def peek(self, instance: int | str) -> Resident | None:
        """Return a resident without touching the order of use."""
        key = self._key_of.get(instance) if isinstance(instance, str) else instance
        return None if key is None else self._by_key.get(key)

    def knows(self, key: int) -> bool:
        """Tell whether an instance is resident, or just being loaded."""
        return key in self._by_key or key in self._late

    async def get(self, key: int) -> Resident | None:
        """Return an instance, loading it if need be; None if there is no such instance."""
        while True:
            resident = self._by_key.get(key)
            if resident is not None:
                self._by_key.move_to_end(key)
                return resident
            task = self._loading.get(key)
            if task is None:
                task = self._loading[key] = asyncio.create_task(self._load(key))
            if await asyncio.shield(task) is None:
                return None
            # Others may have pushed it out again before we came to run: then it is stale.

    def do(self, key: int, change: Callable[[Resident], None]) -> Resident | None:
        """Do a landed change to a resident, or to one that is just being loaded.

        One that is neither needs nothing: it will be read from the store when it is wanted.
        Returns the resident if there is one.
        """
        resident = self._by_key.get(key)
        if resident is not None:
            change(resident)
            self.on_change(key, change)
        elif key in self._late:
            self._late[key].append(change)
        return resident

    def add(self, resident: Resident) -> bool:
        """Take in an instance that was just born or loaded; tells whether it is one of ours."""
        if not self._owner.alone:
            identity = resident.identity
            resident.term = self._owner.term_of(identity.app_id, identity.instance_id)
            if resident.term is None or resident.key in self._by_key:
                return False  # another's, or read meanwhile because it was ours anew
            if not self._succeeds(resident):
                return False
        assert resident.key not in self._by_key, "an instance is resident once"
        self._by_key[resident.key] = resident
        self._key_of[resident.instance_id] = resident.key
        self.measure(resident)
        return True

    def _succeeds(self, resident: Resident) -> bool:
        """Let go of an earlier life of the same id; False if there is a later one.

        Others may have ended that one and begun this one, and nobody has told us.
        """
        other = self._key_of.get(resident.instance_id, resident.key)
        if other < resident.key:
            self.on_replaced(other)
        return other <= resident.key

    def measure(self, resident: Resident) -> None:
        """Note how large a resident has become, and let others go if that is too much."""
        if self._by_key.get(resident.key) is not resident:
            return  # it was let go of meanwhile
        size = _RESIDENT_BYTES + len(resident.past)
        self._bytes += size - self._sizes.get(resident.key, 0)
        self._sizes[resident.key] = size
        if resident.finished:
            self._note_finished(resident.key)
        self._let_go()

    def _note_finished(self, key: int) -> None:
        """Let the one go that has been finished longest: nothing but a read asks for it again."""
        self._finished[key] = None
        if len(self._finished) > FINISHED_RESIDENTS_MAX:
            longest = next(iter(self._finished))
            del self._finished[longest]
            resident = self._by_key.get(longest)
            if resident is not None and resident.idle:
                del self._by_key[longest]
                self._forget(resident)

    def drop(self, key: int) -> Resident | None:
        """Forget an instance; it is marked as gone, for whoever still holds it."""
        self._late.pop(key, None)  # what is just being read of it is out of date
        resident = self._by_key.pop(key, None)
        if resident is not None:
            resident.gone = True
            self._forget(resident)
        return resident

    def all(self) -> list[Resident]:
        """Return everybody, the least recently used first."""
        return list(self._by_key.values())

    def stop(self) -> None:
        """Give up what is being loaded."""
        for task in self._loading.values():
            task.cancel()

    async def _load(self, key: int) -> Resident | None:
        self._late[key] = []
        try:
            while True:
                epoch = self._owner.epoch
                loaded = await self._reader.surely(lambda store: store.load(key))
                late = self._late.get(key)
                if loaded is None or late is None:
                    return None
                if epoch == self._owner.epoch:
                    break
                late.clear()  # what was read before a taking, others may have changed before it
            resident = resident_of(loaded)
            for change in late:
                change(resident)
            return resident if self.add(resident) else None
        finally:
            self._late.pop(key, None)
            del self._loading[key]

    def _forget(self, resident: Resident) -> None:
        if self._key_of.get(resident.instance_id) == resident.key:
            del self._key_of[resident.instance_id]
        self._bytes -= self._sizes.pop(resident.key)
        self._finished.pop(resident.key, None)

    def _let_go(self) -> None:
        over = len(self._by_key) - self._count_max
        if over <= 0 and self._bytes <= self._bytes_max:
            return
        # The newest one is in use by whoever added it. Busy ones are passed over, and a bound
        # on the look-around keeps this from walking through thousands of them each time.
        for key in list(islice(self._by_key, max(over, 0) + 64)):
            resident = self._by_key[key]
            if len(self._by_key) <= self._count_max and self._bytes <= self._bytes_max:
                return
            if resident.idle and key != next(reversed(self._by_key)):
                del self._by_key[key]
                self._forget(resident)


def _ignore(key: int, change: Callable[[Resident], None]) -> None:
    """Nobody reads the resident anew just now."""
