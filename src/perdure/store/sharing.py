"""A store that several nodes share: what they need of it besides what every store does.

Theory of operation.
- Each node has a `SharedStore` of its own on the same data, and holds partitions under leases
  (`store.leases`). Calls about leases may come from any thread.
- The terms of the entries of a commit are looked at in its own transaction, and cannot end before
  that does. An entry under a term that is over is FENCED and changes nothing.
- Leases run out by the store's clock and by no node's. Taking one over gives it a higher number, so
  that everything that is still made under the old one is FENCED.
- Whoever listens is told of the commits of others, one `News` a commit at most (`store.touching`
  says of what). News may be lost, or come before a call that it has to do with has returned; it is
  never needed for being right.
"""

from collections.abc import Callable, Collection
from typing import Protocol, runtime_checkable

from perdure.store.leases import News, NodeReport, Standing, Term
from perdure.store.partitions import Partition
from perdure.store.port import Store


@runtime_checkable
class SharedStore(Store, Protocol):
    """One node's way to a store that several nodes share.

    What becomes of a commit whose reply is lost is unknown: then it raises StoreUnsure.
    """

    @property
    def partitions(self) -> int:
        """How many partitions each app has in this store."""
        ...

    def stand(self, report: NodeReport) -> Standing:
        """Take in a node's report, renew its leases, and return how things stand.

        A lease is renewed if its term is still the present one, even when it had run out.
        """
        ...

    def claim(self, node: str, partitions: Collection[Partition], ttl_us: int) -> tuple[Term, ...]:
        """Take leases that are free, have run out, or are the node's own; return the new terms.

        Whatever is made under an earlier term of theirs is FENCED from then on. Partitions of which
        somebody else has a lease that runs are left out.
        """
        ...

    def release(self, node: str, terms: Collection[Term]) -> None:
        """Give leases back, so that others need not wait, and tell them. Terms over are ignored."""
        ...

    def leave(self, node: str) -> None:
        """Give every lease of a node back, let it count as there no longer, and tell the others."""
        ...

    def listen(self, hear: Callable[[News], None]) -> None:
        """Call `hear`, from any thread, with what others do from now on.

        It takes the place of who listened before, must return at once and raise nothing. ANYTHING
        is told when news may have been missed.
        """
        ...
