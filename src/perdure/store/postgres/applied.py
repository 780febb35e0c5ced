"""Entries applied to a batch, before anything of it is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from perdure.store.applying import apply_entry
from perdure.store.gathering import Name
from perdure.store.port import Entry, Outcome, Verdict
from perdure.store.postgres.batch import Batch
from perdure.store.postgres.learning import Learned
from perdure.store.postgres.numbering import NumberSeries
from perdure.store.postgres.telling import Telling, open_tasks_by_key


@dataclass(frozen=True, slots=True)
class Applied:
    """A batch, how its entries fared, and what there is to tell of them."""

    batch: Batch
    outcomes: list[Outcome]
    telling: Telling


def applied(
    learned: Learned,
    partitions: int,
    entries: Sequence[Entry],
    open_tasks: Sequence[tuple[Name, str]],
    numbers: NumberSeries,
    *,
    tells: bool,
) -> Applied:
    """Apply entries, save those under terms that are over; gather the news if `tells`."""
    batch = Batch(learned, numbers, partitions)
    telling = Telling(batch, open_tasks_by_key(open_tasks))
    outcomes: list[Outcome] = []
    for entry in entries:
        if entry.term is not None and entry.term not in learned.terms:
            outcomes.append(Outcome(Verdict.FENCED))
            continue
        if tells:
            telling.about_to(entry)
        outcomes.append(apply_entry(batch, entry))
        if tells:
            telling.done(entry, outcomes[-1])
    return Applied(batch, outcomes, telling)
