"""What the writer remembers is what is in the file, and a commit that fails makes it forget."""

from pathlib import Path

import pytest

from perdure.core.status import Status
from perdure.store.port import (
    Birth,
    Entry,
    HandOut,
    Head,
    HistoryAdd,
    Identity,
    TaskAdd,
    TaskEnd,
    Verdict,
)
from perdure.store.sqlite.store import SqliteStore


def born(instance_id: str = "a", tasks: int = 1) -> Entry:
    adds = tuple(TaskAdd(1, number, "act", "app", b"t", 5) for number in range(1, tasks + 1))
    identity = Identity(instance_id=instance_id, name="wf", app_id="app", execution_id="e")
    birth = Birth(identity=identity, head=Head(phase=Status.RUNNING), tasks=adds)
    return Entry(key=None, births=(birth,))


def ended(task_id: int, version: int, *notes: str, history: int = 1) -> Entry:
    """Return the end of a task together with a turn."""
    return Entry(
        key=1,
        expect_version=version,
        head=Head(phase=Status.RUNNING, updated_at_us=version),
        history=(HistoryAdd(7, b"h"),) * history,
        ended_tasks=(TaskEnd(1, task_id, 9),),
        handed_out=tuple(HandOut(1, task_id, worker, 8) for worker in notes),
    )


def test_turns_that_follow_each_other_need_not_ask_the_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    store.commit([born(tasks=3)])
    asked: list[str] = []
    store._writer.set_trace_callback(asked.append)  # type: ignore[union-attr]  # noqa: SLF001
    for task_id in (1, 2, 3):
        assert store.commit([ended(task_id, task_id)])[0].verdict is Verdict.LANDED
    assert not [text for text in asked if text.startswith("SELECT")]
    assert [row.seq for row in store.history(1, 0, 10)] == [1, 2, 3]
    assert store.commit([ended(1, 4)])[0].verdict is Verdict.ENDED
    assert store.commit([ended(1, 3)])[0].verdict is Verdict.STALE
    store.close()


def test_a_commit_that_fails_makes_it_forget(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    store.commit([born(tasks=2)])
    breaks = Entry(key=1, history=(HistoryAdd(7, None),))  # type: ignore[arg-type]  # what the file refuses
    with pytest.raises(AssertionError, match="invariant"):
        store.commit([ended(1, 1), breaks])
    assert store.commit([ended(1, 1)])[0].verdict is Verdict.LANDED
    assert store.commit([ended(2, 2)])[0].verdict is Verdict.LANDED
    store.close()


def test_a_hand_out_is_noted_with_its_end(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    store.commit([born(tasks=2)])
    store.commit([ended(1, 1, "one"), ended(2, 2, "two", "three")])
    first, second = store.tasks_of(1)
    assert (first.worker, first.handed_out_at_us, first.attempts) == ("one", 8, 1)
    assert (second.worker, second.attempts) == ("three", 2)
    store.close()


def test_many_rows_go_in_at_once_and_all_of_them(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    store.commit([born(tasks=1)])
    store.commit([ended(1, 1, history=100)])
    assert [row.seq for row in store.history(1, 0, 200)] == [*range(1, 101)]
    store.close()


def test_what_is_given_up_is_not_open_any_more(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    store.commit([born(tasks=2)])
    store.commit([Entry(key=1, wipe_tasks=True, tasks=(TaskAdd(1, 7, "act", "app", b"t", 5),))])
    assert store.commit([ended(1, 1)])[0].verdict is Verdict.ENDED
    assert store.commit([ended(7, 1)])[0].verdict is Verdict.LANDED
    store.commit([Entry(key=1, purge=True)])
    assert store.commit([ended(2, 2)])[0].verdict is Verdict.MISSING
    store.close()


def test_ids_are_looked_for_together(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    store.commit([born("a"), born("ü")])
    outcomes = store.commit([born("a"), born("b"), born("ü"), born("ö"), born("b")])
    assert [each.verdict.name for each in outcomes] == [
        "ID_TAKEN",
        "LANDED",
        "ID_TAKEN",
        "LANDED",
        "ID_TAKEN",
    ]
    store.close()
