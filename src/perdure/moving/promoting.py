"""A whole store moved into another: everything of it, under numbers that keep their order.

Theory of operation.
- The source is only read, and nobody else may have it open meanwhile.
- A note in the target says that a promotion is under way; as long as it is there no server works on
  the target. It tells which numbers there are the source's: the source's own, all greater by what
  the target had given out before, which in an empty target is nothing.
- Then that part of the target is made the image of the source, by comparing and mending. Whoever
  was killed in between is run again and does the same: what is there is compared and stays.
- At last both are read once more, each table is counted and digested on both sides, and only where
  all is equal the note is replaced by one that says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from perdure.base.errors import StoreFailed
from perdure.moving import promotions, streams
from perdure.moving.mending import (
    IdsTaken,
    Mended,
    Stretch,
    mend_instances,
    mend_lifecycle,
    mend_notes,
)
from perdure.moving.promotions import Promotion
from perdure.moving.tallies import Tally, Total
from perdure.store.moving import (
    Numbers,
    Source,
    Target,
    Whole,
    shifted,
    shifted_lifecycle,
    shifted_note,
)
from perdure.store.port import LifecycleRow, NoteRow

_TOLD_MAX: Final = 10  # of names that stand in the way


class Obstacle(Enum):
    """Why a source is not moved into a target."""

    IN_USE = "in use"  # by nodes, which are told
    ANOTHER = "another"  # promotion is under way, from the source that is told
    HOLDS_OTHERS = "holds others"  # and nobody said that this is meant; some ids are told
    IDS_TAKEN = "ids taken"  # some of them are told
    NOTES_TAKEN = "notes taken"  # messages, or what waits, that both know under one name


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed, for a reason, with names of what stands in the way."""

    obstacle: Obstacle
    names: tuple[str, ...]


class Stage(Enum):
    """What is being done."""

    COPYING = "copying"
    CHECKING = "checking"


Tell = Callable[[Stage, int, int], None]  # how many instances are done, and of how many


@dataclass(frozen=True, slots=True)
class Promoted:
    """Everything is there, and was found equal."""

    mended: Mended
    totals: dict[str, Total]


def obstacle_to(source: Source, target: Target, name: str, *, beside: bool) -> Refused | None:
    """Return what stands in the way of a promotion, None if nothing does; nothing is changed.

    `beside` says that the target may hold others. Raises StoreHalfFilled for a source that has not
    arrived as a whole itself, and StoreErrors.
    """
    promotions.refuse_half_filled(source)
    nodes = target.in_use_by()
    if nodes:
        return Refused(Obstacle.IN_USE, nodes)
    found = promotions.under_way(target)
    if found is not None:
        return None if found.source == name else Refused(Obstacle.ANOTHER, (found.source,))
    others = tuple(instance_id for _, instance_id in target.list_ids(0, _TOLD_MAX))
    if others and not beside:
        return Refused(Obstacle.HOLDS_OTHERS, others)
    for obstacle, names in (
        (Obstacle.IDS_TAKEN, _ids_taken(source, target)),
        (Obstacle.NOTES_TAKEN, _notes_taken(source, target)),
    ):
        told = tuple(name for name, _ in zip(names, range(_TOLD_MAX), strict=False))
        if told:
            return Refused(obstacle, told)
    return None


def _ids_taken(source: Source, target: Target) -> Iterator[str]:
    after_key = 0
    if not target.list_ids(0, 1):
        return
    while page := source.list_ids(after_key, streams.BATCH_ROWS_MAX):
        yield from target.ids_in_use([instance_id for _, instance_id in page])
        after_key = page[-1][0]


def _notes_taken(source: Source, target: Target) -> Iterator[str]:
    if not target.notes_by_row(0, 1):
        return
    for note in streams.notes(source, 0, source.numbers().note_row):
        if target.note(note.shelf, note.key) is not None:
            yield f"{note.shelf}: {note.key}"


def promote(
    source: Source,
    target: Target,
    *,
    name: str,
    now_us: Callable[[], int],
    beside: bool,
    tell: Tell,
) -> Refused | Promoted:
    """Move everything of a source into a target, and check that it is there.

    `name` names the source for people and for a later run that goes on where this one was killed.
    Raises as `obstacle_to` does, and StoreFailed if what is there is not what was put there.
    """
    refused = obstacle_to(source, target, name, beside=beside)
    if refused is not None:
        return refused
    found = promotions.under_way(target)
    if found is None:
        found = Promotion(name, now_us(), None)
        promotions.begin(target, found)
        nodes = target.in_use_by()
        if nodes:  # one of them has come before it could see the note
            promotions.drop(target)
            return Refused(Obstacle.IN_USE, nodes)
    own = _stretch_of(source, target, found)
    every = sum(source.counts().values())
    image = _Image(source, own)
    try:
        progress = _Progress(Stage.COPYING, every, tell)
        mended = mend_instances(image.instances(), target, own, progress.step)
    except IdsTaken as taken:
        return Refused(Obstacle.IDS_TAKEN, taken.ids[:_TOLD_MAX])
    mend_notes(image.notes(), target, own)
    mend_lifecycle(image.lifecycle(), target, own)
    totals = _compared(image, target, _Progress(Stage.CHECKING, every, tell))
    promotions.finish(target, replace(found, own=own), now_us(), totals)
    return Promoted(mended, totals)


def abandon(target: Target) -> Mended | None:
    """Take out again what a promotion that has not finished has put in; None if there is none.

    Its lifecycle rows stay, as those of instances that are gone always do.
    """
    found = promotions.under_way(target)
    if found is None:
        return None
    mended = Mended()
    if found.own is not None:
        mended = _cleared(target, found.own)
    promotions.drop(target)
    return mended


def _cleared(target: Target, own: Stretch) -> Mended:
    mend_notes((), target, own)
    return mend_instances((), target, own, lambda: None)


def _stretch_of(source: Source, target: Target, found: Promotion) -> Stretch:
    """Return the numbers of the source in the target, after noting them there."""
    numbers = source.numbers()
    if found.own is not None:
        if not any(numbers.beyond(found.own.length).each()):
            return _reserved(target, found.own)
        # A server has run on the source since, and it has numbers that nobody has reserved.
        _cleared(target, found.own)
    # Told before they are reserved, so that whoever is killed in between finds them again. The note
    # that tells them takes a number itself.
    own = Stretch(target.numbers().plus(Numbers(note_row=1)), numbers)
    promotions.begin(target, replace(found, own=own))
    return _reserved(target, own)


def _reserved(target: Target, own: Stretch) -> Stretch:
    """Reserve what is not yet. Raises StoreFailed if somebody else has taken of it meanwhile."""
    last = target.numbers()
    ends = zip(own.base.each(), last.each(), own.end.each(), strict=True)
    if any(first < now < end for first, now, end in ends):
        raise StoreFailed("somebody else is writing to the target: stop that first")
    wanted = own.end.beyond(last)
    if any(wanted.each()):
        target.reserve(wanted)
    return own


class _Image:
    """The rows of a source as they are to be in the target."""

    def __init__(self, source: Source, own: Stretch) -> None:
        self._source = source
        self.own = own

    def instances(self) -> Iterator[Whole]:
        for whole in streams.instances(self._source, 0, self.own.length.key):
            yield shifted(whole, self.own.base)

    def notes(self) -> Iterator[NoteRow]:
        for note in streams.notes(self._source, 0, self.own.length.note_row):
            yield shifted_note(note, self.own.base)

    def lifecycle(self) -> Iterator[LifecycleRow]:
        for row in streams.lifecycle(self._source, 0, self.own.length.lifecycle_seq):
            yield shifted_lifecycle(row, self.own.base)


class _Progress:
    """Counts what is done, and tells it."""

    def __init__(self, stage: Stage, of: int, tell: Tell) -> None:
        self._stage, self._of, self._tell = stage, of, tell
        self._done = 0
        tell(stage, 0, of)

    def step(self) -> None:
        self._done += 1
        self._tell(self._stage, self._done, self._of)


def _compared(image: _Image, target: Target, progress: _Progress) -> dict[str, Total]:
    """Return what is in each table. Raises StoreFailed where it is not what it should be."""
    wanted, found, own = Tally(), Tally(), image.own
    first_seq = own.end.lifecycle_seq
    for whole in image.instances():
        progress.step()
        wanted.add_instance(whole)
    for whole in streams.instances(target, own.base.key, own.end.key):
        found.add_instance(whole)
    for note in image.notes():
        wanted.add_note(note)
    for note in streams.notes(target, own.base.note_row, own.end.note_row):
        found.add_note(note)
    for row in image.lifecycle():
        first_seq = min(first_seq, row.seq - 1)
        wanted.add_lifecycle(row)
    # Older ones than the source has now were forgotten there since they were moved.
    for row in streams.lifecycle(target, first_seq, own.end.lifecycle_seq):
        found.add_lifecycle(row)
    totals = wanted.totals()
    differing = [table for table, total in found.totals().items() if total != totals[table]]
    if differing:
        raise StoreFailed(
            f"what was moved is not what is there, in: {', '.join(differing)}. Nothing was lost: "
            "the source is as it was. Run it again, which compares and mends every row"
        )
    return totals
