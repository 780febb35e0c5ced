"""Notes in a commit: which there are by now, and what becomes of each name."""

from collections.abc import Collection, Iterator
from typing import Final

from perdure.store.port import Entry, NoteAdd
from perdure.store.postgres.composing import Part, rows_part
from perdure.store.postgres.statements import statements
from perdure.store.records import Row

_SQL: Final = statements("writing")

NoteName = tuple[str, str]  # shelf and key


class Notes:
    """The notes that a commit names. Of each name only the last state is written."""

    def __init__(self, kept: Collection[NoteName]) -> None:
        """Begin with those that are kept; they are locked until the commit has ended."""
        self._kept = kept
        self._now: dict[NoteName, tuple[int, NoteAdd] | None] = {}

    def has(self, name: NoteName) -> bool:
        return self._now[name] is not None if name in self._now else name in self._kept

    def end(self, entry: Entry) -> None:
        for end in entry.ended_notes:
            self._now[end.shelf, end.key] = None

    def add(self, row: int, add: NoteAdd) -> None:
        self._now[add.shelf, add.key] = (row, add)

    def writing(self) -> Iterator[Part]:
        """Yield what writes them.

        A name that was free is inserted, so that whoever else takes it meanwhile is noticed.
        """
        new: list[Row] = []
        replaced: list[Row] = []
        gone: list[Row] = []
        for name, state in self._now.items():
            if state is not None:
                row, add = state
                rows = replaced if name in self._kept else new
                rows.append((row, *name, add.at_us, add.body, add.about))
            elif name in self._kept:
                gone.append(name)
        for statement, found in (
            ("insert_notes", new),
            ("replace_notes", replaced),
            ("delete_notes", gone),
        ):
            yield from rows_part(statement, _SQL, found)
