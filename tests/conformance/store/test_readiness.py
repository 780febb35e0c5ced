"""Which instances have work for a turn, and which are stuck."""

import pytest

from perdure.core.status import Status
from perdure.store.port import ReadyRow, Store, TaskEnd, TimerAdd
from tests.conformance.store.making import (
    RAISED,
    START,
    TERMINATED,
    bear,
    birth,
    finish,
    land,
    task,
)


def _ready(store: Store) -> list[str]:
    return [row.instance_id for row in store.ready(0, 100)]


def _stuck(store: Store) -> list[str]:
    return [row.instance_id for row in store.stuck(100)]


def test_an_instance_with_something_in_its_inbox_is_ready(store: Store) -> None:
    key = bear(store, "a", Status.PENDING, inbox=(START, RAISED))
    bear(store, "idle")
    assert store.ready(0, 10) == (ReadyRow(key, "a", "order", "shop"),)
    land(store, key=key, taken=(1, 2))
    assert _ready(store) == []


def test_the_suspended_the_held_and_the_finished_are_not_ready(store: Store) -> None:
    suspended = bear(store, "suspended", inbox=(RAISED,))
    land(store, key=suspended, suspended=True)
    held = bear(store, "held", Status.PENDING, inbox=(START,), held=True)
    finish(store, bear(store, "finished", inbox=(RAISED,)))
    assert _ready(store) == []
    land(store, key=suspended, suspended=False)
    land(store, key=held, held=False)
    assert _ready(store) == ["suspended", "held"]


def test_a_terminate_makes_the_suspended_and_the_held_ready(store: Store) -> None:
    suspended = bear(store, "suspended", inbox=(RAISED, TERMINATED))
    land(store, key=suspended, suspended=True)
    bear(store, "held", inbox=(START, TERMINATED), held=True)
    bear(store, "finished", Status.COMPLETED, inbox=(TERMINATED,))
    assert _ready(store) == ["suspended", "held"]


def test_the_terminating_are_told_by_key(store: Store) -> None:
    first = bear(store, "a", inbox=(TERMINATED, TERMINATED), held=True)
    bear(store, "finished", Status.FAILED, inbox=(TERMINATED,))
    bear(store, "other", inbox=(RAISED,))
    second = bear(store, "b", inbox=(RAISED, TERMINATED))
    assert store.terminating() == (first, second)
    land(store, key=second, wipe_inbox=True)
    assert store.terminating() == (first,)


def test_a_stalled_instance_is_ready(store: Store) -> None:
    bear(store, "a", stalled="patch", inbox=(RAISED,))
    assert _ready(store) == ["a"]


def test_the_ready_are_listed_by_key_in_parts(store: Store) -> None:
    keys = [bear(store, name, inbox=(START, RAISED)) for name in "abc"]
    land(store, key=keys[0], inbox=(RAISED,))
    assert [row.key for row in store.ready(0, 2)] == keys[:2]
    assert [row.key for row in store.ready(keys[0], 2)] == keys[1:]
    assert store.ready(keys[2], 2) == ()


def test_an_instance_that_nothing_will_move_is_stuck(store: Store) -> None:
    running = bear(store, "running", waits_for="activity")
    bear(store, "pending", Status.PENDING)
    assert store.stuck(1) == (ReadyRow(running, "running", "order", "shop"),)
    assert _stuck(store) == ["running", "pending"]


@pytest.mark.parametrize(
    "fields",
    [
        {"inbox": (RAISED,)},
        {"tasks": (task(1),)},
        {"timers": (TimerAdd(1, 1, 5),)},
        {"held": True, "inbox": (START,), "timers": (TimerAdd(0, -1, 5),)},
        {"held": True, "inbox": (TERMINATED,)},
        {"stalled": "patch"},
        {"waits_for": "event"},
    ],
    ids=["inbox", "task", "timer", "start timer", "terminate", "stall", "event"],
)
def test_an_instance_that_will_move_is_not_stuck(store: Store, fields: dict[str, object]) -> None:
    bear(store, "a", **fields)  # type: ignore[arg-type]  # what a test says
    assert _stuck(store) == []


def test_the_suspended_and_the_finished_are_not_stuck(store: Store) -> None:
    land(store, key=bear(store, "suspended"), suspended=True)
    bear(store, "finished", Status.FAILED)
    assert _stuck(store) == []


def test_a_held_instance_without_its_start_timer_is_stuck(store: Store) -> None:
    bear(store, "a", Status.PENDING, held=True, inbox=(START,))
    assert _stuck(store) == ["a"]


def test_an_instance_is_stuck_once_its_child_has_ended(store: Store) -> None:
    parent = bear(store, "parent", waits_for="child")
    child = land(
        store, key=parent, births=(birth("child", parent_key=parent, inbox=(START,)),)
    ).births[0]
    assert _stuck(store) == []
    assert child.key is not None
    finish(store, child.key)
    assert _stuck(store) == ["parent"]


def test_an_instance_is_stuck_once_its_task_has_ended(store: Store) -> None:
    key = bear(store, "a", tasks=(task(1),))
    land(store, key=key, ended_tasks=(TaskEnd(1, 1, 5),))
    assert _stuck(store) == ["a"]
