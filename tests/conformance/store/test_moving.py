"""Moving: what is taken out of a store is what was put in, and arrives as it was."""

from dataclasses import replace
from typing import Protocol, cast

import pytest

from perdure.core.status import Status
from perdure.store.leases import ANYTHING
from perdure.store.memory import MemoryStore
from perdure.store.moving import Numbers, Shipment, Target, Whole, whole_of
from perdure.store.port import Entry, HandOut, Store, TaskEnd, Verdict
from tests.conformance.store.conftest import Cluster, MakeStore
from tests.conformance.store.making import bear, birth, held_by, key_of, land
from tests.conformance.store.sharing import TTL_US, Sharer
from tests.kit.wholes import fill, move

_ALL = 1_000_000


class Movable(Store, Target, Protocol):
    """A store whose instances can be moved, as those of all stores can."""


@pytest.fixture
def store(make_store: MakeStore) -> Movable:
    return cast("Movable", make_store())


@pytest.fixture
def filled() -> MemoryStore:
    made = MemoryStore()
    fill(made)
    return made


def test_everything_that_moves_in_is_as_it_was(store: Movable, filled: MemoryStore) -> None:
    move(filled, store)
    assert list(store.dump()) == list(filled.dump())
    assert store.counts() == filled.counts()
    assert [store.load(each) for each in ("full", "child")] == [
        filled.load(each) for each in ("full", "child")
    ]
    assert store.tasks_of(2) == filled.tasks_of(2)
    assert store.ready(0, 9) == filled.ready(0, 9)


def test_everything_that_moves_out_is_as_it_was(store: Movable) -> None:
    fill(store)
    target = MemoryStore()
    move(store, target)
    assert list(target.dump()) == list(store.dump())


def test_what_moves_beside_others_has_numbers_of_its_own(
    store: Movable, filled: MemoryStore
) -> None:
    other = MemoryStore()
    bear(store, "other", inbox=birth("x").inbox)
    fill(other)
    by = move(filled, store)
    assert by.key == 1
    full, child = store.snapshot("full"), store.snapshot("child")
    assert full is not None
    assert child is not None
    assert (full.key, full.identity.parent_key) == (3, 2)
    assert [each.identity.instance_id for each in store.children(full.key)] == ["child"]
    assert [row.key for row in store.lifecycle(0, 9)] == [2, 3, 4]
    assert store.numbers().key == 1 + filled.numbers().key


def test_numbers_go_on_growing(store: Movable, filled: MemoryStore) -> None:
    move(filled, store)
    outcome = land(store, key=None, births=(birth("next", inbox=birth("x").inbox),))
    assert key_of(outcome.births[0]) == filled.numbers().key + 1
    assert store.numbers().key == filled.numbers().key + 1


def test_what_has_moved_goes_on(store: Movable, filled: MemoryStore) -> None:
    """The version, the open task and the attempts are those that its next turn expects."""
    move(filled, store)
    both: list[Movable] = [store, filled]
    for each in both:
        full = each.snapshot("full")
        assert full is not None
        land(
            each,
            key=full.key,
            expect_version=full.version,
            head=replace(full.head, stalled=None),
            suspended=False,
            ended_tasks=(TaskEnd(1, 0, 30),),
            handed_out=(HandOut(1, 2, "worker 3", 31),),
            taken=tuple(row.seq for row in whole(each, "full").inbox),
        )
        assert each.commit([Entry(key=full.key, ended_tasks=(TaskEnd(1, 0, 32),))])[0].verdict is (
            Verdict.ENDED
        )
    assert list(store.dump()) == list(filled.dump())


def whole(store: Movable, instance_id: str) -> Whole:
    found = whole_of(store, instance_id)
    assert found is not None
    return found


def test_an_id_in_use_keeps_all_out(store: Movable, filled: MemoryStore) -> None:
    bear(store, "child")
    before = held_by(store)
    store.reserve(filled.numbers())
    wholes = tuple(replace(each, key=each.key + 1) for each in filled.wholes(0, _ALL, _ALL))
    lifecycle = filled.lifecycle(0, _ALL)
    assert store.receive(Shipment(instances=wholes, lifecycle=lifecycle)) == ("child",)
    assert held_by(store) == before


def test_numbers_that_nobody_has_reserved_are_refused(store: Movable, filled: MemoryStore) -> None:
    with pytest.raises(AssertionError):
        store.receive(Shipment(instances=filled.wholes(0, 1, 0)))
    assert held_by(store) == []


def test_what_is_reserved_is_not_given_out(store: Movable) -> None:
    wanted = Numbers(key=5, inbox_seq=6, task_row=7, lifecycle_seq=8, note_row=9)
    assert store.reserve(wanted) == Numbers()
    assert store.reserve(wanted) == wanted
    assert store.numbers() == wanted.plus(wanted)
    assert bear(store, "a") == 11


def test_rows_that_are_there_stay(store: Movable, filled: MemoryStore) -> None:
    store.reserve(filled.numbers())
    rows = Shipment(lifecycle=filled.lifecycle(0, 9), notes=filled.notes_by_row(0, 9))
    assert store.receive(rows) == ()
    before = held_by(store)
    changed = tuple(replace(note, body=b"changed") for note in rows.notes)
    assert store.receive(replace(rows, notes=changed)) == ()
    assert held_by(store) == before


def test_few_are_read_at_once(store: Movable) -> None:
    keys = [bear(store, each, history_bytes=100) for each in "abcde"]

    def read(after: int, limit: int, most: int) -> list[int]:
        return [each.key for each in store.wholes(after, limit, most)]

    assert read(0, 9, 10_000) == keys
    assert read(0, 2, 10_000) == keys[:2]
    assert read(keys[1], 9, 10_000) == keys[2:]
    assert read(0, 9, 0) == keys[:1]
    assert read(0, 9, 100) == keys[:2]
    assert read(0, 9, 199) == keys[:2]
    assert read(keys[-1], 9, 10_000) == []


def test_notes_are_read_in_the_order_of_writing(store: Movable) -> None:
    fill(store)
    rows = store.notes_by_row(0, 9)
    assert [row.row for row in rows] == [1, 2, 3]
    assert {row.shelf for row in rows} == {"receipts", "mailbox", "kept/t"}
    assert store.notes_by_row(1, 1) == rows[1:2]


def test_one_is_found_by_its_id(store: Movable) -> None:
    bear(store, "a", Status.COMPLETED, history_bytes=10_000)
    bear(store, "b")
    assert whole(store, "b").identity.instance_id == "b"
    assert whole_of(store, "c") is None


def test_ids_in_use_are_told(store: Movable) -> None:
    bear(store, "a")
    bear(store, "b", Status.COMPLETED)
    assert store.ids_in_use(("c", "b", "é", "a")) == ("b", "a")
    assert store.ids_in_use(()) == ()


def test_nobody_else_is_told_of(store: Movable) -> None:
    assert store.in_use_by() == ()


def test_nodes_are_told_of_what_moves_in(cluster: Cluster, filled: MemoryStore) -> None:
    first, other = cast("Movable", cluster.open()), Sharer("other", cluster.open())
    assert first.in_use_by() == ()
    other.stand()
    assert first.in_use_by() == ("machine of other",)
    move(filled, first)
    while other.hears() != ANYTHING:
        pass  # of nothing else is heard for ever
    cluster.let_pass(TTL_US + 1)
    assert first.in_use_by() == ()
