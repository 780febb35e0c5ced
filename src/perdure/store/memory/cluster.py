"""The reference of shared stores: several nodes on one shelf, with leases by a clock that is given.

Everything is done under one lock, so that each call is one moment.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from perdure.base.limits import LIFECYCLE_ROWS_MAX
from perdure.store.checks import check_entry
from perdure.store.leases import ANYTHING, Lease, Member, News, NodeReport, Standing, Term, Touched
from perdure.store.memory.applying import apply_entry
from perdure.store.memory.shelf import Draft, Instance, Shelf
from perdure.store.memory.store import MemoryStore
from perdure.store.moving import Shipment
from perdure.store.partitions import PARTITIONS, Partition, partition_of
from perdure.store.port import Entry, Outcome, Verdict
from perdure.store.touching import noted_ids, told_ids, touched_keys, touches_all_activities

_LEASES_FREE = News(leases=True)


@dataclass(slots=True)
class _Roll:
    """Who is there and who has what: leases by partition, members and when they run out by node."""

    leases: dict[Partition, Lease] = field(default_factory=dict)
    members: dict[str, tuple[Member, int]] = field(default_factory=dict)


class MemoryCluster:
    """One shelf that nodes share. `now_us` is the clock that leases run out by."""

    def __init__(
        self,
        now_us: Callable[[], int],
        *,
        partitions: int = PARTITIONS,
        lifecycle_rows_max: int = LIFECYCLE_ROWS_MAX,
    ) -> None:
        self.now_us = now_us
        self.partitions = partitions
        self.lifecycle_rows_max = lifecycle_rows_max
        self.roll = _Roll()
        self.shelf = Shelf()
        self.lock = Lock()
        self._open: list[SharedMemoryStore] = []

    def open(self) -> "SharedMemoryStore":
        """Return a way to the shelf for one more node."""
        return SharedMemoryStore(self)

    def lease_of(self, partition: Partition) -> Lease | None:
        """Return a lease as it stands; None if nobody ever had it."""
        return self.roll.leases.get(partition)

    def opened(self, store: "SharedMemoryStore") -> None:
        self._open.append(store)

    def tell(self, teller: "SharedMemoryStore", news: News) -> None:
        """Tell everybody else."""
        for each in list(self._open):
            if each is not teller:
                each.hear(news)

    def closed(self, store: "SharedMemoryStore") -> None:
        if store in self._open:
            self._open.remove(store)


class SharedMemoryStore(MemoryStore):
    """A `SharedStore` that forgets everything with the process; `close` only ends the listening."""

    def __init__(self, cluster: MemoryCluster) -> None:
        super().__init__(lifecycle_rows_max=cluster.lifecycle_rows_max)
        self._shelf, self._lock = cluster.shelf, cluster.lock
        self.hear: Callable[[News], None] = lambda news: None  # noqa: ARG005 - nobody listens yet
        self._cluster = cluster
        self._held: dict[Partition, Term] = {}
        cluster.opened(self)

    @property
    def partitions(self) -> int:
        return self._cluster.partitions

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        for entry in entries:
            check_entry(entry, shared=True)
        with self._lock:
            draft = Draft(self._shelf)
            outcomes: list[Outcome] = []
            telling = _Telling(self, draft)
            for entry in entries:
                if entry.term is not None and not self._is_running(entry.term):
                    outcomes.append(Outcome(Verdict.FENCED))
                    continue
                telling.about_to(entry)
                outcomes.append(apply_entry(draft, entry))
                telling.done(entry, outcomes[-1])
            news = telling.news()
            draft.keep(self._lifecycle_rows_max)
        if news != News():
            self._cluster.tell(self, news)
        return outcomes

    def _is_running(self, term: Term) -> bool:
        lease = self._cluster.roll.leases.get(term.partition)
        return lease is not None and lease.node is not None and lease.term == term

    def holds(self, partition: Partition) -> bool:
        """Tell whether this node has the lease of a partition; the lock is the caller's."""
        term = self._held.get(partition)
        return term is not None and self._is_running(term)

    # ---- leases

    def stand(self, report: NodeReport) -> Standing:
        with self._lock:
            now_us, roll = self._cluster.now_us(), self._cluster.roll
            until_us = now_us + report.ttl_us
            member = Member(report.node, report.name, report.apps)
            there = {n: of for n, of in roll.members.items() if of[1] > now_us}
            roll.members = there | {report.node: (member, until_us)}
            renewed = []
            for term in report.held:
                lease = roll.leases.get(term.partition)
                if lease is not None and (lease.node, lease.term) == (report.node, term):
                    roll.leases[term.partition] = replace(lease, expires_at_us=until_us)
                    renewed.append(term)
            self._held = {term.partition: term for term in renewed}
            members = tuple(member for _, (member, _) in sorted(roll.members.items()))
            leases = tuple(lease for _, lease in sorted(roll.leases.items()))
        return Standing(now_us, members, leases, tuple(renewed))

    def claim(self, node: str, partitions: Collection[Partition], ttl_us: int) -> tuple[Term, ...]:
        terms = []
        with self._lock:
            now_us, leases = self._cluster.now_us(), self._cluster.roll.leases
            for partition in sorted(set(partitions)):
                lease = leases.get(partition)
                number = 1
                if lease is not None:
                    if lease.node not in {None, node} and lease.expires_at_us > now_us:
                        continue
                    number = lease.term.number + 1
                term = Term(partition, number)
                leases[partition] = Lease(term, node, now_us + ttl_us)
                terms.append(term)
                self._held[partition] = term
        return tuple(terms)

    def release(self, node: str, terms: Collection[Term]) -> None:
        with self._lock:
            for term in terms:
                self._give_back(node, term)
        self._cluster.tell(self, _LEASES_FREE)

    def leave(self, node: str) -> None:
        with self._lock:
            roll = self._cluster.roll
            roll.members.pop(node, None)
            for lease in list(roll.leases.values()):
                self._give_back(node, lease.term)
        self._cluster.tell(self, _LEASES_FREE)

    def _give_back(self, node: str, term: Term) -> None:
        leases = self._cluster.roll.leases
        lease = leases.get(term.partition)
        if lease is not None and (lease.node, lease.term) == (node, term):
            leases[term.partition] = replace(lease, node=None)
            self._held.pop(term.partition, None)

    def in_use_by(self) -> tuple[str, ...]:
        with self._lock:
            members, now_us = self._cluster.roll.members.values(), self._cluster.now_us()
            return tuple(sorted(member.name for member, until_us in members if until_us > now_us))

    def receive(self, shipment: Shipment) -> tuple[str, ...]:
        taken = super().receive(shipment)
        if not taken:
            self._cluster.tell(self, ANYTHING)
        return taken

    def listen(self, hear: Callable[[News], None]) -> None:
        self.hear = hear

    def close(self) -> None:
        self._cluster.closed(self)


class _Telling:
    """Gathers what a commit has touched, entry by entry."""

    def __init__(self, store: SharedMemoryStore, draft: Draft) -> None:
        self._store = store
        self._of = store.partitions
        self._draft = draft
        self._touched: dict[Partition, dict[int, None]] = {}
        self._ids: dict[str, None] = {}
        self._noted: dict[str, None] = {}
        self._before: dict[int, Instance | None] = {}

    def about_to(self, entry: Entry) -> None:
        """Look at those who may be gone once an entry has landed."""
        keys = [entry.key, *(birth.replaces for birth in entry.births)]
        self._before = {key: self._draft.get(key) for key in keys if key is not None}

    def done(self, entry: Entry, outcome: Outcome) -> None:
        """Note what an entry has touched."""
        if outcome.verdict is not Verdict.LANDED:
            return
        born = {each.key for each in outcome.births}
        for key in touched_keys(entry, outcome):
            before, after = self._before.get(key), self._draft.get(key)
            instance = after or before
            if instance is None:
                continue  # what was to be replaced had gone before
            apps = [instance.identity.app_id]
            if key == entry.key:
                apps += [task.app_id for task in entry.tasks]
            if key in born:
                apps += [row.add.app_id for row in instance.tasks]
            if before and (after is None or touches_all_activities(entry)):
                apps += [row.add.app_id for row in before.tasks]
            for app_id in apps:
                self._touch(partition_of(app_id, instance.identity.instance_id, self._of), key)
        self._ids |= dict.fromkeys(told_ids(entry, outcome))
        self._noted |= dict.fromkeys(noted_ids(entry))

    def _touch(self, partition: Partition, key: int) -> None:
        if not self._store.holds(partition):
            self._touched.setdefault(partition, {})[key] = None

    def news(self) -> News:
        """Return what there is to tell."""
        touched = [Touched(where, tuple(keys)) for where, keys in sorted(self._touched.items())]
        return News(tuple(touched), tuple(self._ids), tuple(self._noted))
