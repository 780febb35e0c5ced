"""What entries expect, how each fares, and that one which fails changes nothing."""

from collections.abc import Callable

import pytest

from perdure.core.status import Status
from perdure.store.port import (
    Entry,
    HistoryAdd,
    LifecycleAdd,
    Message,
    Outcome,
    Require,
    Store,
    TaskEnd,
    TimerAdd,
    TimerEnd,
    Verdict,
)
from tests.conformance.store.making import (
    RAISED,
    START,
    bear,
    birth,
    commit,
    finish,
    head,
    inbox_of,
    land,
    task,
)

GONE = 99


def _full(key: int, **expectations: object) -> Entry:
    """An entry that would change everything it can."""
    return Entry(
        key=key,
        **(
            {  # type: ignore[arg-type]  # each case names some fields
                "suspended": True,
                "held": True,
                "wipe_history": True,
                "history": (HistoryAdd(12, b"h"),),
                "taken": (1,),
                "wipe_inbox": True,
                "inbox": (RAISED,),
                "tasks": (task(50),),
                "wipe_tasks": True,
                "timers": (TimerAdd(1, 50, 1),),
                "wipe_timers": True,
                "births": (birth("newborn"),),
                "messages": (Message(1, RAISED),),
                "lifecycle": (LifecycleAdd("x", 1, "a", "order"),),
                "purge": True,
            }
            | expectations
        ),
    )


@pytest.mark.parametrize(
    ("entry", "verdict"),
    [
        (lambda a, _: _full(a, expect_version=2, head=head()), Verdict.STALE),
        (lambda *_: _full(GONE, expect_version=1, head=head()), Verdict.MISSING),
        (lambda *_: _full(GONE, require=Require.EXISTS), Verdict.MISSING),
        (lambda *_: _full(GONE, require=Require.UNFINISHED), Verdict.MISSING),
        (lambda _, b: _full(b, require=Require.UNFINISHED), Verdict.FINISHED),
        (lambda _, b: _full(b, require=Require.UNFINISHED, expect_version=9), Verdict.FINISHED),
        (lambda a, _: _full(a, ended_tasks=(TaskEnd(1, 9, 1),)), Verdict.ENDED),
        (lambda a, _: _full(a, ended_tasks=(TaskEnd(1, 1, 1), TaskEnd(1, 9, 1))), Verdict.ENDED),
        (lambda a, _: _full(a, ended_tasks=(TaskEnd(1, 1, 1),) * 2), Verdict.ENDED),
        (lambda a, _: _full(a, ended_tasks=(TaskEnd(2, 1, 1),)), Verdict.ENDED),
        (lambda _, b: _full(b, ended_tasks=(TaskEnd(1, 1, 1),)), Verdict.ENDED),
        (lambda a, _: _full(a, ended_tasks=(TaskEnd(1, 50, 1),)), Verdict.ENDED),
        (lambda a, _: _full(a, ended_timers=(TimerEnd(1, 9, must_exist=True),)), Verdict.ENDED),
        (
            lambda a, _: _full(a, ended_timers=(TimerEnd(1, 2, must_exist=True),) * 2),
            Verdict.ENDED,
        ),
        (
            lambda a, _: _full(a, expect_version=7, ended_tasks=(TaskEnd(1, 9, 1),)),
            Verdict.STALE,
        ),
        (lambda *_: _full(GONE, ended_tasks=(TaskEnd(1, 1, 1),)), Verdict.ENDED),
    ],
)
def test_an_entry_whose_expectation_fails_changes_nothing(
    store: Store, entry: Callable[[int, int], Entry], verdict: Verdict
) -> None:
    alive = bear(store, "a", inbox=(START,), tasks=(task(1),), timers=(TimerAdd(1, 2, 3),))
    ended = bear(store, "b", Status.COMPLETED)
    before = list(store.dump())
    assert store.commit([entry(alive, ended)]) == [Outcome(verdict)]
    assert list(store.dump()) == before


def test_the_rest_of_a_commit_lands_beside_an_entry_that_fails(store: Store) -> None:
    key = bear(store, "a")
    outcomes = store.commit(
        [
            Entry(key=key, inbox=(RAISED,)),
            Entry(key=key, expect_version=8, head=head(), inbox=(RAISED,)),
            Entry(key=key, inbox=(START,)),
        ]
    )
    assert [outcome.verdict for outcome in outcomes] == [
        Verdict.LANDED,
        Verdict.STALE,
        Verdict.LANDED,
    ]
    assert inbox_of(store, key) == [START.event, RAISED.event]


def test_entries_see_what_came_before_them_in_a_commit(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1),))
    outcomes = store.commit(
        [
            Entry(key=key, expect_version=1, head=head()),
            Entry(key=key, expect_version=1, head=head()),
            Entry(key=key, ended_tasks=(TaskEnd(1, 1, 5),)),
            Entry(key=key, ended_tasks=(TaskEnd(1, 1, 6),)),
            Entry(key=key, expect_version=2, head=head(Status.COMPLETED)),
            Entry(key=key, require=Require.UNFINISHED),
            Entry(key=key, purge=True),
            Entry(key=key, require=Require.EXISTS),
        ]
    )
    assert [outcome.verdict for outcome in outcomes] == [
        Verdict.LANDED,
        Verdict.STALE,
        Verdict.LANDED,
        Verdict.ENDED,
        Verdict.LANDED,
        Verdict.FINISHED,
        Verdict.LANDED,
        Verdict.MISSING,
    ]


def test_a_head_is_written_with_the_version_one_higher(store: Store) -> None:
    key = bear(store, "a", Status.PENDING, created_at_us=5)
    for version in (1, 2, 3):
        written = head(
            created_at_us=version,
            started_at_us=6,
            updated_at_us=7,
            custom_status=f"step {version}",
            stalled="patch" if version == 2 else None,
            waits_for="activity",
            waits_since_us=8,
            next_wake_us=9,
            history_length=10,
            history_bytes=11,
            version_name="v",
            patches=("p",) * version,
            generation=version,
        )
        land(store, key=key, expect_version=version, head=written)
        found = store.snapshot(key)
        assert found is not None
        assert (found.version, found.head) == (version + 1, written)


def test_the_last_head_of_a_commit_is_the_one_that_is_kept(store: Store) -> None:
    key = bear(store, "a", created_at_us=1)
    heads = [head(created_at_us=2), head(created_at_us=3), head(created_at_us=1)]
    event = (HistoryAdd(12, b"h"),)
    store.commit(
        [
            Entry(
                key=key,
                expect_version=version,
                head=each,
                wipe_history=version == 2,
                history=event,
            )
            for version, each in enumerate(heads, start=1)
        ]
    )
    found = store.snapshot(key)
    assert found is not None
    assert (found.version, found.head) == (4, heads[-1])


def test_a_version_can_be_expected_without_a_head(store: Store) -> None:
    key = bear(store, "a")
    land(store, key=key, expect_version=1, suspended=True)
    found = store.snapshot(key)
    assert found is not None
    assert (found.version, found.suspended) == (1, True)


def test_flags_change_by_themselves_and_keep_the_version(store: Store) -> None:
    key = bear(store, "a", held=True)
    for suspended, held in ((True, None), (None, False), (False, True)):
        land(store, key=key, suspended=suspended, held=held)
    found = store.snapshot(key)
    assert found is not None
    assert (found.suspended, found.held, found.version) == (False, True, 1)


def test_existence_is_enough_where_that_is_required(store: Store) -> None:
    key = bear(store, "a", Status.FAILED)
    assert commit(store, key=key, require=Require.EXISTS).verdict is Verdict.LANDED


def test_what_expects_nothing_lands_without_its_instance(store: Store) -> None:
    other = bear(store, "other")
    outcome = land(
        store,
        key=GONE,
        suspended=True,
        held=True,
        wipe_history=True,
        history=(HistoryAdd(12, b"h"),),
        taken=(1,),
        inbox=(RAISED, RAISED),
        tasks=(task(1),),
        timers=(TimerAdd(1, 1, 1),),
        ended_timers=(TimerEnd(1, 1, must_exist=False),),
        births=(birth("child", parent_key=GONE),),
        messages=(Message(other, RAISED),),
        lifecycle=(LifecycleAdd("x", 1, "gone", "order"),),
        purge=True,
    )
    assert outcome.inbox_seqs == (None, None)
    assert outcome.messages == ((other, 1),)
    assert store.snapshot("child") is not None
    assert [row.key for row in store.lifecycle(0, 9)] == [GONE]
    assert store.tasks(0, 9) == ()
    assert store.next_timer_us() is None


def test_a_finished_instance_can_end_only_once(store: Store) -> None:
    key = bear(store, "a")
    finish(store, key)
    assert commit(store, key=key, expect_version=1, head=head()).verdict is Verdict.STALE


def test_an_empty_commit_has_no_outcomes(store: Store) -> None:
    assert store.commit([]) == []
