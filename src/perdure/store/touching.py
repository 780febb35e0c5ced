"""What an entry that has landed has touched: whom a shared store has to tell of it.

Whoever owns a partition holds its instances in memory, and whoever runs an app's activities has
those in queues. They need to hear of an instance when somebody else has changed it:
- of the entry's own, unless the entry only notes hand-outs, takes rows from its inbox that no turn
  wants, or changes nothing of it; of each that was born, was replaced, or took a message;
- in the partition of each activity that was added; and in those of all its activities that had not
  ended, if it was suspended or resumed, its activities were given up, or it went.
Ids are told of whoever was born and of everybody in the lifecycle rows; and apart from these, of
whom notes on the shelves of events and starts that wait are about.
"""

from collections.abc import Iterator
from typing import Final

from perdure.core.notes import Shelf
from perdure.store.entries import Entry
from perdure.store.rows import Outcome

_AWAITED: Final = frozenset({Shelf.MAILBOX, Shelf.PARKED})


def touched_keys(entry: Entry, outcome: Outcome) -> Iterator[int]:
    """Yield the instances that a landed entry has touched, some of them more than once."""
    if entry.key is not None and _touches_its_own(entry):
        yield entry.key
    for birth, born in zip(entry.births, outcome.births, strict=True):
        if born.key is not None:
            yield born.key
            if birth.replaces is not None:
                yield birth.replaces
        elif born.inbox_seqs and entry.key is not None:
            yield entry.key
    for told in outcome.messages:
        if told is not None:
            yield told[0]


def touches_all_activities(entry: Entry) -> bool:
    """Tell whether those who run activities of the entry's own instance have to hear of it."""
    return entry.suspended is not None or entry.wipe_tasks or entry.purge


def told_ids(entry: Entry, outcome: Outcome) -> Iterator[str]:
    """Yield the ids that a landed entry has news of, some of them more than once."""
    for birth, born in zip(entry.births, outcome.births, strict=True):
        if born.key is not None:
            yield birth.identity.instance_id
    for row in (*entry.epitaph, *entry.lifecycle):
        yield row.instance_id


def noted_ids(entry: Entry) -> Iterator[str]:
    """Yield the ids about which a landed entry has written notes that somebody waits for."""
    for note in entry.notes:
        if note.shelf in _AWAITED and note.about is not None:
            yield note.about


def _touches_its_own(entry: Entry) -> bool:
    flags = (
        entry.moves
        or entry.head is not None
        or entry.suspended is not None
        or entry.held is not None
    )
    rows = entry.history or entry.inbox or entry.tasks or entry.ended_tasks
    rows_too = entry.timers or entry.ended_timers
    wipes = entry.wipe_history or entry.wipe_inbox or entry.wipe_tasks or entry.wipe_timers
    return bool(flags or rows or rows_too or wipes or entry.purge)
