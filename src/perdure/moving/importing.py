"""Instances out of files into a store: each under a new key, and under the id that it had."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from perdure.base.errors import CallerFault, StoreBroken
from perdure.core.state import blank, fold
from perdure.core.status import TERMINAL
from perdure.moving.instance_files import InstanceFile
from perdure.store.moving import Numbers, Shipment, Target, Whole
from perdure.store.port import LifecycleAdd, LifecycleRow, TaskRow
from perdure.wire.events import decode_stored

IMPORTED: Final = "imported"  # the kind of lifecycle row that tells of it


@dataclass(frozen=True, slots=True)
class IdsInUse:
    """Nothing was imported, because instances of these ids are there."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """What was imported, and who waits for a child, or works for a parent, that is not there.

    `lonely` are pairs of an instance and the other one, by their ids.
    """

    ids: tuple[str, ...]
    lonely: tuple[tuple[str, str], ...]


def import_files(
    target: Target, files: Sequence[InstanceFile], *, now_us: int
) -> IdsInUse | Imported:
    """Put the instances of files in, all of them or none.

    A child is bound to its parent again where both come from one store and are imported together.
    Raises CallerFault for what cannot be imported, and StoreErrors.
    """
    check_files(files)
    ordered = sorted(files, key=lambda file: (file.source, file.whole.key))
    ids = [file.whole.identity.instance_id for file in ordered]
    in_use = target.ids_in_use(ids)
    if in_use:
        return IdsInUse(in_use)
    wholes = [file.whole for file in ordered]
    last = target.reserve(_needed(wholes))
    moved = _renumbered(ordered, last)
    lifecycle = tuple(_told(moved, last, now_us))
    in_use = target.receive(Shipment(instances=tuple(moved), lifecycle=lifecycle))
    if in_use:
        return IdsInUse(in_use)
    return Imported(tuple(ids), tuple(_lonely(moved, target)))


def check_files(files: Sequence[InstanceFile]) -> None:
    """Raise CallerFault, which says why, if the instances of files cannot be imported together."""
    seen: set[str] = set()
    for file in files:
        instance_id = file.whole.identity.instance_id
        if instance_id in seen:
            raise CallerFault(f"{instance_id} is in more than one file")
        seen.add(instance_id)
        if not file.complete and file.whole.head.phase not in TERMINAL:
            raise CallerFault(
                f"the file of {instance_id} was told by a running server, which does not tell "
                "everything of one that has not ended: export it from the store, with --store"
            )
        _open_children(file.whole)


def _needed(wholes: Sequence[Whole]) -> Numbers:
    return Numbers(
        key=len(wholes),
        inbox_seq=sum(len(whole.inbox) for whole in wholes),
        task_row=sum(len(whole.tasks) + len(whole.ended_tasks) for whole in wholes),
        lifecycle_seq=len(wholes),
    )


def _renumbered(files: Sequence[InstanceFile], last: Numbers) -> list[Whole]:
    """Return the instances with the numbers that come after the last ones."""
    new_keys: dict[tuple[str, int], int] = {}
    moved: list[Whole] = []
    seq, row = last.inbox_seq, last.task_row
    for key, file in enumerate(files, start=last.key + 1):
        whole = file.whole
        new_keys[file.source, whole.key] = key
        parent_key = new_keys.get((file.source, whole.identity.parent_key or 0))
        rows = sorted(each.row for each in (*whole.tasks, *whole.ended_tasks))
        new_rows = {old: new for new, old in enumerate(rows, start=row + 1)}
        in_order = sorted(each.seq for each in whole.inbox)
        new_seqs = {old: new for new, old in enumerate(in_order, start=seq + 1)}
        row, seq = row + len(rows), seq + len(in_order)
        moved.append(
            replace(
                whole,
                key=key,
                identity=replace(whole.identity, parent_key=parent_key),
                inbox=tuple(replace(each, seq=new_seqs[each.seq]) for each in whole.inbox),
                tasks=_tasks(whole.tasks, key, new_rows),
                ended_tasks=_tasks(whole.ended_tasks, key, new_rows),
            )
        )
    return moved


def _tasks(rows: Sequence[TaskRow], key: int, new_rows: dict[int, int]) -> tuple[TaskRow, ...]:
    return tuple(replace(each, key=key, row=new_rows[each.row]) for each in rows)


def _told(moved: Sequence[Whole], last: Numbers, now_us: int) -> Iterator[LifecycleRow]:
    for seq, whole in enumerate(moved, start=last.lifecycle_seq + 1):
        named = (whole.identity.instance_id, whole.identity.name)
        yield LifecycleRow(seq, whole.key, LifecycleAdd(IMPORTED, now_us, *named))


def _lonely(moved: Sequence[Whole], target: Target) -> Iterator[tuple[str, str]]:
    """Yield those that have not ended, each with whom it will never hear of, or be heard by."""
    for whole in moved:
        identity, running = whole.identity, whole.head.phase not in TERMINAL
        if running and identity.parent_id is not None and identity.parent_key is None:
            yield identity.instance_id, identity.parent_id
        for child_id in _open_children(whole):
            child = target.snapshot(child_id)
            if child is None or child.identity.parent_key != whole.key:
                yield identity.instance_id, child_id


def _open_children(whole: Whole) -> list[str]:
    """Return the ids of the children whose results an instance waits for."""
    if whole.head.phase in TERMINAL:
        return []
    try:
        state = fold(blank(), [decode_stored(row.event) for row in whole.history])
    except StoreBroken as damage:
        raise CallerFault(
            f"the history of {whole.identity.instance_id} cannot be read, so nobody could go on "
            "with it: its store was damaged when it was exported"
        ) from damage
    return [child.instance_id for child in state.open_children.values()]
