"""All of a store's instances, notes and lifecycle rows, read in pieces that memory can hold."""

from collections.abc import Iterator
from typing import Final

from perdure.base.limits import MIB
from perdure.store.moving import Source, Whole
from perdure.store.port import LifecycleRow, NoteRow

BATCH_INSTANCES_MAX: Final = 200
BATCH_BYTES_MAX: Final = 16 * MIB
BATCH_ROWS_MAX: Final = 2_000


def instances(source: Source, after_key: int, last_key: int) -> Iterator[Whole]:
    """Yield the instances after one key and up to another."""
    while after_key < last_key:
        wholes = source.wholes(after_key, BATCH_INSTANCES_MAX, BATCH_BYTES_MAX)
        for whole in wholes:
            if whole.key > last_key:
                return
            yield whole
        if not wholes:
            return
        after_key = wholes[-1].key


def notes(source: Source, after_row: int, last_row: int) -> Iterator[NoteRow]:
    """Yield the notes after one row and up to another."""
    while after_row < last_row:
        rows = source.notes_by_row(after_row, BATCH_ROWS_MAX)
        for row in rows:
            if row.row > last_row:
                return
            yield row
        if not rows:
            return
        after_row = rows[-1].row


def lifecycle(source: Source, after_seq: int, last_seq: int) -> Iterator[LifecycleRow]:
    """Yield the lifecycle rows after one number and up to another."""
    while after_seq < last_seq:
        rows = source.lifecycle(after_seq, BATCH_ROWS_MAX)
        for row in rows:
            if row.seq > last_seq:
                return
            yield row
        if not rows:
            return
        after_seq = rows[-1].seq
