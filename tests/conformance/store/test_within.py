"""Reads that ask within partitions, of every store."""

import pytest

from perdure.core.status import Status
from perdure.store.partitions import (
    HOUSEKEEPING,
    PARTITIONS,
    Partition,
    number_of,
    partition_of,
)
from perdure.store.port import Store, TimerAdd, TimerRow
from tests.conformance.store.making import START, TERMINATED, bear, finish, task

IDS = [f"i{number}" for number in range(40)]


def _place(instance_id: str, app_id: str = "shop") -> Partition:
    return partition_of(app_id, instance_id)


def test_an_id_falls_into_the_same_number_for_ever() -> None:
    """What is kept hangs on these: they are CRC-32 as PNG and zip have it, modulo the number."""
    assert number_of("") == 0
    assert number_of("123456789") == 0xCBF43926 % PARTITIONS == 38
    assert number_of("Grüße", 1_000) == 0xFBD37071 % 1_000
    assert partition_of("shop", "123456789") == Partition("shop", 38)
    assert Partition("", 0) == HOUSEKEEPING


def test_who_is_ready_is_found_page_by_page(store: Store) -> None:
    keys = {name: bear(store, name, inbox=(START,)) for name in IDS}
    within = {_place(name) for name in IDS[:10]}
    wanted = sorted(keys[name] for name in IDS if _place(name) in within)
    found: list[int] = []
    while rows := store.ready(found[-1] if found else 0, 3, within):
        found += [row.key for row in rows]
    assert found == wanted
    assert store.ready(0, 100, {Partition("bank", _place(IDS[0]).number)}) == ()


def test_who_is_to_be_terminated(store: Store) -> None:
    keys = [bear(store, name, inbox=(START, TERMINATED)) for name in IDS[:2]]
    assert store.terminating() == tuple(keys)
    assert store.terminating({_place(IDS[1])}) == (keys[1],)
    assert store.terminating(()) == ()


def test_activities_lie_where_their_own_app_has_their_instance(store: Store) -> None:
    key = bear(store, "a", app_id="shop", tasks=(task(1), task(2, app_id="bank")))
    other = bear(store, "b", tasks=(task(1),))
    of_shop, of_bank = store.tasks(0, 9, {_place("a")}), store.tasks(0, 9, {_place("a", "bank")})
    assert [(row.key, row.add.task_id) for row in of_shop] == [(key, 1)]
    assert [(row.key, row.add.task_id) for row in of_bank] == [(key, 2)]
    assert [row.key for row in store.tasks(0, 9, [_place("a"), _place("b")])] == [key, other]
    assert [row.key for row in store.tasks(0, 1, [_place("a"), _place("b")])] == [key]


def test_timers_are_told_with_the_partition_of_their_instance(store: Store) -> None:
    late = bear(store, "late", timers=(TimerAdd(1, 1, 30), TimerAdd(1, 2, 10)))
    bear(store, "soon", timers=(TimerAdd(1, 1, 5),))
    within = {_place("late")}
    assert store.due_timers(30, 9, within) == (
        TimerRow(late, 1, 2, 10, _place("late")),
        TimerRow(late, 1, 1, 30, _place("late")),
    )
    assert len(store.due_timers(30, 1, within)) == 1
    assert store.due_timers(9, 9, within) == ()
    assert store.next_timer_us(within) == 10
    assert store.next_timer_us(()) is None
    assert store.next_timer_us({_place("late"), _place("soon")}) == 5


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.TERMINATED])
def test_the_finished_have_nothing_to_do(store: Store, status: Status) -> None:
    key = bear(store, "a", inbox=(START,))
    finish(store, key, status)
    assert store.ready(0, 9, {_place("a")}) == ()
