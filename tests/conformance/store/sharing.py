"""One node of a shared store, as tests have it: its store, and what it has heard."""

from collections.abc import Collection
from queue import Queue
from typing import Any, Final

from perdure.base.time import SECOND_US
from perdure.store.leases import News, NodeReport, Standing, Term
from perdure.store.partitions import Partition, partition_of
from perdure.store.port import Birth, Entry, Outcome
from perdure.store.sharing import SharedStore
from tests.conformance.store.making import birth, key_of

TTL_US: Final = 5 * SECOND_US
_PATIENCE_S: Final = 30.0


class Sharer:
    """A node that does what it is told."""

    def __init__(self, name: str, store: SharedStore) -> None:
        self.name = name
        self.store = store
        self.heard: Queue[News] = Queue()
        store.listen(self.heard.put)

    def stand(self, *held: Term, apps: tuple[str, ...] = ("shop",)) -> Standing:
        """Report, with leases to be renewed."""
        return self.store.stand(
            NodeReport(
                node=self.name, name=f"machine of {self.name}", apps=apps, held=held, ttl_us=TTL_US
            )
        )

    def claim(self, *partitions: Partition) -> tuple[Term, ...]:
        """Claim leases for the usual time."""
        return self.store.claim(self.name, partitions, TTL_US)

    def take(self, partition: Partition) -> Term:
        """Claim one lease, which must be free."""
        (term,) = self.claim(partition)
        return term

    def release(self, *terms: Term) -> None:
        """Give leases back."""
        self.store.release(self.name, terms)

    def commit(self, **fields: Any) -> Outcome:
        """Commit one entry."""
        (outcome,) = self.store.commit([Entry(**fields)])
        return outcome

    def bear(self, *births: Birth, term: Term | None = None) -> tuple[int, ...]:
        """Let instances be born in one commit."""
        outcomes = self.store.commit(
            [Entry(key=None, term=term, births=(each,)) for each in births]
        )
        return tuple(key_of(outcome.births[0]) for outcome in outcomes)

    def hears(self) -> News:
        """Return the next news, once it has come."""
        return self.heard.get(timeout=_PATIENCE_S)


def place(instance_id: str, app_id: str = "shop") -> Partition:
    """Return where an instance lies."""
    return partition_of(app_id, instance_id)


def ids_in(partition: Partition, count: int, prefix: str = "i") -> list[str]:
    """Return ids of instances that lie in one partition."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        if place(f"{prefix}{number}", partition.app_id) == partition:
            found.append(f"{prefix}{number}")
        number += 1
    return found


def birth_within(partition: Partition, **fields: Any) -> Birth:
    """Return the birth of an instance of a partition."""
    (instance_id,) = ids_in(partition, 1)
    return birth(instance_id, app_id=partition.app_id, **fields)


def keys_told(news: News) -> dict[Partition, tuple[int, ...] | None]:
    """Return which keys news tells of, by partition."""
    assert news.touched is not None
    return {touched.partition: touched.keys for touched in news.touched}


def partitions_of(terms: Collection[Term]) -> set[Partition]:
    return {term.partition for term in terms}
