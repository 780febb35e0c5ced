"""Purges take everything of an instance but its lifecycle rows; lifecycle rows have their bound."""

from perdure.core.status import Status
from perdure.store.port import (
    Entry,
    HandOut,
    HistoryAdd,
    LifecycleAdd,
    LifecycleRow,
    Store,
    TaskEnd,
    TimerAdd,
)
from tests.conformance.store.conftest import MakeStore
from tests.conformance.store.making import RAISED, START, bear, birth, held_by, land, task


def _bear_whole(store: Store, instance_id: str) -> int:
    """An instance with rows in every table."""
    key = bear(
        store,
        instance_id,
        history=(HistoryAdd(12, b"h"),),
        inbox=(START, RAISED),
        tasks=(task(1), task(2)),
        timers=(TimerAdd(0, -1, 5),),
        tags=(("k", "v"),),
        propagated=b"p",
    )
    land(store, key=key, ended_tasks=(TaskEnd(1, 2, 5),))
    return key


def test_a_purge_leaves_nothing_but_lifecycle_rows(store: Store) -> None:
    kept = _bear_whole(store, "kept")
    rows = held_by(store)
    gone = _bear_whole(store, "gone")
    purged = LifecycleAdd("purged", 9, "gone", "order")
    land(store, key=gone, purge=True, lifecycle=(purged,))
    assert store.snapshot("gone") is None
    assert store.load(gone) is None
    assert store.tasks_of(gone) == ()
    assert store.lifecycle(0, 10) == (LifecycleRow(1, gone, purged),)
    assert [row for row in held_by(store) if row[0] != "lifecycle"] == rows
    assert store.snapshot("kept") is not None
    assert [row.key for row in store.tasks(0, 10)] == [kept]


def test_a_purge_comes_last_in_its_entry(store: Store) -> None:
    key = bear(store, "a")
    outcome = land(
        store,
        key=key,
        expect_version=1,
        head=birth("x").head,
        history=(HistoryAdd(12, b"h"),),
        inbox=(RAISED,),
        tasks=(task(1),),
        handed_out=(HandOut(1, 1, "w", 1),),
        timers=(TimerAdd(1, 1, 1),),
        births=(birth("child"),),
        purge=True,
    )
    assert outcome.inbox_seqs == (1,)
    assert {row[1] for row in held_by(store)} == {outcome.births[0].key}


def test_a_purged_id_can_be_born_and_purged_again_in_one_commit(store: Store) -> None:
    old = _bear_whole(store, "a")
    (_, born, _, again) = store.commit(
        [
            Entry(key=old, purge=True),
            Entry(key=None, births=(birth("a", inbox=(START,)),)),
            Entry(key=old + 1, purge=True),
            Entry(key=None, births=(birth("a"),)),
        ]
    )
    assert born.births[0].key == old + 1
    found = store.snapshot("a")
    assert found is not None
    assert found.key == again.births[0].key == old + 2
    assert {row[1] for row in held_by(store)} == {old + 2}


def test_many_are_purged_at_once(store: Store) -> None:
    keys = [_bear_whole(store, f"i{number}") for number in range(20)]
    store.commit([Entry(key=key, purge=True) for key in keys])
    assert held_by(store) == []


def test_lifecycle_rows_are_numbered_and_paged(store: Store) -> None:
    key = bear(store, "a")
    adds = tuple(LifecycleAdd("step", at, "a", "order") for at in range(4))
    land(store, key=key, lifecycle=adds)
    assert store.lifecycle(0, 10) == tuple(
        LifecycleRow(seq, key, add) for seq, add in enumerate(adds, start=1)
    )
    assert [row.seq for row in store.lifecycle(1, 2)] == [2, 3]
    assert store.lifecycle(4, 2) == ()


def test_a_lifecycle_row_of_a_newborn_has_its_key(store: Store) -> None:
    rows = (LifecycleAdd("created", 1, "a", "order"), LifecycleAdd("noted", 2, "z", "order"))
    outcome = land(store, key=None, births=(birth("a"),), lifecycle=rows)
    assert [row.key for row in store.lifecycle(0, 10)] == [outcome.births[0].key, 0]


def test_the_lifecycle_table_keeps_its_newest_rows(make_store: MakeStore) -> None:
    store = make_store(lifecycle_rows_max=3)
    key = bear(store, "a", Status.PENDING)
    for at in range(5):
        land(store, key=key, lifecycle=(LifecycleAdd("step", at, "a", "order"),))
        assert len(store.lifecycle(0, 10)) == min(at + 1, 3)
    land(store, key=key, lifecycle=(LifecycleAdd("step", 5, "a", "order"),) * 4)
    assert [row.seq for row in store.lifecycle(0, 10)] == [7, 8, 9]
