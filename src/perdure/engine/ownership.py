"""What this process owns: everything, or the partitions that it has leases on.

Only an owner holds instances and activities in memory and hands them out. What it commits carries
the term under which it came to hold them, so that nothing of it lands once that is over. A sole
owner knows no terms and asks nobody.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Final, Protocol

from perdure.engine.quotas import Quotas
from perdure.engine.settings import Sharing
from perdure.store.leases import Term
from perdure.store.partitions import (
    HOUSEKEEPING,
    PARTITIONS,
    Partition,
    is_of_limit,
    number_of,
)


class Ownership(Protocol):
    """What the rooms of the engine ask."""

    @property
    def alone(self) -> bool:
        """Whether nobody else can own anything."""
        ...

    @property
    def keeps_house(self) -> bool:
        """Whether what belongs to no app is done here."""
        ...

    @property
    def epoch(self) -> int:
        """How often anything was taken; what was read before a taking may be out of date."""
        ...

    @property
    def within(self) -> Collection[Partition] | None:
        """What is owned, as the store's reads ask for it."""
        ...

    @property
    def quotas(self) -> Quotas | None:
        """The shares of limits that hold for all nodes; None for a sole owner."""
        ...

    def owns(self, app_id: str, instance_id: str) -> bool:
        """Tell whether an app's work for an instance is done here."""
        ...

    def term_of(self, app_id: str, instance_id: str) -> Term | None:
        """Return the term under which that is done; None if it is not, or nobody else could."""
        ...

    def term_in(self, partition: Partition | None) -> Term | None:
        """Return the term of a partition; None if it is not held, or nobody else could hold it."""
        ...

    def may_hand_out(self) -> bool:
        """Tell whether work may be handed out: whether the leases are sure to run still."""
        ...

    def goes_on(self, term: Term | None) -> bool:
        """Tell whether what was taken in under a term is to be gone on with."""
        ...


class Alone:
    """A sole owner."""

    alone: Final = True
    keeps_house: Final = True
    epoch: Final = 0
    within: Final = None
    quotas: Final = None

    def owns(self, app_id: str, instance_id: str) -> bool:
        del app_id, instance_id
        return True

    def term_of(self, app_id: str, instance_id: str) -> Term | None:
        del app_id, instance_id
        return None

    def term_in(self, partition: Partition | None) -> Term | None:
        del partition
        return None

    def may_hand_out(self) -> bool:
        return True

    def goes_on(self, term: Term | None) -> bool:
        del term
        return True


ALONE: Final = Alone()


class Leased:
    """An owner of what it has leases on. `now_s` is a clock that only ever goes on."""

    alone: Final = False

    def __init__(self, now_s: Callable[[], float], partitions: int = PARTITIONS) -> None:
        """Begin with nothing, in a store with so many partitions for each app."""
        self.epoch = 0
        self.until_s = 0.0  # until when the leases are sure to run
        self._now_s = now_s
        self._partitions = partitions
        self._terms: dict[Partition, Term] = {}
        # By app and number, those that are not being given back.
        self._active: dict[tuple[str, int], Term] = {}
        self.quotas = Quotas(self, now_s)

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of what is held, what is being given back among it."""
        return tuple(self._terms.values())

    @property
    def keeps_house(self) -> bool:
        """Whether the lease on the housekeeping is held."""
        return (HOUSEKEEPING.app_id, HOUSEKEEPING.number) in self._active

    @property
    def within(self) -> Collection[Partition]:
        """The partitions that are held and not being given back."""
        held = [term.partition for term in self._active.values()]
        return frozenset(partition for partition in held if not is_of_limit(partition))

    def partition_of(self, app_id: str, instance_id: str) -> Partition:
        """Return where an app's work for an instance lies."""
        return Partition(app_id, number_of(instance_id, self._partitions))

    def owns(self, app_id: str, instance_id: str) -> bool:
        """Tell whether an app's work for an instance is done here."""
        return (app_id, number_of(instance_id, self._partitions)) in self._active

    def term_of(self, app_id: str, instance_id: str) -> Term | None:
        """Return the term under which that is done."""
        return self._active.get((app_id, number_of(instance_id, self._partitions)))

    def term_in(self, partition: Partition | None) -> Term | None:
        """Return the term of a partition that is not being given back."""
        return None if partition is None else self._active.get((partition.app_id, partition.number))

    def may_hand_out(self) -> bool:
        """Tell whether the leases were renewed in time."""
        return self._now_s() < self.until_s

    def goes_on(self, term: Term | None) -> bool:
        """Tell whether a term is held and not being given back."""
        return term is not None and self.term_in(term.partition) == term

    def holds(self, term: Term) -> bool:
        """Tell whether a term is held, even if it is being given back."""
        return self._terms.get(term.partition) == term

    # ---- changes

    def take(self, terms: Collection[Term]) -> None:
        """Own what belongs to these from now on."""
        self.epoch += 1
        for term in terms:
            self._terms[term.partition] = term
            self._active[term.partition.app_id, term.partition.number] = term

    def begin_to_give_back(self, terms: Collection[Term]) -> None:
        """Begin nothing new of what belongs to these."""
        for term in terms:
            if self.holds(term):
                self._active.pop((term.partition.app_id, term.partition.number), None)

    def drop(self, terms: Collection[Term]) -> None:
        """Own what belongs to these no longer."""
        self.begin_to_give_back(terms)
        for term in terms:
            if self.holds(term):
                del self._terms[term.partition]


def owner_of(sharing: Sharing | None) -> Ownership:
    """Return who owns what, for a store that is shared or not; on the loop that it is to run on."""
    if sharing is None:
        return ALONE
    return Leased(asyncio.get_running_loop().time, sharing.store.partitions)
