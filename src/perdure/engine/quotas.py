"""Limits that hold for all nodes of a store together: each is cut into places, held under leases.

Theory of operation.
- A limit is cut into places: one for each piece of work that may be out, or of a large limit fewer
  and larger ones. A place is a partition of an app that is none, so that it is taken, renewed, lost
  and taken over as any other is. A node hands out as much as the places that it holds add up to.
- A node asks for places of a limit while something of it is out here, or was to go out.
- Where there are places for all who ask, they are spread evenly, as partitions are. Where there are
  fewer, whoever has had one for a while stops using it, gives it back once nothing is out under it,
  and lets others go first.
- A place is never given back while what is out needs it, however long that takes. So no more is out
  than the limit says, save what a node still has that could not renew its leases.
- Where a limit by name lies within one of all names, work needs a place of both. The wider one
  comes first: whoever has none of it does not keep what it has of the narrower one. Else two nodes
  could have one each, do nothing with it, and exchange them for ever.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from perdure.base.limits import PLACE_HELD_US, PLACES_LINGER_US, PLACES_MAX
from perdure.base.time import SECOND_US
from perdure.engine.placement import Changes, holders_of, scarce_limits
from perdure.store.leases import Standing, Term
from perdure.store.partitions import LIMIT, Partition


class Holder(Protocol):
    """Who holds leases (`engine.ownership.Leased`)."""

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of what is held, what is being given back among it."""
        ...

    def term_in(self, partition: Partition | None) -> Term | None:
        """Return the term of a partition that is not being given back."""
        ...

    def begin_to_give_back(self, terms: Collection[Term]) -> None:
        """Begin nothing new of what belongs to these."""
        ...


class Quota:
    """This node's share of one limit."""

    def __init__(self, app_id: str, most: int, quotas: "Quotas", wider: "Quota | None") -> None:
        """Begin without places of a limit of `most`, which lies within a `wider` one or in none."""
        self.app_id = app_id
        self.wider = wider
        self.places = min(most, PLACES_MAX)
        self.out = 0
        self.needed_s = float("-inf")
        self.wanted = False
        self.asks = False
        self._most = most
        self._quotas = quotas

    def full(self) -> bool:
        """Tell whether nothing more may go out now."""
        return self.out >= self.share()

    def refuses(self) -> bool:
        """Tell whether what is to go out may not; then more places are asked for."""
        is_full = self.full()
        if is_full:
            self._quotas.want(self)
        return is_full

    def share(self) -> int:
        """Return how many may be out here, for the places that are not to be given back."""
        holds = self._quotas.holds
        return sum(self.size(place) for place in range(self.places) if holds(self.app_id, place))

    def size(self, place: int) -> int:
        """Return how many may be out for a place."""
        least, larger = divmod(self._most, self.places)
        return least + (place < larger)

    def useless(self) -> bool:
        """Tell whether its places are good for nothing, for want of one of the wider limit."""
        return self.out == 0 and self.wider is not None and self.wider.share() == 0

    def take(self) -> None:
        """Count one out."""
        self.out += 1
        self.wanted = False  # whoever is next says so

    def give(self) -> None:
        """Count one back in."""
        self.out -= 1
        self.needed_s = self._quotas.now_s()
        self._quotas.came_back(self)


class Quotas:
    """All limits of one node. `on_want` and `on_idle` are set by whoever sees to the leases."""

    def __init__(self, owner: Holder, now_s: Callable[[], float]) -> None:
        """Begin without limits."""
        self.on_want: Callable[[], None] = lambda: None
        self.on_idle: Callable[[list[Term]], None] = lambda terms: None  # noqa: ARG005 - nobody listens yet
        self._owner = owner
        self.now_s = now_s
        self._quotas: dict[str, Quota] = {}
        self._since_s: dict[Term, float] = {}
        self._leaving: dict[str, list[Term]] = {}  # places that are to be given back, by app
        self._resting: dict[str, float] = {}  # limits of which others are to have a place first

    def of(self, kind: str, name: str, most: int, wider: Quota | None = None) -> Quota:
        """Return the share of a limit of a kind of work; the name "" is for all names.

        What is out under a limit of one name may be out under a `wider` one of all names, too.
        """
        app_id = f"{LIMIT}{kind}/{name}"
        quota = self._quotas[app_id] = Quota(app_id, most, self, wider)
        return quota

    @property
    def places(self) -> Mapping[str, int]:
        """How many places each limit has."""
        return {app_id: quota.places for app_id, quota in self._quotas.items()}

    def asked(self, look: Callable[[], None]) -> list[str]:
        """Return the limits that places are asked for of; `look` tries to hand everything out."""
        if not self._quotas:
            return []
        for quota in self._quotas.values():
            quota.wanted = False
            quota.asks = True  # nobody has to be told of what is found now
        look()
        since_s = self.now_s() - PLACES_LINGER_US / SECOND_US
        for quota in self._quotas.values():
            lingers = quota.needed_s > since_s and not quota.useless()
            quota.asks = quota.out > 0 or quota.wanted or lingers
        return sorted(app_id for app_id, quota in self._quotas.items() if quota.asks)

    def want(self, quota: Quota) -> None:
        """Ask for places of a limit."""
        quota.wanted = True
        quota.needed_s = self.now_s()
        if not quota.asks:
            quota.asks = True
            self.on_want()

    def holds(self, app_id: str, place: int) -> bool:
        """Tell whether a place is held and not to be given back."""
        return self._owner.term_in(Partition(app_id, place)) is not None

    # ---- leases

    def taken(self, terms: Iterable[Term]) -> None:
        """Take note of places that are held from now on."""
        self._since_s |= dict.fromkeys(terms, self.now_s())

    def lost(self, terms: Iterable[Term]) -> None:
        """Take note of places that are held no longer."""
        for term in terms:
            self._since_s.pop(term, None)
            leaving = self._leaving.get(term.partition.app_id, [])
            if term in leaving:
                leaving.remove(term)

    def changes(self, node: str, standing: Standing) -> Changes:
        """Return what to do about places of limits of which there are fewer than are asked for."""
        now_s = self.now_s()
        rested_s = now_s - PLACE_HELD_US / SECOND_US
        resting = {app_id for app_id, at_s in self._resting.items() if at_s > rested_s}
        ripe = {term for term, at_s in self._since_s.items() if at_s <= rested_s}
        asker = Asker(node, self._owner.terms, ripe, resting)
        changes = scarce_changes(asker, standing, self.places)
        return replace(changes, release=(*changes.release, *self._useless_after(changes.release)))

    def _useless_after(self, release: Collection[Term]) -> list[Term]:
        """Return the places that are of no use once these are given back."""
        kept = {term.partition.app_id for term in self._owner.terms if term not in release}
        useless = {
            quota.app_id
            for quota in self._quotas.values()
            if quota.out == 0 and quota.wider is not None and quota.wider.app_id not in kept
        }
        return [
            term
            for term in self._owner.terms
            if term.partition.app_id in useless and term not in release
        ]

    def leave(self, terms: Iterable[Term]) -> None:
        """Use places no longer, and have them given back once nothing is out under them."""
        fresh = [term for term in terms if not self._is_leaving(term)]
        self._owner.begin_to_give_back(fresh)
        for term in fresh:
            self._leaving.setdefault(term.partition.app_id, []).append(term)
        for app_id in {term.partition.app_id for term in fresh}:
            self._give_back(app_id)

    def came_back(self, quota: Quota) -> None:
        """Give places back that nothing is out under any more."""
        if self._leaving.get(quota.app_id):
            self._give_back(quota.app_id)

    def _is_leaving(self, term: Term) -> bool:
        return term in self._leaving.get(term.partition.app_id, ())

    def _give_back(self, app_id: str) -> None:
        quota = self._quotas.get(app_id)
        leaving, free = self._leaving[app_id], []
        while leaving and (
            quota is None or quota.out <= quota.share() + _sizes(quota, leaving[1:])
        ):
            free.append(leaving.pop(0))
        if free:
            self._resting[app_id] = self.now_s()
            self.on_idle(free)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks what to do: a node, what it holds, and what of that it has held for long enough.

    Of limits that are `resting` it lets others go first.
    """

    node: str
    held: Collection[Term]
    ripe: Collection[Term]
    resting: Collection[str]


def scarce_changes(asker: Asker, standing: Standing, places: Mapping[str, int]) -> Changes:
    """Return what a node is to do about places of scarce limits.

    It is to have one of each at most; those that it has had for a while go round.
    """
    running = holders_of(standing)
    claim: list[Partition] = []
    release: list[Term] = []
    for app_id in sorted(scarce_limits(standing, places)):
        asking = [member.node for member in standing.members if app_id in member.apps]
        mine = [term for term in asker.held if term.partition.app_id == app_id]
        holders = {node for partition, node in running.items() if partition.app_id == app_id}
        free = [n for n in range(places[app_id]) if Partition(app_id, n) not in running]
        asks = asker.node in asking
        if asks and not mine and free and app_id not in asker.resting:
            claim.append(Partition(app_id, free[asking.index(asker.node) % len(free)]))
        elif any(node not in holders for node in asking):
            release += [
                term for n, term in enumerate(mine) if n > 0 or term in asker.ripe or not asks
            ]
    return Changes(tuple(claim), tuple(release))


def _sizes(quota: Quota, terms: Iterable[Term]) -> int:
    return sum(quota.size(term.partition.number) for term in terms)
