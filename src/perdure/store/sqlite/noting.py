"""Notes in a commit. Each is written when its entry is applied: nothing else depends on them."""

import sqlite3
from typing import Final

from perdure.store.port import Entry, NoteRule
from perdure.store.sqlite.statements import statements

_SQL: Final = statements("noting")


def change_notes(writer: sqlite3.Connection, entry: Entry, last_row: int) -> int:
    """End and add notes; return the last row that was given out, `last_row` before."""
    ended = [(end.shelf, end.key) for end in entry.ended_notes]
    ended += [(add.shelf, add.key) for add in entry.notes if add.rule is NoteRule.REPLACE]
    if ended:
        writer.executemany(_SQL["delete_note"], ended)
    rows = [
        (row, add.shelf, add.key, add.at_us, add.body, add.about)
        for row, add in enumerate(entry.notes, start=last_row + 1)
    ]
    if rows:
        writer.executemany(_SQL["insert_note"], rows)
    return last_row + len(rows)


def has_note(writer: sqlite3.Connection, shelf: str, key: str) -> bool:
    return writer.execute(_SQL["has_note"], (shelf, key)).fetchone() is not None
