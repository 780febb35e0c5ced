"""Who is to have which partition: plain functions of how things stand, the same at every node.

The rules.
1. The partitions of an app are spread over the nodes that have workers of it, as evenly as whole
   numbers allow. A node without workers of an app has none of its partitions.
2. Nobody has to give up more than it has above its share: whoever is above it keeps the first ones,
   and the places of those that are one larger go to the nodes that have the most already. So as few
   move as can be, and where all is even nothing moves.
3. A partition moves only when it is free: because its holder gave it back, which it does once it
   sees that another is to have it, or because the lease has run out, which is how those of a dead
   node come free. Nobody takes a lease that runs.
4. The housekeeping is with one node, whether it has workers or not, and stays there.

Each node acts on its own view, which may be older than another's. Then two may claim the same one,
and the store gives it to the first; or one is given back and taken again. As soon as all see the
same, all want the same, and nothing more moves.

Why two owners cannot both commit. A holding of a partition has a term, a number that the store
gives out with the lease and that no other holding of the partition has. What an owner commits
carries it. The store looks at the lease in the transaction of that commit: the term must be the
lease's present one. Whoever takes the lease over changes the same row, to a higher number, in a
transaction of its own. These two transactions are in some order. If the commit is first, it is
there when the taking returns, and only then does the new owner read what it goes on from. If the
taking is first, the commit finds another number, and is FENCED. No clock is part of this: that
leases run out decides when one may be taken, not who may write. A node that was stopped in the
middle of anything, for however long, finds its next commit FENCED. Besides, a turn expects the
version of its instance, and the end of an activity or timer its row, so that a mistake here could
not have a result count twice.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from perdure.store.leases import Standing, Term
from perdure.store.partitions import HOUSEKEEPING, LIMIT, Partition

NO_LIMITS: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Changes:
    """What a node is to do about its leases now, in the order of partitions."""

    claim: tuple[Partition, ...]
    release: tuple[Term, ...]


def changes_of(
    node: str,
    held: Collection[Term],
    standing: Standing,
    partitions: int,
    places: Mapping[str, int] = NO_LIMITS,
) -> Changes:
    """Return what a node that holds some leases is to do; it is among the standing's members.

    Each app has so many `partitions`, each limit its number of `places`.
    """
    owners = owners_of(standing, partitions, places)
    scarce = scarce_limits(standing, places)
    held = [term for term in held if term.partition.app_id not in scarce]
    mine = {term.partition for term in held}
    running = holders_of(standing)
    claim = [
        partition
        for partition, owner in owners.items()
        if owner == node and partition not in mine and running.get(partition, node) == node
    ]
    release = [term for term in held if owners.get(term.partition) != node]
    return Changes(tuple(sorted(claim)), tuple(sorted(release, key=lambda term: term.partition)))


def holders_of(standing: Standing) -> dict[Partition, str]:
    """Return who has a lease that runs, by partition."""
    return {
        lease.term.partition: lease.node
        for lease in standing.leases
        if lease.node is not None and lease.expires_at_us > standing.now_us
    }


def scarce_limits(standing: Standing, places: Mapping[str, int]) -> frozenset[str]:
    """Return the limits with fewer places than there are nodes that ask (see `engine.quotas`)."""
    return frozenset(
        app_id
        for app_id, count in places.items()
        if sum(app_id in member.apps for member in standing.members) > count
    )


def owners_of(
    standing: Standing, partitions: int, places: Mapping[str, int] = NO_LIMITS
) -> dict[Partition, str]:
    """Return who is to have each partition, of those that anybody is to have.

    Scarce limits are left out, and limits that others have and this node does not know.
    """
    scarce = scarce_limits(standing, places)
    running = holders_of(standing)
    nodes = [member.node for member in standing.members]
    owners: dict[Partition, str] = {}
    if nodes:
        keeper = running.get(HOUSEKEEPING)
        owners[HOUSEKEEPING] = keeper if keeper in nodes else nodes[0]
    for app_id in sorted({app for member in standing.members for app in member.apps}):
        fitting = [member.node for member in standing.members if app_id in member.apps]
        is_limit = app_id.startswith(LIMIT)
        if is_limit and (app_id in scarce or app_id not in places):
            continue
        count = places[app_id] if is_limit else partitions
        of_app = {
            number: running[partition]
            for number in range(count)
            if (partition := Partition(app_id, number)) in running
        }
        for number, node in _spread(fitting, of_app, range(count)).items():
            owners[Partition(app_id, number)] = node
    return owners


def _spread(nodes: list[str], running: Mapping[int, str], numbers: Iterable[int]) -> dict[int, str]:
    """Spread numbers over nodes, leaving as many as can be where they are."""
    kept: dict[str, list[int]] = {node: [] for node in nodes}
    free: list[int] = []
    for number in numbers:
        kept.get(running.get(number, ""), free).append(number)
    count = len(free) + sum(map(len, kept.values()))
    least, larger = divmod(count, len(nodes))
    shares = {
        node: least + (place < larger)
        for place, node in enumerate(sorted(nodes, key=lambda node: (-len(kept[node]), node)))
    }
    for node, share in shares.items():
        free += kept[node][share:]
        del kept[node][share:]
    free.sort(reverse=True)
    for node in sorted(nodes):
        while len(kept[node]) < shares[node]:
            kept[node].append(free.pop())
    assert not free, "shares add up"
    return {number: node for node, of in kept.items() for number in of}
