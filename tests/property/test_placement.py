"""Placement: whatever comes and goes, every partition finds its way to one owner, evenly."""

from collections import Counter
from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.engine.placement import changes_of, holders_of, owners_of
from perdure.store.leases import NodeReport, Standing, Term
from perdure.store.memory import MemoryCluster
from perdure.store.partitions import HOUSEKEEPING, Partition

TTL_US = 5_000_000
RENEW_US = 1_500_000
PARTITIONS = 16
APPS = ("bank", "shop")


class _Nodes:
    """Nodes that do nothing but see to their leases, each on its own beat."""

    def __init__(self) -> None:
        self.now_us = 0
        self.cluster = MemoryCluster(lambda: self.now_us, partitions=PARTITIONS)
        self.stores = {name: self.cluster.open() for name in "abcdef"}
        self.apps: dict[str, tuple[str, ...]] = {}
        self.held: dict[str, tuple[Term, ...]] = {}
        self.moved = 0

    def come(self, node: str, apps: tuple[str, ...]) -> None:
        self.apps[node] = apps
        self.held.setdefault(node, ())

    def die(self, node: str) -> None:
        self.apps.pop(node, None)
        self.held.pop(node, None)

    def leave(self, node: str) -> None:
        if node in self.apps:
            self.die(node)
            self.stores[node].leave(node)

    def act(self, node: str) -> None:
        if node not in self.apps:
            return
        store = self.stores[node]
        standing = self.stand(node)
        changes = changes_of(node, standing.renewed, standing, PARTITIONS)
        store.release(node, changes.release)
        kept = [term for term in standing.renewed if term not in changes.release]
        taken = store.claim(node, changes.claim, TTL_US)
        self.moved += len(taken)
        self.held[node] = (*kept, *taken)

    def stand(self, node: str) -> Standing:
        report = NodeReport(
            node=node, name=node, apps=self.apps[node], held=self.held[node], ttl_us=TTL_US
        )
        return self.stores[node].stand(report)

    def settle(self) -> None:
        """Let everybody act until what the dead had has run out, and twice more."""
        for _ in range(-(-TTL_US // RENEW_US) + 2):
            for node in sorted(self.apps):
                self.act(node)
            self.now_us += RENEW_US

    def owned(self, app_id: str) -> dict[str, list[int]]:
        return {
            node: sorted(t.partition.number for t in terms if t.partition.app_id == app_id)
            for node, terms in self.held.items()
        }


happenings = st.lists(
    st.tuples(
        st.sampled_from(["come", "die", "leave", "act"]),
        st.sampled_from("abcdef"),
        st.sets(st.sampled_from(APPS)).map(lambda apps: tuple(sorted(apps))),
        st.integers(0, 2 * TTL_US),
    ),
    max_size=30,
)


@given(happenings)
@settings(deadline=None, max_examples=200)
def test_every_partition_has_one_owner_and_shares_are_even(
    what: list[tuple[str, str, tuple[str, ...], int]],
) -> None:
    nodes = _Nodes()
    for kind, node, apps, pause_us in what:
        nodes.now_us += pause_us
        match kind:
            case "come":
                nodes.come(node, apps)
            case "die":
                nodes.die(node)
            case "leave":
                nodes.leave(node)
            case _:
                nodes.act(node)
    nodes.settle()
    for app_id in APPS:
        owned = nodes.owned(app_id)
        fitting = [node for node, apps in nodes.apps.items() if app_id in apps]
        assert not any(owned[node] for node in nodes.apps if node not in fitting)
        if fitting:
            counts = [len(owned[node]) for node in fitting]
            assert max(counts) - min(counts) <= 1
            assert sorted(chain(*owned.values())) == list(range(PARTITIONS))
    keepers = [n for n, terms in nodes.held.items() for t in terms if t.partition == HOUSEKEEPING]
    assert len(keepers) == (1 if nodes.apps else 0)
    moved = nodes.moved
    nodes.settle()
    assert nodes.moved == moved, "where all is even nothing moves"


@given(st.integers(1, 5))
def test_who_comes_is_given_its_share_and_nothing_else_moves(count: int) -> None:
    nodes = _Nodes()
    for node in "abcdef"[:count]:
        nodes.come(node, ("shop",))
    nodes.settle()
    before = nodes.owned("shop")
    nodes.come("f", ("shop",))
    nodes.settle()
    after = nodes.owned("shop")
    assert PARTITIONS // (count + 1) <= len(after["f"]) <= -(-PARTITIONS // (count + 1))
    for node, numbers in before.items():
        assert set(after[node]) <= set(numbers)


@given(st.integers(2, 6))
def test_who_dies_is_followed_and_the_others_keep_what_they_have(count: int) -> None:
    nodes = _Nodes()
    for node in "abcdef"[:count]:
        nodes.come(node, ("shop",))
    nodes.settle()
    before = nodes.owned("shop")
    nodes.die("a")
    nodes.settle()
    after = nodes.owned("shop")
    assert sorted(chain(*after.values())) == list(range(PARTITIONS))
    for node, numbers in after.items():
        assert set(before[node]) <= set(numbers)


def test_what_a_dead_node_had_is_taken_over_within_a_lease_and_a_beat() -> None:
    nodes = _Nodes()
    for node in "ab":
        nodes.come(node, ("shop",))
    nodes.settle()
    died_us = nodes.now_us
    nodes.die("a")
    while len(nodes.held["b"]) < PARTITIONS:
        nodes.now_us += RENEW_US
        nodes.act("b")
    assert nodes.now_us - died_us <= TTL_US + RENEW_US


def test_everybody_wants_the_same() -> None:
    nodes = _Nodes()
    for node in "abc":
        nodes.come(node, APPS)
    nodes.settle()
    nodes.die("b")
    nodes.come("d", ("bank",))
    nodes.act("d")
    standing = nodes.stand("c")
    owners = owners_of(standing, PARTITIONS)
    assert set(owners) == {HOUSEKEEPING} | {
        Partition(app, number) for app in APPS for number in range(PARTITIONS)
    }
    assert owners == owners_of(standing, PARTITIONS)
    for node in "acd":
        changes = changes_of(node, nodes.held[node], standing, PARTITIONS)
        assert all(owners[partition] == node for partition in changes.claim)
        assert all(owners[term.partition] != node for term in changes.release)
        running = holders_of(standing)
        assert not [each for each in changes.claim if running.get(each, node) != node]


@given(st.integers(1, 1_000), st.integers(1, 64))
@settings(max_examples=50)
def test_no_node_is_far_from_its_share_however_many_there_are(count: int, partitions: int) -> None:
    names = tuple(f"n{number:04}" for number in range(count))
    cluster = MemoryCluster(lambda: 0, partitions=partitions)
    store = cluster.open()
    for name in names:
        report = NodeReport(node=name, name=name, apps=("shop",), held=(), ttl_us=TTL_US)
        standing = store.stand(report)
    shares = Counter(owners_of(standing, partitions).values())
    shares[owners_of(standing, partitions)[HOUSEKEEPING]] -= 1
    assert max(shares.values()) <= -(-partitions // count)
