"""Whole instances out of a database, and into one."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import Final

from perdure.store.moving import Numbers, Shipment, Whole
from perdure.store.partitions import number_of
from perdure.store.port import Birth, NoteRow
from perdure.store.postgres.composing import Part, rows_part, written_at_once
from perdure.store.postgres.connections import Link
from perdure.store.postgres.reading import COUNTERS, SNAPSHOT_COLUMNS
from perdure.store.postgres.statements import statements
from perdure.store.records import Row, birth_row, head_row, note_row_of, snapshot_of
from perdure.store.wholes import TABLES, ended_task_values, task_values, wholes_of

_SQL: Final = statements("moving")
_WRITING: Final = statements("writing")
_SEQUENCES: Final = ("instance_keys", "inbox_seqs", "task_rows", "lifecycle_seqs", "note_rows")


async def numbers(link: Link) -> Numbers:
    return Numbers(*await link.value(COUNTERS))


async def wholes(
    link: Link, after_key: int, limit: int, history_bytes_max: int
) -> tuple[Whole, ...]:
    """Return a few instances by key; the connection must see one moment."""
    last_key = await link.value(_SQL["last_of_few"], after_key, limit, history_bytes_max)
    if last_key is None:
        return ()
    few = (after_key, last_key)
    rows = {name: await _rows(link, _SQL[f"{name}_of_range"], few) for name in TABLES}
    read = await _rows(link, f"{SNAPSHOT_COLUMNS} {_SQL['range']}", few)
    return wholes_of(map(snapshot_of, read), rows)


async def _rows(link: Link, sql: str, values: tuple[object, ...]) -> list[Row]:
    return await link.rows(sql, *values)


async def notes_by_row(link: Link, after_row: int, limit: int) -> tuple[NoteRow, ...]:
    rows = await _rows(link, _SQL["notes_by_row"], (after_row, limit))
    return tuple([note_row_of(row) for row in rows])


async def ids_in_use(link: Link, ids: Sequence[str]) -> tuple[str, ...]:
    in_use = {row[0] for row in await link.rows(_SQL["taken_ids"], list(ids))}
    return tuple([each for each in ids if each in in_use])


async def reserve(link: Link, wanted: Numbers) -> tuple[Numbers, bool]:
    """Reserve numbers, in a transaction; return the last ones before them."""
    await link.run(_SQL["hold_sequences"])
    before = await numbers(link)
    for name, last, more in zip(_SEQUENCES, astuple(before), astuple(wanted), strict=True):
        if more:
            await link.row(_SQL["reserve"], name, last + more)
    return before, False  # it holds by itself, whatever becomes of the transaction


async def put_in(link: Link, shipment: Shipment, partitions: int) -> tuple[tuple[str, ...], bool]:
    """Write a shipment, in a transaction, or return the ids that are in use."""
    taken = await ids_in_use(link, [whole.identity.instance_id for whole in shipment.instances])
    if taken:
        return taken, False
    given = await numbers(link)
    for whole in shipment.instances:
        assert whole.key <= given.key, (whole.key, given)
    parts = list(_parts(shipment, partitions))
    if parts:
        await link.write(*written_at_once(parts))
    return (), bool(parts)


def _parts(shipment: Shipment, partitions: int) -> Iterator[Part]:
    found = shipment.instances
    numbers = {each.key: number_of(each.identity.instance_id, partitions) for each in found}
    yield from rows_part(
        "insert_instances", _WRITING, [_instance_row(each, numbers[each.key]) for each in found]
    )
    tags = [(each.key, *tag) for each in found for tag in each.identity.tags]
    yield from rows_part("insert_tags", _WRITING, tags)
    propagated = [(each.key, each.identity.propagated) for each in found]
    propagated = [row for row in propagated if row[1] is not None]
    yield from rows_part("insert_propagated", _WRITING, propagated)
    history = [(each.key, row.seq, row.kind, row.event) for each in found for row in each.history]
    yield from rows_part("insert_history", _WRITING, history)
    inbox = [
        (row.seq, each.key, numbers[each.key], row.add.rank, row.add.kind, row.add.generation,
         row.add.event)
        for each in found
        for row in each.inbox
    ]  # fmt: skip
    yield from rows_part("insert_inbox", _WRITING, inbox)
    tasks = [_task_row(task_values(row), numbers) for each in found for row in each.tasks]
    yield from rows_part("insert_tasks", _WRITING, tasks)
    ended = [ended_task_values(row) for each in found for row in each.ended_tasks]
    yield from rows_part("insert_ended_tasks", _WRITING, ended)
    timers = [
        (each.key, numbers[each.key], *astuple(timer)) for each in found for timer in each.timers
    ]
    yield from rows_part("insert_timers", _WRITING, timers)
    lifecycle = [(row.seq, row.key, *astuple(row.add)) for row in shipment.lifecycle]
    yield from rows_part("put_lifecycle", _SQL, lifecycle)
    yield from rows_part("put_notes", _SQL, [astuple(note) for note in shipment.notes])


def _instance_row(whole: Whole, partition: int) -> Row:
    birth = Birth(identity=whole.identity, head=whole.head)
    written = head_row(whole.version, whole.head)
    row = birth_row(whole.key, birth, written, whole.head, (whole.suspended, whole.held))
    return (*row, len(whole.history), partition)


def _task_row(values: Row, numbers: dict[int, int]) -> Row:
    row, key, *rest = values
    return (row, key, numbers[key], *rest)
