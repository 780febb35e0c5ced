"""Notes that wait on a shelf for an instance id: kept, counted, read and removed.

What the two shelves hold and when its time comes is for `mailbox` and `parking` to know.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from perdure.core.notes import NoteAdd, NoteEnd, NoteRow, Shelf
from perdure.engine.ground import Ground
from perdure.engine.proposals import Proposal
from perdure.engine.tally import Tally
from perdure.store.port import Entry, Outcome, Store, Verdict

Look = Callable[[], None]


def _nothing() -> None:
    return


class Kept:
    """The notes of one shelf."""

    def __init__(self, ground: Ground, shelf: Shelf, *, most_of_one: int, most: int) -> None:
        """Begin with none; `find` learns what is on disk."""
        self._crew = ground.crew
        self._reader = ground.reader
        self._landing = ground.landing
        self._owner = ground.owner
        self._shelf: Final = shelf
        self._tally = Tally(most_of_one=most_of_one, most=most)

    def __contains__(self, instance_id: str) -> bool:
        """Tell whether something may wait for an instance."""
        return instance_id in self._tally

    def count(self, instance_id: str) -> int:
        """Return how much may wait for an instance: never less than is on disk."""
        return self._tally.count(instance_id)

    async def find(self) -> dict[str, int]:
        """Learn what is on disk, and return how much waits for each instance."""
        mark = self._tally.mark()
        counts = await self._reader.read(self._counts)
        self._tally.found(counts, mark)
        return counts

    async def heard(self) -> dict[str, int]:
        """Learn what others may have written, and return how much waits for each instance."""
        counts = await self._reader.surely(self._counts)
        self._tally.at_least(counts)
        return counts

    async def waits_for(self, instance_id: str) -> bool:
        """Tell whether something may wait for an instance, written by whichever node."""
        if self._owner.alone or instance_id in self._tally:
            return instance_id in self._tally
        found = await self._reader.read(
            lambda store: store.notes_about(self._shelf, instance_id, 0, 1)
        )
        return bool(found)

    def _counts(self, store: Store) -> dict[str, int]:
        return store.note_counts(self._shelf)

    async def full(self, instance_id: str) -> bool:
        """Tell whether no more is kept for an instance."""
        if not self._owner.alone:
            self._tally.at_least(await self._reader.read(self._counts))
        if self._tally.full(instance_id):
            # It may be that some of them were not written.
            await self.find()
        return self._tally.full(instance_id)

    def keep(
        self, instance_id: str, at_us: int, body: bytes, kept: Look, unsure: Look = _nothing
    ) -> Proposal:
        """Return the keeping of a note; it is to be landed at once.

        `kept` is called once it is on disk: the instance may have been born or have ended since it
        was looked at. `unsure` is called if it could not be landed, and may be there all the same.
        """
        note = NoteAdd(
            shelf=self._shelf,
            key=self._crew.fresh_id(),
            at_us=at_us,
            body=body,
            about=instance_id,
        )
        self._tally.begin(instance_id)

        def apply(outcome: Outcome) -> None:
            landed = outcome.verdict is Verdict.LANDED
            # Whoever keeps the house is told of it, and counts it.
            self._tally.end(instance_id, kept=landed and self._owner.keeps_house)
            if landed:
                kept()

        def fail(_: BaseException) -> None:
            self._tally.end(instance_id, kept=True)
            unsure()

        return Proposal(Entry(key=None, notes=(note,)), apply, fail)

    async def first(self, instance_id: str, limit: int) -> Sequence[NoteRow]:
        """Return what has waited longest for an instance."""
        mark = self._tally.mark()
        rows = await self._reader.read(
            lambda store: store.notes_about(self._shelf, instance_id, 0, limit)
        )
        if not rows:
            self._tally.none_left(instance_id, mark)
        return rows

    def ends(self, keys: Iterable[str]) -> tuple[NoteEnd, ...]:
        """Return what removes notes, for an entry; once it has landed, tell `removed`."""
        return tuple(NoteEnd(self._shelf, key) for key in keys)

    def removed(self, instance_id: str, count: int = 1) -> None:
        """Take in that so many are on disk no longer."""
        if not self._owner.alone:
            count = min(count, self._tally.count(instance_id))  # others write and remove, too
        self._tally.remove(instance_id, count)

    async def discard(self, key: str) -> bool:
        """Remove one note; tell whether it was still there."""
        row = await self._reader.read(lambda store: store.note(self._shelf, key))
        if row is None or row.about is None:
            return False
        return await self.remove([(key, row.about)])

    async def remove(self, named: Sequence[tuple[str, str]]) -> bool:
        """Remove notes by key and instance id, all or none; tell whether all were still there."""

        def apply(outcome: Outcome) -> None:
            if outcome.verdict is Verdict.LANDED:
                for _, instance_id in named:
                    self.removed(instance_id)

        entry = Entry(key=None, ended_notes=self.ends(key for key, _ in named))
        outcome = await self._landing.once(entry, apply)
        return outcome.verdict is Verdict.LANDED
