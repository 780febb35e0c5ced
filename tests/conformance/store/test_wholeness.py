"""A commit lands whole or not at all, and wrong data does not get in."""

from typing import Any

import pytest

from perdure.core.status import Status
from perdure.store.port import Entry, HistoryAdd, LifecycleAdd, Store, TaskEnd, TimerAdd
from tests.conformance.store.making import RAISED, START, bear, birth, head, land, task


def test_nothing_is_kept_of_a_commit_that_fails(store: Store) -> None:
    key = bear(store, "a", inbox=(START,), tasks=(task(1),), tags=(("k", "v"),))
    old = bear(store, "old", Status.COMPLETED)
    before = list(store.dump())
    good = [
        Entry(key=None, births=(birth("b", inbox=(START,)), birth("c"))),
        Entry(
            key=key,
            expect_version=1,
            head=head(custom_status="x"),
            wipe_history=True,
            history=(HistoryAdd(12, b"h"),),
            taken=(1,),
            inbox=(RAISED,),
            ended_tasks=(TaskEnd(1, 1, 1),),
            timers=(TimerAdd(1, 1, 1),),
            births=(birth("old", replaces=old),),
            lifecycle=(LifecycleAdd("x", 1, "a", "order"),),
        ),
        Entry(key=key, purge=True),
    ]
    with pytest.raises(AssertionError):
        store.commit([*good, Entry(key=3, tasks=(task(2), task(2)))])
    assert list(store.dump()) == before
    outcomes = store.commit(good)
    assert outcomes[0].births[0].key == old + 1, "numbers go on where they were"


@pytest.mark.parametrize(
    "fields",
    [
        {"key": 1, "head": head()},
        {"key": None, "suspended": True},
        {"key": None, "inbox": (RAISED,)},
        {"key": None, "purge": True},
        {"key": 1, "expect_version": 1, "head": head(Status.RUNNING, completed_at_us=5)},
        {"key": 1, "expect_version": 1, "head": head(Status.FAILED, completed_at_us=None)},
        {"key": None, "births": (birth("b", tags=(("k", "1"), ("k", "2"))),)},
    ],
    ids=[
        "a head without a version",
        "flags of nobody",
        "an inbox of nobody",
        "a purge of nobody",
        "a completion that is none",
        "an end without a moment",
        "a tag twice",
    ],
)
def test_an_entry_that_breaks_a_promise_does_not_get_in(
    store: Store, fields: dict[str, Any]
) -> None:
    bear(store, "a")
    before = list(store.dump())
    with pytest.raises(AssertionError):
        store.commit([Entry(key=1, inbox=(RAISED,)), Entry(**fields)])
    assert list(store.dump()) == before


def test_a_large_commit_lands(store: Store) -> None:
    births = [Entry(key=None, births=(birth(f"i{n}", inbox=(START,)),)) for n in range(2_000)]
    outcomes = store.commit(births)
    keys = [outcome.births[0].key for outcome in outcomes]
    assert keys == list(range(1, 2_001))
    turns = [
        Entry(
            key=key,
            expect_version=1,
            head=head(),
            history=(HistoryAdd(12, b"h"),) * 3,
            taken=outcome.births[0].inbox_seqs,
            tasks=(task(0),),
        )
        for key, outcome in zip(keys, outcomes, strict=True)
    ]
    store.commit(turns)
    assert store.ready(0, 10) == ()
    assert len(store.tasks(0, 5_000)) == 2_000


def test_a_history_of_many_events_lands_and_loads(store: Store) -> None:
    key = bear(store, "a")
    for _ in range(10):
        land(store, key=key, history=(HistoryAdd(12, b"h" * 100),) * 1_000)
    loaded = store.load(key)
    assert loaded is not None
    assert len(loaded.history) == 10_000
