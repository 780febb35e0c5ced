"""A node's leases: renewed on its beat, taken and given back by the rules of `engine.placement`.

Theory of operation.
- On every beat, and when there is reason to, the node *stands*: it reports that it is there, which
  apps have workers here and what it holds, and is told how things stand. What it holds and was not
  renewed is lost. What the rules say is to be here is claimed, what is to be elsewhere given back.
- What is held is sure to run from the moment the report was begun for as long as it was asked for,
  less a margin. After that moment nothing is handed out, and everything is let go of, whether or
  not the store can be reached. That spares work from being done twice; that nothing wrong is
  written does not hang on it, nor on any clock (see `engine.placement`).
- What was let go of is never simply gone on with: it is claimed anew, under a new term, and read
  from the store, since others may have changed it.
- A partition that is to go elsewhere is given back once nothing of it is out any more, or after a
  while all the same. A node that stops gives everything back at once.
- An app counts as having workers here for a moment after its last one has gone: most come back.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from perdure.base.errors import StoreError
from perdure.base.limits import LEASE_DRAIN_US, WORKERS_LINGER_US
from perdure.base.observer import Observer
from perdure.base.time import SECOND_US
from perdure.engine.landing import Landing
from perdure.engine.ownership import Leased
from perdure.engine.placement import changes_of, holders_of
from perdure.engine.reading import Reader
from perdure.engine.settings import Sharing
from perdure.store.leases import NodeReport, Standing, Term
from perdure.store.partitions import HOUSEKEEPING, Partition, is_of_limit
from perdure.store.port import Entry

_WHERE: Final = "seeing to leases"
_DRAIN_LOOK_S: Final = 0.05


class Tenant(Protocol):
    """Who holds in memory what there are leases for."""

    def taken(self, terms: Collection[Term]) -> None:
        """Take in what is under way in partitions that are held from now on."""
        ...

    def lost(self, terms: Collection[Term]) -> None:
        """Drop everything that is held under terms that are over."""
        ...

    def out_under(self, terms: Collection[Term]) -> bool:
        """Tell whether work is out of what is held under these terms."""
        ...

    def widened(self) -> None:
        """Hand out what waited for a limit: more of it may be out here now."""
        ...


@dataclass(slots=True)
class LeaseFigures:
    """What there is to tell of leases since the start."""

    held: int = 0  # now, without the housekeeping
    taken: int = 0
    taken_over: int = 0  # of these, from a holder that did not give them back
    given_back: int = 0
    lost: int = 0  # not renewed in time, or taken over by another


class Leases:
    """Sees to the leases of one node."""

    def __init__(
        self,
        sharing: Sharing,
        owner: Leased,
        landing: Landing,
        observer: Observer,
        apps: Callable[[], list[str]],
        held: Tenant,
    ) -> None:
        """Begin with none. `apps` returns which apps have workers here."""
        self.store = sharing.store
        self._sharing = sharing
        self._owner = owner
        self._landing = landing
        self._observer = observer
        self._apps = apps
        self._held = held
        self._quotas = owner.quotas
        self._quotas.on_want = self.look_again
        self._quotas.on_idle = self._give_places_back
        # One thread of its own: a store that is slow to read must not keep leases from renewal.
        self._reader = Reader(sharing.store, observer, threads=1)
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._lapses: asyncio.TimerHandle | None = None
        self._seen_s: dict[str, float] = {}
        self._leaving: dict[Term, float] = {}  # and when each began to leave
        self._stopping = False
        self.standing: Standing | None = None
        self.figures = LeaseFigures()

    # ---- life

    async def start(self) -> None:
        """Stand for the first time; raises a StoreError if the store cannot be asked."""
        await self._stand()

    async def run(self) -> None:
        """See to the leases until cancelled."""
        called_s = -float("inf")
        while not self._stopping:
            pause_us = self._sharing.beat_us
            with suppress(TimeoutError):
                # `wait_for` may overhear that it is to end.
                async with asyncio.timeout(pause_us / SECOND_US):
                    await self._changed.wait()
                # At once, unless it has been at once a moment ago.
                calm_s = called_s + self._sharing.calm_us / SECOND_US - self._loop.time()
                await asyncio.sleep(max(0.0, calm_s))
                called_s = self._loop.time()
            self._changed.clear()
            try:
                await self._stand()
            except StoreError as error:
                self._observer.fault(_WHERE, error)
                await asyncio.sleep(pause_us / 5 / SECOND_US)

    async def stop(self) -> None:
        """Give everything back, so that others need not wait. Nothing is landed after this."""
        self._stopping = True
        if self._lapses is not None:
            self._lapses.cancel()
        self._owner.drop(self._owner.terms)
        try:
            await self._reader.read(lambda _: self._sharing.store.leave(self._sharing.node))
        except StoreError as error:
            self._observer.fault(_WHERE, error)
        self._reader.stop()

    def look_again(self) -> None:
        """Stand before the next beat: leases may be free, or workers have come."""
        self._changed.set()

    def holder_of(self, partition: Partition) -> str | None:
        """Return who had the lease of a partition when last looked."""
        return None if self.standing is None else holders_of(self.standing).get(partition)

    def fenced(self, term: Term) -> None:
        """Take note that the store finds a term over."""
        if self._owner.holds(term):
            self._lose([term])
            self._changed.set()

    # ---- standing

    async def _stand(self) -> None:
        sharing, store = self._sharing, self._sharing.store
        began_s = self._loop.time()
        report = NodeReport(
            node=sharing.node,
            name=sharing.name,
            apps=(*self._apps_here(began_s), *self._quotas.asked(self._held.widened)),
            held=self._owner.terms,
            ttl_us=sharing.lease_ttl_us,
        )
        standing = await self._reader.read(lambda _: store.stand(report))
        self._observer.leases_renewed()
        if self._stopping:
            return
        self.standing = standing
        self._lose([term for term in report.held if term not in standing.renewed])
        self._owner.until_s = began_s + (sharing.lease_ttl_us - sharing.margin_us) / SECOND_US
        self._set_lapse()
        terms, places = self._owner.terms, self._quotas.places
        changes = changes_of(sharing.node, terms, standing, store.partitions, places)
        scarce = self._quotas.changes(sharing.node, standing)
        self._begin_to_give_back([*changes.release, *scarce.release])
        if changes.claim or scarce.claim:
            await self._claim([*changes.claim, *scarce.claim], standing)

    async def _claim(self, wanted: Collection[Partition], standing: Standing) -> None:
        sharing, store = self._sharing, self._sharing.store
        known = {lease.term.partition: lease for lease in standing.leases}
        terms = await self._reader.read(
            lambda _: store.claim(sharing.node, wanted, sharing.lease_ttl_us)
        )
        if self._stopping or not terms:
            return
        self._owner.take(terms)
        self._quotas.taken(term for term in terms if is_of_limit(term.partition))
        self._held.widened()
        terms = tuple(term for term in terms if not is_of_limit(term.partition))
        over = [
            lease
            for term in terms
            if (lease := known.get(term.partition)) is not None
            and lease.node not in {None, sharing.node}
        ]
        self.figures.taken += len(terms)
        self.figures.taken_over += len(over)
        self._count()
        if terms:
            self._observer.leases_taken(count=len(terms), from_the_dead=len(over))
            self._held.taken(terms)

    def _apps_here(self, now_s: float) -> tuple[str, ...]:
        self._seen_s |= dict.fromkeys(self._apps(), now_s)
        since_s = now_s - WORKERS_LINGER_US / SECOND_US
        self._seen_s = {app: seen_s for app, seen_s in self._seen_s.items() if seen_s > since_s}
        return tuple(sorted(self._seen_s))

    # ---- losing

    def _set_lapse(self) -> None:
        if self._lapses is not None:
            self._lapses.cancel()
        self._lapses = self._loop.call_at(self._owner.until_s, self._lapse)

    def _lapse(self) -> None:
        """Let go of everything: it could not be renewed in time."""
        self._lapses = None
        if self._owner.terms:
            self._lose(self._owner.terms)
            self._changed.set()

    def _lose(self, terms: Collection[Term]) -> None:
        lost = [term for term in terms if self._owner.holds(term)]
        if lost:
            self.figures.lost += len(lost)
            self._observer.leases_lost(count=len(lost))
            self._drop(lost)

    def _drop(self, terms: Collection[Term]) -> None:
        self._owner.drop(terms)
        for term in terms:
            self._leaving.pop(term, None)
        self._quotas.lost(terms)
        self._count()
        self._held.lost(terms)

    def _count(self) -> None:
        held = [term.partition for term in self._owner.terms]
        self.figures.held = sum(each != HOUSEKEEPING and not is_of_limit(each) for each in held)

    # ---- giving back

    def _begin_to_give_back(self, terms: Collection[Term]) -> None:
        self._quotas.leave([term for term in terms if is_of_limit(term.partition)])
        terms = [term for term in terms if not is_of_limit(term.partition)]
        fresh = [term for term in terms if term not in self._leaving]
        self._owner.begin_to_give_back(fresh)
        was_idle = not self._leaving
        self._leaving |= dict.fromkeys(fresh, self._loop.time())
        if was_idle and self._leaving:
            self._landing.spawn(self._give_back(), "giving leases back")

    async def _give_back(self) -> None:
        """Give leases back as soon as nothing of them is out, or after a while."""
        while self._leaving:
            late_s = self._loop.time() - LEASE_DRAIN_US / SECOND_US
            done = [
                term
                for term, since_s in self._leaving.items()
                if since_s <= late_s or not self._held.out_under([term])
            ]
            if done:
                await self._give_back_now(done)
            else:
                await asyncio.sleep(_DRAIN_LOOK_S)

    def _give_places_back(self, terms: list[Term]) -> None:
        self._landing.spawn(self._give_back_now(terms), "giving places back")

    async def _give_back_now(self, terms: list[Term]) -> None:
        self._drop(terms)
        try:
            # What was handed in under them lands first, or it would be done once more elsewhere.
            await self._landing.once(Entry(key=None), lambda _: None)
            await self._reader.read(
                lambda _: self._sharing.store.release(self._sharing.node, terms)
            )
            self.figures.given_back += len(terms)
        except StoreError as error:
            # They run out, and meanwhile are not renewed.
            self._observer.fault(_WHERE, error)
