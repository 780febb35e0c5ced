"""Whole instances out of a file, and into one."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Any, Final

from perdure.store.moving import Numbers, Shipment, Whole
from perdure.store.port import Birth, NoteRow
from perdure.store.records import birth_row, head_row, note_row_of, snapshot_of
from perdure.store.sqlite.counters import Counters
from perdure.store.sqlite.reading import SNAPSHOT_COLUMNS
from perdure.store.sqlite.statements import statements
from perdure.store.wholes import TABLES, ended_task_values, task_values, wholes_of

_SQL: Final = statements("moving")
_WRITING: Final = statements("writing")
_SEQ_BITS: Final = 24


def numbers_of(counters: Counters) -> Numbers:
    return Numbers(*counters.values())


def numbers(reader: sqlite3.Connection) -> Numbers:
    return Numbers(*reader.execute(_WRITING["counters"]).fetchone())


def reserved(writer: sqlite3.Connection, last: Numbers) -> Counters:
    """Write the last numbers that are given out, and return them."""
    counters = Counters(*astuple(last))
    writer.execute(_WRITING["update_counters"], counters.values())
    return counters


def wholes(
    reader: sqlite3.Connection, after_key: int, limit: int, history_bytes_max: int
) -> tuple[Whole, ...]:
    """Return a few instances by key; the connection must see one moment."""
    asked = (after_key, limit, history_bytes_max)
    (last_key,) = reader.execute(_SQL["last_of_few"], asked).fetchone()
    if last_key is None:
        return ()
    few = (after_key, last_key)
    rows = {name: reader.execute(_SQL[f"{name}_of_range"], few) for name in TABLES}
    read = reader.execute(f"{SNAPSHOT_COLUMNS} WHERE key > ? AND key <= ? ORDER BY key", few)
    return wholes_of(map(snapshot_of, read), rows)


def notes_by_row(reader: sqlite3.Connection, after_row: int, limit: int) -> tuple[NoteRow, ...]:
    rows = reader.execute(_SQL["notes_by_row"], (after_row, limit))
    return tuple([note_row_of(row) for row in rows])


def ids_in_use(reader: sqlite3.Connection, ids: Sequence[str]) -> tuple[str, ...]:
    in_use = {row[0] for row in reader.execute(_SQL["taken_ids"], (json.dumps(ids),))}
    return tuple(each for each in ids if each in in_use)


def put_in(writer: sqlite3.Connection, shipment: Shipment, counters: Counters) -> tuple[str, ...]:
    """Write a shipment, or return the ids that are in use; the transaction is the caller's."""
    ids = [whole.identity.instance_id for whole in shipment.instances]
    taken = ids_in_use(writer, ids)
    if taken:
        return taken
    for whole in shipment.instances:
        assert whole.key <= counters.key, (whole.key, counters)
        _put_instance(writer, whole)
    lifecycle = [(row.seq, row.key, *astuple(row.add)) for row in shipment.lifecycle]
    writer.executemany(_SQL["put_lifecycle"], lifecycle)
    writer.executemany(_SQL["put_note"], [astuple(note) for note in shipment.notes])
    return ()


def _put_instance(writer: sqlite3.Connection, whole: Whole) -> None:
    key, identity = whole.key, whole.identity
    birth = Birth(identity=identity, head=whole.head)
    written = head_row(whole.version, whole.head)
    row = birth_row(key, birth, written, whole.head, (whole.suspended, whole.held))
    place = key << _SEQ_BITS
    rows: dict[str, Iterable[tuple[Any, ...]]] = {
        "insert_instance": [row],
        "insert_tag": [(key, *tag) for tag in identity.tags],
        "insert_history": [(place + row.seq, row.kind, row.event) for row in whole.history],
        "insert_inbox": [
            (row.seq, key, row.add.rank, row.add.kind, row.add.generation, row.add.event)
            for row in whole.inbox
        ],
        "insert_timer": [(key, *astuple(timer)) for timer in whole.timers],
    }
    if identity.propagated is not None:
        rows["insert_propagated"] = [(key, identity.propagated)]
    for name, values in rows.items():
        writer.executemany(_WRITING[name], values)
    writer.executemany(_SQL["put_task"], map(task_values, whole.tasks))
    writer.executemany(_SQL["put_ended_task"], map(ended_task_values, whole.ended_tasks))
