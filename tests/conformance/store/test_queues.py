"""Activities and timers: queued, noted, ended, given up, wiped."""

import pytest

from perdure.store.port import (
    Entry,
    HandOut,
    HistoryAdd,
    Store,
    TaskEnd,
    TaskRow,
    TimerAdd,
    TimerEnd,
    TimerRow,
    Verdict,
)
from tests.conformance.store.making import bear, commit, land, task


def _ids(store: Store, key: int) -> list[tuple[int, int]]:
    return [(row.row, row.add.task_id) for row in store.tasks_of(key)]


def _timers(store: Store) -> list[tuple[int, int]]:
    return [(row.timer_id, row.fire_at_us) for row in store.due_timers(1_000, 100)]


def test_tasks_are_listed_in_the_order_of_scheduling(store: Store) -> None:
    one, other = bear(store, "a"), bear(store, "b")
    land(store, key=other, suspended=True, tasks=(task(7), task(1)))
    land(store, key=one, tasks=(task(7, event=b"e", propagated=b"p"),))
    assert store.tasks(0, 10) == (
        TaskRow(row=1, key=other, instance_id="b", suspended=True, add=task(7)),
        TaskRow(row=2, key=other, instance_id="b", suspended=True, add=task(1)),
        TaskRow(
            row=3,
            key=one,
            instance_id="a",
            suspended=False,
            add=task(7, event=b"e", propagated=b"p"),
        ),
    )
    assert [row.row for row in store.tasks(1, 1)] == [2]
    assert store.tasks(3, 10) == ()


def test_a_hand_out_is_noted_and_counted(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1), task(2)))
    land(store, key=key, handed_out=(HandOut(1, 1, "v", 8), HandOut(1, 1, "w", 9)))
    first, second = store.tasks(0, 10)
    assert (first.worker, first.handed_out_at_us, first.attempts) == ("w", 9, 2)
    assert (second.worker, second.handed_out_at_us, second.attempts) == (None, None, 0)


def test_an_ended_task_leaves_the_queue_and_is_still_told(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1, event=b"e", propagated=b"p"), task(2)))
    land(store, key=key, handed_out=(HandOut(1, 1, "w", 8),))
    land(store, key=key, ended_tasks=(TaskEnd(1, 1, 9, failed=True),))
    assert [row.add.task_id for row in store.tasks(0, 10)] == [2]
    ended, _ = store.tasks_of(key)
    assert ended == TaskRow(
        row=1,
        key=key,
        instance_id="a",
        suspended=False,
        add=task(1, event=b""),
        handed_out_at_us=8,
        worker="w",
        attempts=1,
        finished_at_us=9,
        failed=True,
    )


def test_a_result_counts_once(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1),))
    end = (TaskEnd(1, 1, 5),)
    assert commit(store, key=key, ended_tasks=end).verdict is Verdict.LANDED
    assert commit(store, key=key, ended_tasks=end).verdict is Verdict.ENDED


def test_a_late_hand_out_is_noted_at_the_ended_task(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1),))
    land(store, key=key, ended_tasks=(TaskEnd(1, 1, 5),))
    land(store, key=key, handed_out=(HandOut(1, 1, "w", 4), HandOut(1, 9, "w", 4)))
    (row,) = store.tasks_of(key)
    assert (row.worker, row.attempts, row.finished_at_us) == ("w", 1, 5)


def test_the_end_and_the_hand_out_of_a_task_may_come_together(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1),))
    land(
        store,
        key=key,
        ended_tasks=(TaskEnd(1, 1, 5),),
        handed_out=(HandOut(1, 1, "w", 4),),
    )
    (row,) = store.tasks_of(key)
    assert (row.worker, row.attempts, row.finished_at_us) == ("w", 1, 5)


def test_the_name_of_an_ended_task_can_be_scheduled_again(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1),))
    store.commit(
        [
            Entry(key=key, handed_out=(HandOut(1, 1, "v", 3),)),
            Entry(key=key, ended_tasks=(TaskEnd(1, 1, 5),)),
            Entry(key=key, tasks=(task(1),)),
            Entry(key=key, handed_out=(HandOut(1, 1, "w", 6),)),
        ]
    )
    assert _ids(store, key) == [(1, 1), (2, 1)]
    assert [(row.worker, row.attempts) for row in store.tasks_of(key)] == [("v", 1), ("w", 1)]
    assert [row.row for row in store.tasks(0, 10)] == [2]


def test_a_late_note_stays_with_the_ended_task_though_its_name_is_scheduled_again(
    store: Store,
) -> None:
    key = bear(store, "a", tasks=(task(1),))
    land(store, key=key, ended_tasks=(TaskEnd(1, 1, 5),))
    store.commit(
        [
            Entry(key=key, handed_out=(HandOut(1, 1, "v", 3),)),
            Entry(key=key, tasks=(task(1),)),
        ]
    )
    assert [row.worker for row in store.tasks_of(key)] == ["v", None]


def test_an_open_name_cannot_be_scheduled_again(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1),))
    before = list(store.dump())
    with pytest.raises(AssertionError):
        store.commit([Entry(key=key, suspended=True), Entry(key=key, tasks=(task(1),))])
    assert list(store.dump()) == before


def test_tasks_are_given_up_before_others_are_added(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1), task(2)))
    other = bear(store, "b", tasks=(task(1),))
    store.commit(
        [
            Entry(key=key, ended_tasks=(TaskEnd(1, 2, 5),), tasks=(task(3),)),
            Entry(key=key, wipe_tasks=True, tasks=(task(1), task(4))),
            Entry(key=key, wipe_tasks=True, tasks=(task(5),)),
        ]
    )
    open_tasks = [(row.key, row.add.task_id) for row in store.tasks(0, 10)]
    assert open_tasks == [(other, 1), (key, 5)]
    told = [(row.add.task_id, row.finished_at_us, row.add.event) for row in store.tasks_of(key)]
    assert told == [
        (1, None, b""),
        (2, 5, b""),
        (3, None, b""),
        (1, None, b""),
        (4, None, b""),
        (5, None, b"task"),
    ]


def test_a_task_given_up_cannot_end(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1),))
    outcomes = store.commit(
        [Entry(key=key, wipe_tasks=True), Entry(key=key, ended_tasks=(TaskEnd(1, 1, 5),))]
    )
    assert outcomes[1].verdict is Verdict.ENDED
    assert commit(store, key=key, ended_tasks=(TaskEnd(1, 1, 5),)).verdict is Verdict.ENDED


def test_generations_have_their_own_tasks_and_timers(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1), task(1, generation=2)))
    land(store, key=key, timers=(TimerAdd(1, 1, 5), TimerAdd(2, 1, 6)))
    land(
        store,
        key=key,
        ended_tasks=(TaskEnd(1, 1, 5),),
        ended_timers=(TimerEnd(1, 1, must_exist=True),),
    )
    assert [row.add.generation for row in store.tasks(0, 10)] == [2]
    assert store.due_timers(99, 10) == (TimerRow(key, 2, 1, 6),)


def test_due_timers_come_earliest_first(store: Store) -> None:
    late = bear(store, "late", timers=(TimerAdd(1, 1, 30), TimerAdd(1, 2, 10)))
    soon = bear(store, "soon", timers=(TimerAdd(1, 1, 10), TimerAdd(0, -1, 10)))
    assert store.next_timer_us() == 10
    assert store.due_timers(9, 10) == ()
    assert store.due_timers(10, 10) == (
        TimerRow(late, 1, 2, 10),
        TimerRow(soon, 0, -1, 10),
        TimerRow(soon, 1, 1, 10),
    )
    assert [row.fire_at_us for row in store.due_timers(30, 10)] == [10, 10, 10, 30]
    assert len(store.due_timers(30, 2)) == 2


def test_without_timers_there_is_no_next_moment(store: Store) -> None:
    assert store.next_timer_us() is None


def test_a_timer_fires_once_and_may_be_cancelled_twice(store: Store) -> None:
    key = bear(store, "a", timers=(TimerAdd(1, 1, 5),))
    fired, cancelled = (TimerEnd(1, 1, must_exist=must) for must in (True, False))
    assert commit(store, key=key, ended_timers=(fired,)).verdict is Verdict.LANDED
    assert commit(store, key=key, ended_timers=(fired,)).verdict is Verdict.ENDED
    assert commit(store, key=key, ended_timers=(cancelled,)).verdict is Verdict.LANDED
    assert _timers(store) == []


def test_timers_are_wiped_before_others_are_added(store: Store) -> None:
    key = bear(store, "a", timers=(TimerAdd(1, 1, 5), TimerAdd(1, 2, 6)))
    bear(store, "b", timers=(TimerAdd(1, 9, 9),))
    store.commit(
        [
            Entry(key=key, timers=(TimerAdd(1, 3, 7),)),
            Entry(key=key, wipe_timers=True, timers=(TimerAdd(1, 1, 8),)),
            Entry(key=key, timers=(TimerAdd(1, 4, 10),)),
        ]
    )
    assert _timers(store) == [(1, 8), (9, 9), (4, 10)]


def test_a_timer_that_was_wiped_cannot_fire(store: Store) -> None:
    key = bear(store, "a", timers=(TimerAdd(1, 1, 5),))
    outcomes = store.commit(
        [
            Entry(key=key, wipe_timers=True),
            Entry(key=key, ended_timers=(TimerEnd(1, 1, must_exist=True),)),
        ]
    )
    assert outcomes[1].verdict is Verdict.ENDED


def test_an_ended_timer_may_be_set_again(store: Store) -> None:
    key = bear(store, "a", timers=(TimerAdd(1, 1, 5),))
    land(
        store,
        key=key,
        ended_timers=(TimerEnd(1, 1, must_exist=False),),
        timers=(TimerAdd(1, 1, 6),),
    )
    assert _timers(store) == [(1, 6)]


def test_a_timer_is_set_once(store: Store) -> None:
    key = bear(store, "a", timers=(TimerAdd(1, 1, 5),))
    before = list(store.dump())
    with pytest.raises(AssertionError):
        store.commit(
            [
                Entry(key=key, history=(HistoryAdd(12, b"h"),)),
                Entry(key=key, timers=(TimerAdd(1, 1, 6),)),
            ]
        )
    assert list(store.dump()) == before
