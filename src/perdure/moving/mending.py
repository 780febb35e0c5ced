"""A part of one store made the image of another: what is missing is put in, what differs goes.

This is how a copy begins, how it goes on after it was cut off, and how it follows a source that has
changed since: each time both sides are read in order and compared, row by row.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from perdure.core.notes import NoteEnd
from perdure.moving import streams
from perdure.store.moving import (
    Numbers,
    Shipment,
    Target,
    Whole,
)
from perdure.store.port import Entry, LifecycleRow, NoteRow

_Row = TypeVar("_Row", Whole, NoteRow, LifecycleRow)


class IdsTaken(Exception):
    """Ids that were to be put in are in use by others; nothing of the shipment was kept."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        super().__init__(ids)
        self.ids = ids


@dataclass(frozen=True, slots=True)
class Stretch:
    """The numbers of a target that belong to a source: those after `base`, so many."""

    base: Numbers
    length: Numbers

    @property
    def end(self) -> Numbers:
        """The last numbers of it."""
        return self.base.plus(self.length)


@dataclass(slots=True)
class Mended:
    """What was done to instances."""

    same: int = 0
    put_in: int = 0
    replaced: int = 0
    removed: int = 0


def mend_instances(
    mine: Iterable[Whole], target: Target, own: Stretch, on_each: Callable[[], None]
) -> Mended:
    """Make the instances of a stretch these, which come by key. Raises IdsTaken, StoreErrors."""
    done, parcel = Mended(), _Parcel(target)
    theirs = streams.instances(target, own.base.key, own.end.key)
    for wanted, found in _side_by_side(mine, theirs, lambda whole: whole.key):
        on_each()
        if wanted == found:
            done.same += 1
            continue
        if found is not None:
            target.commit([Entry(key=found.key, purge=True)])
        if wanted is None:
            done.removed += 1
            continue
        parcel.add(wanted)
        if found is None:
            done.put_in += 1
        else:
            done.replaced += 1
    parcel.send()
    return done


def mend_notes(mine: Iterable[NoteRow], target: Target, own: Stretch) -> None:
    """Make the notes of a stretch these, which come by row."""
    parcel: list[NoteRow] = []
    theirs = streams.notes(target, own.base.note_row, own.end.note_row)
    for wanted, found in _side_by_side(mine, theirs, lambda note: note.row):
        if found is not None and wanted != found:
            target.commit([Entry(key=None, ended_notes=(NoteEnd(found.shelf, found.key),))])
        if wanted is not None and wanted != found:
            parcel.append(wanted)
        if len(parcel) == streams.BATCH_ROWS_MAX:
            target.receive(Shipment(notes=tuple(parcel)))
            parcel.clear()
    if parcel:
        target.receive(Shipment(notes=tuple(parcel)))


def mend_lifecycle(mine: Iterable[LifecycleRow], target: Target, own: Stretch) -> None:
    """Put in what is missing of these lifecycle rows of a stretch; none of them ever changes."""
    parcel: list[LifecycleRow] = []
    theirs = streams.lifecycle(target, own.base.lifecycle_seq, own.end.lifecycle_seq)
    for wanted, found in _side_by_side(mine, theirs, lambda row: row.seq):
        if wanted is not None and found is None:
            parcel.append(wanted)
        if len(parcel) == streams.BATCH_ROWS_MAX:
            target.receive(Shipment(lifecycle=tuple(parcel)))
            parcel.clear()
    if parcel:
        target.receive(Shipment(lifecycle=tuple(parcel)))


class _Parcel:
    """Instances that are put in together, once they are enough."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._wholes: list[Whole] = []
        self._bytes = 0

    def add(self, whole: Whole) -> None:
        self._wholes.append(whole)
        self._bytes += _bytes_of(whole)
        full = len(self._wholes) == streams.BATCH_INSTANCES_MAX
        if full or self._bytes > streams.BATCH_BYTES_MAX:
            self.send()

    def send(self) -> None:
        if not self._wholes:
            return
        taken = self._target.receive(Shipment(instances=tuple(self._wholes)))
        if taken:
            raise IdsTaken(taken)
        self._wholes.clear()
        self._bytes = 0


def _bytes_of(whole: Whole) -> int:
    events = sum(len(row.event) for row in whole.history)
    waiting = sum(len(row.add.event) for row in whole.inbox)
    return events + waiting + sum(len(row.add.event) for row in whole.tasks)


def _side_by_side(
    ones: Iterable[_Row], others: Iterable[_Row], number_of: Callable[[_Row], int]
) -> Iterator[tuple[_Row | None, _Row | None]]:
    """Yield rows of the same number as pairs, and those that only one side has with None."""
    ones, others = iter(ones), iter(others)
    one, other = next(ones, None), next(others, None)
    while one is not None or other is not None:
        if other is None or (one is not None and number_of(one) < number_of(other)):
            yield one, None
            one = next(ones, None)
        elif one is None or number_of(other) < number_of(one):
            yield None, other
            other = next(others, None)
        else:
            yield one, other
            one, other = next(ones, None), next(others, None)
