"""Breakages of leases, and of what nodes tell each other."""

from dataclasses import replace
from typing import Any

from perdure.engine.leases import Leases
from perdure.engine.neighbours import Neighbours
from perdure.engine.ownership import Leased
from perdure.store.leases import Lease, Term
from perdure.store.memory.cluster import SharedMemoryStore
from tests.simulation.mutants.patching import Patch, every, mutant, nothing

_ROUGH = {"cut": 1.0, "stopped": 1.5}


def _true(*_: Any) -> bool:
    return True


@mutant("terms are not looked at", nodes=2, ways=_ROUGH)
def skip_the_term_check(patch: Patch) -> None:
    patch.put(SharedMemoryStore, "_is_running", lambda _: _true)


@mutant("a lease is taken over under the old number", nodes=2, ways=_ROUGH)
def take_over_without_a_new_term(patch: Patch) -> None:
    def made(claim: Any) -> Any:
        def broken(store: Any, node: str, partitions: Any, ttl_us: int) -> Any:
            leases = store._cluster.roll.leases
            old = {each: leases[each].term for each in partitions if each in leases}
            terms = []
            for term in claim(store, node, partitions, ttl_us):
                kept = old.get(term.partition, term)
                leases[term.partition] = replace(leases[term.partition], term=kept)
                store._held[term.partition] = kept
                terms.append(kept)
            return tuple(terms)

        return broken

    patch.put(SharedMemoryStore, "claim", made)


@mutant(
    "a lease is renewed that another has by now", nodes=2, ways=_ROUGH, odds={"slow_store": 60.0}
)
def renew_what_is_anothers(patch: Patch) -> None:
    """The store believes what a node says that stood still between asking and being heard."""

    def made(stand: Any) -> Any:
        def broken(store: Any, report: Any) -> Any:
            until_us = store._cluster.now_us() + report.ttl_us
            for term in report.held:
                store._cluster.roll.leases[term.partition] = Lease(term, report.node, until_us)
            return stand(store, report)

        return broken

    patch.put(SharedMemoryStore, "stand", made)


@mutant("work is handed out under leases that have run out", nodes=2, ways=_ROUGH)
def hand_out_after_the_end(patch: Patch) -> None:
    patch.put(Leased, "may_hand_out", lambda _: _true)
    patch.put(Leases, "_lapse", lambda _: nothing)


@mutant("news is lost, and nobody looks", nodes=2, ways={"news_lost": 0.2})
def never_look(patch: Patch) -> None:
    async def silent(_: Neighbours) -> None:
        return

    patch.put(Neighbours, "run", lambda _: silent)
    patch.put(Neighbours, "_look_everywhere", lambda _: silent)


@mutant("what a lease was for is kept when it is over", nodes=2, ways=_ROUGH)
def keep_what_is_lost(patch: Patch) -> None:
    patch.put(Neighbours, "lost", lambda _: nothing)


@mutant("what is under way in a partition is not read when it is taken", nodes=2, ways=_ROUGH)
def take_and_read_nothing(patch: Patch) -> None:
    def made(take: Any) -> Any:
        async def idle(neighbours: Any, partitions: Any) -> None:
            del neighbours, partitions

        return every(2, take, idle)

    async def silent(_: Neighbours) -> None:
        return

    patch.put(Neighbours, "_take", made)
    patch.put(Neighbours, "run", lambda _: silent)


@mutant("a partition's holder is forgotten by the term that is given", nodes=2, ways=_ROUGH)
def a_term_of_another_partition(patch: Patch) -> None:
    def made(term_of: Any) -> Any:
        def broken(owner: Any, app_id: str, instance_id: str) -> Term | None:
            term = term_of(owner, app_id, instance_id)
            return None if term is None else owner.terms[0]

        return broken

    patch.put(Leased, "term_of", made)
