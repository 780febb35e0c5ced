"""Histories: how they grow, begin again, and are read in parts."""

import pytest

from perdure.core.events import Kind
from perdure.core.status import Status
from perdure.store.port import Entry, HistoryAdd, HistoryRow, InboxAdd, Store, TaskEnd
from tests.conformance.store.making import START, bear, head, history_of, land, task

STARTED, COMPLETED = int(Kind.EXECUTION_STARTED), int(Kind.EXECUTION_COMPLETED)


def _adds(*events: bytes) -> tuple[HistoryAdd, ...]:
    return tuple(HistoryAdd(12, event) for event in events)


def test_a_history_counts_from_one_without_a_gap(store: Store) -> None:
    key = bear(store, "a", history=_adds(b"1"))
    other = bear(store, "b")
    land(store, key=key, history=_adds(b"2", b"3"))
    land(store, key=other, history=_adds(b"x"))
    land(store, key=key, expect_version=1, head=head(), history=_adds(b"4"))
    assert history_of(store, key) == [(1, b"1"), (2, b"2"), (3, b"3"), (4, b"4")]
    assert history_of(store, other) == [(1, b"x")]


def test_a_wiped_history_counts_from_one_again(store: Store) -> None:
    key = bear(store, "a", history=_adds(b"1", b"2", b"3"))
    land(store, key=key, wipe_history=True)
    assert history_of(store, key) == []
    land(store, key=key, history=_adds(b"old"))
    land(store, key=key, wipe_history=True, history=_adds(b"new", b"newer"))
    assert history_of(store, key) == [(1, b"new"), (2, b"newer")]


def test_a_history_can_grow_be_wiped_and_grow_in_one_commit(store: Store) -> None:
    key = bear(store, "a")
    store.commit(
        [
            Entry(key=key, history=_adds(b"1", b"2")),
            Entry(key=key, wipe_history=True, history=_adds(b"3")),
            Entry(key=key, history=_adds(b"4")),
        ]
    )
    assert history_of(store, key) == [(1, b"3"), (2, b"4")]


def test_a_wiped_history_takes_what_is_known_of_ended_tasks_along(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1), task(2)))
    land(store, key=key, ended_tasks=(TaskEnd(1, 1, 5),))
    land(store, key=key, wipe_history=True, ended_tasks=(TaskEnd(1, 2, 6),), tasks=(task(3),))
    assert [row.add.task_id for row in store.tasks_of(key)] == [2, 3]


@pytest.mark.parametrize(
    ("after", "limit", "seqs"),
    [
        (0, 10, [1, 2, 3]),
        (0, 2, [1, 2]),
        (1, 2, [2, 3]),
        (2, 10, [3]),
        (3, 10, []),
        (99, 10, []),
        (0, 0, []),
    ],
)
def test_a_history_is_read_in_parts(store: Store, after: int, limit: int, seqs: list[int]) -> None:
    key = bear(store, "a", history=_adds(b"1", b"2", b"3"))
    bear(store, "b", history=_adds(b"x"))
    assert [row.seq for row in store.history(key, after, limit)] == seqs


def test_the_history_of_nobody_is_empty(store: Store) -> None:
    assert store.history(9, 0, 10) == ()


def test_history_rows_keep_kind_and_bytes(store: Store) -> None:
    key = bear(store, "a", history=(HistoryAdd(3, b""), HistoryAdd(31, b"\x00" * 70_000)))
    assert store.history(key, 0, 10) == (
        HistoryRow(1, 3, b""),
        HistoryRow(2, 31, b"\x00" * 70_000),
    )


def test_payloads_of_an_instance_that_no_turn_took_are_in_its_inbox(store: Store) -> None:
    later = InboxAdd(STARTED, b"second start")
    key = bear(store, "a", Status.PENDING, inbox=(later, START))
    assert store.payload_events(key) == (START.event, None)


def test_payloads_come_from_the_history_before_the_inbox(store: Store) -> None:
    key = bear(
        store,
        "a",
        Status.COMPLETED,
        inbox=(START,),
        history=(
            HistoryAdd(12, b"turn"),
            HistoryAdd(STARTED, b"first"),
            HistoryAdd(STARTED, b"second"),
            HistoryAdd(COMPLETED, b"done"),
        ),
    )
    assert store.payload_events(key) == (b"first", b"done")


def test_a_completion_counts_only_at_the_end_of_a_history(store: Store) -> None:
    key = bear(store, "a", history=(HistoryAdd(COMPLETED, b"done"), HistoryAdd(12, b"turn")))
    assert store.payload_events(key) == (None, None)


def test_nobody_has_no_payloads(store: Store) -> None:
    assert store.payload_events(5) == (None, None)
