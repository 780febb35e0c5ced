"""The reads beside listings: one instance, ids, children, counts, the expired."""

import threading
from dataclasses import replace

import pytest

from perdure.core.status import Status, seen_status
from perdure.store.port import Entry, HistoryAdd, Store
from tests.conformance.store.making import RAISED, START, bear, finish, land


def test_an_instance_is_read_by_id_and_by_key(store: Store) -> None:
    key = bear(store, "a", inbox=(START,))
    assert store.snapshot("a") == store.snapshot(key) is not None
    assert store.load("a") == store.load(key) is not None
    loaded = store.load(key)
    assert loaded is not None
    assert loaded.snapshot == store.snapshot(key)


def test_who_is_not_there_is_none(store: Store) -> None:
    assert (store.snapshot("a"), store.snapshot(1)) == (None, None)
    assert (store.load("a"), store.load(1)) == (None, None)
    assert store.tasks_of(1) == ()


@pytest.mark.parametrize("phase", [s for s in Status if s not in {2, 7, 8}])
@pytest.mark.parametrize("stalled", [None, "patch"])
@pytest.mark.parametrize("suspended", [False, True])
def test_the_status_is_what_readers_see(
    store: Store, phase: Status, stalled: str | None, *, suspended: bool
) -> None:
    key = bear(store, "a", phase, stalled=stalled)
    land(store, key=key, suspended=suspended)
    expected = seen_status(phase, suspended=suspended, stalled=stalled is not None)
    found = store.snapshot(key)
    assert found is not None
    assert (found.status, store.counts()) == (expected, {int(expected): 1})


def test_ids_are_told_apart_by_every_character(store: Store) -> None:
    ids = ["a", "A", "a ", "a\x00", "a\x00b", "é", "e\u0301", "\U0001f4e6", "%", "_", "'", ""]
    keys = [bear(store, each) for each in ids]
    for instance_id, key in zip(ids, keys, strict=True):
        found = store.snapshot(instance_id)
        assert found is not None
        assert (found.key, found.identity.instance_id) == (key, instance_id)


def test_ids_are_listed_in_the_order_of_birth(store: Store) -> None:
    first, second, third = (bear(store, name) for name in ("z", "a", "m"))
    land(store, key=second, purge=True)
    assert store.list_ids(0, 10) == ((first, "z"), (third, "m"))
    assert store.list_ids(0, 1) == ((first, "z"),)
    assert store.list_ids(first, 10) == ((third, "m"),)
    assert store.list_ids(third, 10) == ()


def test_children_are_listed_in_the_order_of_birth(store: Store) -> None:
    parent = bear(store, "parent", Status.COMPLETED)
    children = [bear(store, name, parent_key=parent) for name in ("z", "a")]
    bear(store, "grandchild", parent_key=children[0])
    finish(store, children[1])
    found = store.children(parent)
    assert [row.key for row in found] == children
    assert found[0] == store.snapshot("z")
    assert store.children(99) == ()


def test_children_outlive_their_parent(store: Store) -> None:
    parent = bear(store, "parent", Status.COMPLETED)
    child = bear(store, "child", parent_key=parent)
    land(store, key=parent, purge=True)
    assert [row.key for row in store.children(parent)] == [child]


def test_counts_are_by_status_and_by_name(store: Store) -> None:
    bear(store, "a")
    bear(store, "b")
    bear(store, "c", Status.FAILED, name="ship")
    land(store, key=bear(store, "d", name="Order"), suspended=True)
    land(store, key=bear(store, "e", name="gone"), purge=True)
    assert store.counts() == {Status.RUNNING: 2, Status.FAILED: 1, Status.SUSPENDED: 1}
    assert store.name_counts() == {"order": 2, "ship": 1, "Order": 1}


def test_an_empty_store_counts_nothing(store: Store) -> None:
    assert (store.counts(), store.name_counts()) == ({}, {})


def test_the_expired_are_told_oldest_first(store: Store) -> None:
    late = bear(store, "late", Status.COMPLETED, completed_at_us=30)
    early = bear(store, "early", Status.COMPLETED, completed_at_us=10)
    same = bear(store, "same", Status.COMPLETED, completed_at_us=10)
    failed = bear(store, "failed", Status.FAILED, completed_at_us=5)
    bear(store, "running")
    completed = int(Status.COMPLETED)
    assert store.expired(completed, 31, 10) == (early, same, late)
    assert store.expired(completed, 30, 10) == (early, same), "before that moment, not at it"
    assert store.expired(completed, 31, 1) == (early,)
    assert store.expired(int(Status.FAILED), 31, 10) == (failed,)
    assert store.oldest_completed_us(completed) == 10
    assert store.oldest_completed_us(int(Status.FAILED)) == 5
    assert store.oldest_completed_us(int(Status.TERMINATED)) is None
    assert store.expired(int(Status.TERMINATED), 31, 10) == ()


def test_reads_in_other_threads_see_whole_commits(store: Store) -> None:
    key = bear(store, "a")
    done = threading.Event()
    seen: list[bool] = []

    def read() -> None:
        while not done.is_set():
            loaded = store.load(key)
            assert loaded is not None
            seen.append(len(loaded.history) == len(loaded.inbox) == loaded.snapshot.inbox_length)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(100):
        store.commit(
            [Entry(key=key, history=(HistoryAdd(12, b"h"),)), Entry(key=key, inbox=(RAISED,))]
        )
    done.set()
    for reader in readers:
        reader.join()
    assert seen
    assert all(seen)


def test_a_dump_has_every_row(store: Store) -> None:
    bear(store, "a", inbox=(START,), history=(HistoryAdd(12, b"h"),), tags=(("k", "v"),))
    kinds = [row[0] for row in store.dump()]
    assert kinds == ["counters", "instance", "tag", "history", "inbox"]


def test_an_inbox_can_be_read_without_the_history(store: Store) -> None:
    key = bear(store, "a", inbox=(START, RAISED))
    land(store, key=key, history=(HistoryAdd(12, b"h"),), suspended=True)
    whole, without = store.load(key), store.load_inbox(key)
    assert whole is not None
    assert without == replace(whole, history=())
    assert store.load_inbox(99) is None
