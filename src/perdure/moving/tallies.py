"""What is in a store, table by table, as counts and digests that two stores can be compared by."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from perdure.store.moving import Whole
from perdure.store.port import LifecycleRow, NoteRow

TABLES: Final = (
    "instances",
    "history",
    "inbox",
    "tasks",
    "ended_tasks",
    "timers",
    "lifecycle",
    "notes",
)


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows a table has, and the digest of them all in order."""

    rows: int
    sha256: str


class Tally:
    """Counts rows as they pass."""

    def __init__(self) -> None:
        self._rows = dict.fromkeys(TABLES, 0)
        self._digests = {table: hashlib.sha256() for table in TABLES}

    def add_instance(self, whole: Whole) -> None:
        """Count an instance and all its rows."""
        key = whole.key
        bare = replace(whole, history=(), inbox=(), tasks=(), ended_tasks=(), timers=())
        self._add("instances", [bare])
        self._add("history", ((key, row) for row in whole.history))
        self._add("inbox", ((key, row) for row in whole.inbox))
        self._add("tasks", whole.tasks)
        self._add("ended_tasks", whole.ended_tasks)
        self._add("timers", ((key, timer) for timer in whole.timers))

    def add_lifecycle(self, row: LifecycleRow) -> None:
        """Count a lifecycle row."""
        self._add("lifecycle", [row])

    def add_note(self, note: NoteRow) -> None:
        """Count a note."""
        self._add("notes", [note])

    def _add(self, table: str, rows: Iterable[object]) -> None:
        for row in rows:
            self._rows[table] += 1
            # Records of plain values are written the same way in every run of one version.
            self._digests[table].update(repr(row).encode(errors="backslashreplace") + b"\n")

    def totals(self) -> dict[str, Total]:
        """Return what was counted, by table."""
        return {
            table: Total(self._rows[table], self._digests[table].hexdigest()) for table in TABLES
        }
