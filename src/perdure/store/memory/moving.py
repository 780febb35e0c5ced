"""Whole instances out of the store in memory, and into it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, replace
from threading import Lock

from perdure.store.checks import check_shipment
from perdure.store.memory.shelf import Counters, Instance, Shelf
from perdure.store.moving import Numbers, Shipment, Whole
from perdure.store.port import NoteRow, TaskRow, TimerAdd, TimerRow


class Moving:
    """What a store in memory does for those who move."""

    _shelf: Shelf
    _lock: Lock

    def numbers(self) -> Numbers:
        with self._lock:
            return Numbers(**asdict(self._shelf.counters))

    def wholes(self, after_key: int, limit: int, history_bytes_max: int) -> tuple[Whole, ...]:
        with self._lock:
            found = [each for each in self._shelf.by_key() if each.key > after_key]
        return _few(found, limit, history_bytes_max)

    def notes_by_row(self, after_row: int, limit: int) -> tuple[NoteRow, ...]:
        with self._lock:
            notes = sorted(self._shelf.notes.values(), key=lambda note: note.row)
        return tuple([note for note in notes if note.row > after_row][:limit])

    def in_use_by(self) -> tuple[str, ...]:
        return ()

    def ids_in_use(self, ids: Sequence[str]) -> tuple[str, ...]:
        with self._lock:
            return tuple(each for each in ids if each in self._shelf.bearers)

    def reserve(self, wanted: Numbers) -> Numbers:
        with self._lock:
            before = Numbers(**asdict(self._shelf.counters))
            self._shelf.counters = Counters(**asdict(before.plus(wanted)))
        return before

    def receive(self, shipment: Shipment) -> tuple[str, ...]:
        check_shipment(shipment)
        with self._lock:
            return _put_in(self._shelf, shipment)


def _whole_of(found: Instance) -> Whole:
    """Return the record of an instance."""
    return Whole(
        key=found.key,
        version=found.version,
        identity=found.identity,
        head=found.head,
        suspended=found.suspended,
        held=found.held,
        history=found.history,
        inbox=found.inbox,
        tasks=_as_read(found, found.tasks),
        ended_tasks=_as_read(found, found.ended_tasks),
        timers=tuple(sorted(map(_timer_of, found.timers), key=astuple)),
    )


def _timer_of(row: TimerRow) -> TimerAdd:
    return TimerAdd(row.generation, row.timer_id, row.fire_at_us)


def _as_read(found: Instance, rows: Iterable[TaskRow]) -> tuple[TaskRow, ...]:
    in_order = sorted(rows, key=lambda row: row.row)
    return tuple(replace(row, suspended=found.suspended) for row in in_order)


def _few(found: Iterable[Instance], limit: int, history_bytes_max: int) -> tuple[Whole, ...]:
    """Return as many of the instances as were asked for."""
    taken: list[Whole] = []
    before = 0
    for each in found:
        if len(taken) == limit or before > history_bytes_max:
            break
        taken.append(_whole_of(each))
        before += each.head.history_bytes
    return tuple(taken)


def _put_in(shelf: Shelf, shipment: Shipment) -> tuple[str, ...]:
    """Put a shipment on a shelf, or return the ids that are in use."""
    for whole in shipment.instances:
        assert whole.key not in shelf.instances, whole.key
        assert whole.key <= shelf.counters.key, (whole.key, shelf.counters)
    ids = [whole.identity.instance_id for whole in shipment.instances]
    taken = tuple(each for each in ids if each in shelf.bearers)
    if taken:
        return taken
    for whole in shipment.instances:
        shelf.instances[whole.key] = _instance_of(whole)
        shelf.bearers[whole.identity.instance_id] = whole.key
    known = {row.seq for row in shelf.lifecycle}
    shelf.lifecycle.extend(row for row in shipment.lifecycle if row.seq not in known)
    shelf.lifecycle.sort(key=lambda row: row.seq)
    for note in shipment.notes:
        shelf.notes.setdefault((note.shelf, note.key), note)
    return ()


def _instance_of(whole: Whole) -> Instance:
    return Instance(
        key=whole.key,
        version=whole.version,
        identity=whole.identity,
        head=whole.head,
        suspended=whole.suspended,
        held=whole.held,
        history=whole.history,
        inbox=whole.inbox,
        tasks=tuple(replace(row, suspended=False) for row in whole.tasks),
        ended_tasks=tuple(replace(row, suspended=False) for row in whole.ended_tasks),
        timers=tuple(TimerRow(whole.key, *astuple(timer)) for timer in whole.timers),
    )
