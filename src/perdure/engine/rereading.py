"""Instances read anew because something may have changed them that was not done here.

Theory of operation. Memory mirrors the disk. Where others change the disk, or a reply of the store
was lost, the mirror is made true again by reading: flags, version, inbox and activities.
- An instance that was moved (another version) is let go of and comes back when it is wanted; a turn
  of it that is out finds nothing any more.
- Otherwise what is new in the inbox is added, and flags are taken as they are on disk. What has
  landed from here since the reading began is done once more on top: the answer may be older.
- While a move of our own is under way nothing can be told apart, so it is looked at after that.
One look at a time is under way for each instance; who asks meanwhile has it looked at once more.
"""

from collections.abc import Callable

from perdure.core.status import TERMINAL
from perdure.engine.ground import Ground
from perdure.engine.lookup import Lookup
from perdure.engine.memory import Memory
from perdure.engine.residents import InboxItem, Resident
from perdure.store.port import Entry, Loaded, Store, TaskRow
from perdure.wire.events import decode_stored

Found = tuple[Loaded | None, tuple[TaskRow, ...]]


class Rereading:
    """Reads instances anew."""

    def __init__(self, ground: Ground, lookup: Lookup, memory: Memory) -> None:
        """Make memory true; `lookup` is told of who is gone."""
        self._reader = ground.reader
        self._landing = ground.landing
        self._lookup = lookup
        self._residents = memory.residents
        self._inboxes = memory.inboxes
        self._tasks = memory.tasks
        self._turns = memory.turns
        self._timers = memory.timers
        self._looking: dict[int, bool] = {}  # by key, and whether to look once more
        self._since: dict[int, list[Callable[[Resident], None]]] = {}
        self._residents.on_change = self._changed
        self._residents.on_replaced = self._gone

    def look(self, key: int) -> None:
        """Read an instance anew, soon."""
        if key in self._looking:
            self._looking[key] = True
        else:
            self._looking[key] = False
            self._landing.spawn(self._look(key), "reading an instance anew")

    def is_at(self, key: int) -> bool:
        """Tell whether an instance is being read anew."""
        return key in self._looking

    def look_at_all(self, entry: Entry) -> None:
        """Read everybody anew whom an entry may have changed that may have landed."""
        keys = [entry.key, *(message.to for message in entry.messages)]
        for key in keys:
            if isinstance(key, int):
                self.look(key)
        ids = [birth.identity.instance_id for birth in entry.births]
        ids += [message.to for message in entry.messages if isinstance(message.to, str)]
        if ids:
            self._landing.spawn(self._look_for(ids), "reading instances anew")
        self._timers.look_again()

    async def _look_for(self, ids: list[str]) -> None:
        def ask(store: Store) -> list[int]:
            found = [store.snapshot(each) for each in ids]
            return [snapshot.key for snapshot in found if snapshot is not None]

        for key in await self._reader.surely(ask):
            self.look(key)

    async def _look(self, key: int) -> None:
        try:
            again = True
            while again:
                self._looking[key] = False
                again = not await self._read_anew(key) or self._looking[key]
        finally:
            del self._looking[key]

    def _changed(self, key: int, change: Callable[[Resident], None]) -> None:
        if key in self._since:
            self._since[key].append(change)

    async def _read_anew(self, key: int) -> bool:
        """Make what is known of an instance true; False if that cannot be just now."""
        resident = self._residents.peek(key)
        if resident is not None and resident.moving:
            # A move first reads, or not, and then lands; what is handed in now lands after it.
            await self._reader.surely(lambda _: None)
            await self._landing.surely(Entry(key=None), _ignore, _ignore)
            return False
        before = None if resident is None else (resident.version, resident.suspended)

        def ask(store: Store) -> Found:
            loaded = store.load_inbox(key)
            snapshot = None if loaded is None else loaded.snapshot
            if snapshot and before == (snapshot.version, snapshot.suspended):
                return loaded, ()
            return loaded, store.tasks_of(key)

        self._since[key] = []
        try:
            with self._tasks.filling():
                loaded, rows = await self._reader.surely(ask)
                if loaded is None:
                    self._gone(key)
                    return True
                if self._residents.peek(key) is not resident or (resident and resident.moving):
                    return False
                if not self._since[key]:
                    self._tasks.set_paused(key, paused=loaded.snapshot.suspended)
                self._take_activities(key, rows)
                return self._take(key, resident, loaded)
        finally:
            del self._since[key]

    def _gone(self, key: int) -> None:
        resident = self._residents.drop(key)
        self._tasks.forget(key)
        if resident is not None:
            self._turns.let_go(resident)
            self._lookup.tell_gone(resident.instance_id)

    def _take_activities(self, key: int, rows: tuple[TaskRow, ...]) -> None:
        still_open = [row for row in rows if row.finished_at_us is None and row.add.event]
        if rows:
            self._tasks.keep_only(
                key, {(row.add.generation, row.add.task_id) for row in still_open}
            )
        for row in still_open:
            self._tasks.recover(row)

    def _take(self, key: int, resident: Resident | None, loaded: Loaded) -> bool:
        snapshot = loaded.snapshot
        if resident is None:
            self._take_what_was_away(loaded)
        elif snapshot.version < resident.version:
            return False  # read before our own last move had landed
        elif snapshot.version > resident.version:
            self._residents.drop(key)
            self._turns.let_go(resident)
            self._landing.spawn(self._inboxes.wake(key), "waking an instance")
        else:
            self._add(resident, loaded)
        return True

    def _take_what_was_away(self, loaded: Loaded) -> None:
        head = loaded.snapshot.head
        if loaded.inbox and head.phase not in TERMINAL:
            waking = self._inboxes.wake(loaded.snapshot.key)
            self._landing.spawn(waking, "waking an instance")
        if head.next_wake_us is not None:
            self._timers.note(head.next_wake_us)

    def _add(self, resident: Resident, loaded: Loaded) -> None:
        """Add to a resident what is new on disk, and what has landed since that was read."""
        resident.suspended, resident.held = loaded.snapshot.suspended, loaded.snapshot.held
        for row in loaded.inbox:
            if row.seq not in resident.inbox:
                resident.add_inbox(InboxItem(row.seq, row.add, decode_stored(row.add.event)))
        for change in self._since[resident.key]:
            change(resident)
        self._tasks.set_paused(resident.key, paused=resident.suspended)
        self._inboxes.consider(resident)


def _ignore(_: object) -> None:
    """Nothing follows from a mark in the order of commits."""
