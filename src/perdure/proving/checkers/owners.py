"""One owner at a time: nobody hands out or writes as an owner what another has the lease of."""

from collections.abc import Iterable

from perdure.proving.auditor import HandOut
from perdure.proving.checkers.base import Checker
from perdure.proving.disk import Commit
from perdure.proving.node import Node
from perdure.store.leases import Term
from perdure.store.partitions import Partition
from perdure.store.port import Verdict

# What was on its way out when a node came to stand still goes out when it goes on.
_OVERHANG_US = 1_000_000


class Owners(Checker):
    """Leases keep what they promise. There are none where one node has its disk alone."""

    promise = "owners"

    def landed(self, commit: Commit) -> None:
        ways = self.auditor.ways
        if ways is None:
            return
        for entry, outcome in zip(commit.entries, commit.outcomes, strict=True):
            if entry.term is None or outcome.verdict is not Verdict.LANDED:
                continue
            lease = ways.cluster.lease_of(entry.term.partition)
            assert lease is not None, entry
            if (lease.term, lease.node) != (entry.term, commit.node):
                text = f"{commit.node} has written under {entry.term}"
                self.accuse(f"{text}, and the lease is {lease.node}'s under {lease.term.number}")

    def handed_out(self, node: Node, out: HandOut) -> None:
        ways = self.auditor.ways
        if ways is None or ways.loop.now_us - node.stopped_until_us < _OVERHANG_US:
            return
        lease = ways.cluster.lease_of(ways.partition_of(out.item.instance_id))
        now_us = ways.cluster.now_us()
        if lease is None or lease.node != node.home.name or lease.expires_at_us <= now_us:
            holder = "nobody's" if lease is None else f"{lease.node}'s"
            text = f"{node.home.name} has handed out work of '{out.item.instance_id}'"
            self.accuse(f"{text}, whose lease is {holder}")

    def swept(self, nodes: Iterable[Node]) -> None:
        holders: dict[Partition, tuple[str, Term]] = {}
        for node in nodes:
            for term in node.terms():
                other = holders.get(term.partition)
                if other is not None:
                    self.accuse(f"{node.name} and {other[0]} both own {term.partition}")
                holders[term.partition] = (node.name, term)
