"""Imports: all or none, under new numbers, with families kept together."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from perdure.base.errors import CallerFault
from perdure.core.status import Status
from perdure.moving.importing import IdsInUse, Imported, import_files
from perdure.moving.instance_files import InstanceFile
from perdure.store.memory import MemoryStore
from perdure.store.moving import Shipment, Whole, whole_of
from perdure.store.port import Entry, HistoryRow, LifecycleAdd, LifecycleRow
from tests.conformance.store.making import bear, birth
from tests.kit.wholes import fill


def _files(*ids: str, source: str = "a") -> list[InstanceFile]:
    store = MemoryStore()
    fill(store)
    found = [whole_of(store, each) for each in ids]
    return [_file(whole, source) for whole in found if whole is not None]


def _file(whole: Whole, source: str = "a") -> InstanceFile:
    return InstanceFile(
        whole=whole, complete=True, exported_at_us=1, exported_by="perdure", source=source
    )


def _whole(store: MemoryStore, instance_id: str) -> Whole:
    found = whole_of(store, instance_id)
    assert found is not None
    return found


def test_an_instance_gets_new_numbers_and_keeps_everything_else() -> None:
    target = MemoryStore()
    fill(target)
    for key in (2, 3, 4, 5):
        target.commit([_purge(key)])
    (file,) = _files("full")
    assert import_files(target, [file], now_us=9) == Imported(
        ("full",), (("full", "gone"), ("full", "child"))
    )
    old, new = file.whole, _whole(target, "full")
    assert new.key == 6
    assert new.identity == replace(old.identity, parent_key=None)
    assert (new.version, new.head, new.suspended) == (old.version, old.head, old.suspended)
    assert (new.history, new.timers) == (old.history, old.timers)
    assert [row.add for row in new.inbox] == [row.add for row in old.inbox]
    assert min(row.seq for row in new.inbox) > 7
    assert [(row.add, row.attempts, row.worker) for row in new.tasks] == [
        (row.add, row.attempts, row.worker) for row in old.tasks
    ]
    assert [row.add.task_id for row in new.ended_tasks] == [1]
    numbers = sorted(row.row for row in (*new.tasks, *new.ended_tasks))
    assert numbers == [4, 5, 6]
    assert target.lifecycle(3, 9) == (
        LifecycleRow(4, 6, LifecycleAdd("imported", 9, "full", "Bestellung ✓")),
    )


def _purge(key: int) -> Entry:
    return Entry(key=key, purge=True)


def test_a_child_is_bound_to_its_parent_again() -> None:
    target = MemoryStore()
    bear(target, "other")
    done = import_files(target, list(reversed(_files("full", "child"))), now_us=9)
    assert done == Imported(("full", "child"), (("full", "gone"),))
    parent = _whole(target, "full")
    assert [each.identity.instance_id for each in target.children(parent.key)] == ["child"]


def test_files_of_different_stores_are_no_family() -> None:
    target = MemoryStore()
    files = [*_files("full"), *_files("child", source="b")]
    done = import_files(target, files, now_us=9)
    assert isinstance(done, Imported)
    assert done.lonely == (("full", "gone"), ("full", "child"), ("child", "full"))


def test_one_that_has_ended_is_bound_to_nobody() -> None:
    done = import_files(MemoryStore(), _files("ended"), now_us=9)
    assert done == Imported(("ended",), ())


def test_a_taken_id_keeps_all_out() -> None:
    target = MemoryStore()
    bear(target, "child", Status.COMPLETED)
    before = list(target.dump())
    assert import_files(target, _files("full", "child"), now_us=9) == IdsInUse(("child",))
    assert list(target.dump()) == before


class Raced(MemoryStore):
    """A store in which somebody takes the id at the last moment."""

    def receive(self, shipment: Shipment) -> tuple[str, ...]:
        bear(self, "full", inbox=birth("x").inbox)
        return super().receive(shipment)


def test_an_id_that_is_taken_meanwhile_keeps_all_out() -> None:
    target = Raced()
    assert import_files(target, _files("full", "child"), now_us=9) == IdsInUse(("full",))
    assert [instance_id for _, instance_id in target.list_ids(0, 9)] == ["full"]


def _told(files: Sequence[InstanceFile]) -> list[InstanceFile]:
    return [replace(file, complete=False) for file in files]


def _damaged(files: Sequence[InstanceFile]) -> list[InstanceFile]:
    history = (HistoryRow(1, 14, b"\xff"),)
    return [replace(file, whole=replace(file.whole, history=history)) for file in files]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (_files("full") * 2, "full is in more than one file"),
        (_told(_files("full")), "full was told by a running server"),
        (_damaged(_files("full")), "the history of full cannot be read"),
    ],
)
def test_what_cannot_go_on_is_refused(files: Sequence[InstanceFile], words: str) -> None:
    target = MemoryStore()
    before = list(target.dump())
    with pytest.raises(CallerFault, match=words):
        import_files(target, files, now_us=9)
    assert list(target.dump()) == before


def test_what_has_ended_needs_not_be_complete() -> None:
    assert import_files(MemoryStore(), _told(_files("ended")), now_us=9) == Imported(("ended",), ())
