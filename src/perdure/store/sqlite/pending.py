"""The rows that a commit has gathered and not yet written, and the order to write them in.

Rows are gathered by table, because many rows for one statement are the cheapest way into SQLite
(`sqlite.running`). That changes their order, so the rules below make the order not matter:
- Whoever purges an instance, or wipes a history, of which rows are pending, flushes first. So
  purges, and wipes of histories, may be written before everything else of a flush.
- An inbox or a queue of tasks is wiped up to the last number given by then, so what came later
  stays although it is written before.
- A head is written once, as it is last; so are an instance's timers, after those that ended.
"""

import sqlite3
from dataclasses import dataclass, field
from typing import Final

from perdure.store.gathering import Known
from perdure.store.records import Row, birth_row, head_row
from perdure.store.sqlite.running import run, run_sparse, run_wide

_PURGES: Final = (
    "purge_instance",
    "purge_propagated",
    "purge_tags",
    "purge_inbox",
    "purge_tasks",
    "wipe_history",
    "wipe_ended_tasks",
    "wipe_timers",
)


@dataclass(slots=True)
class Pending:
    """Rows by statement, in the order of the port's entries."""

    purged: list[tuple[int]] = field(default_factory=list)
    changed: dict[int, Known] = field(default_factory=dict)
    tags: list[Row] = field(default_factory=list)
    propagated: list[Row] = field(default_factory=list)
    wiped_histories: list[tuple[int]] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)
    inbox: list[Row] = field(default_factory=list)
    taken: list[tuple[int, int]] = field(default_factory=list)
    wiped_inboxes: list[tuple[int, int]] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    ended_tasks: dict[tuple[int, int, int], Row] = field(default_factory=dict)
    wiped_tasks: dict[int, int] = field(default_factory=dict)  # up to which row
    wiped_timers: list[tuple[int]] = field(default_factory=list)
    ended_timers: list[tuple[int, int, int]] = field(default_factory=list)
    timers: dict[tuple[int, int, int], int] = field(default_factory=dict)
    lifecycle: list[Row] = field(default_factory=list)

    def write(self, writer: sqlite3.Connection) -> None:
        """Write everything; the transaction is the caller's."""
        for name in _PURGES:
            run(writer, name, self.purged)
        self._write_instances(writer)
        run(writer, "insert_tag", self.tags)
        run(writer, "insert_propagated", self.propagated)
        run(writer, "wipe_history", self.wiped_histories)
        run(writer, "wipe_ended_tasks", self.wiped_histories)
        run_wide(writer, "insert_history", self.history)
        run(writer, "insert_inbox", self.inbox)
        run(writer, "take_inbox", self.taken)
        run(writer, "wipe_inbox", self.wiped_inboxes)
        self._write_tasks(writer)
        run_wide(writer, "wipe_timers", self.wiped_timers)
        run(writer, "delete_timer", self.ended_timers)
        timers = [(*name, fire_at_us) for name, fire_at_us in self.timers.items()]
        run(writer, "insert_timer", timers)
        run_wide(writer, "insert_lifecycle", self.lifecycle)

    def _write_instances(self, writer: sqlite3.Connection) -> None:
        born, heads, ends, heads_and_moments, flags = [], [], [], [], []
        for known in self.changed.values():
            if known.birth is not None:
                head = known.head or known.birth.head
                written = head_row(known.version, head)
                both = (int(known.suspended or 0), int(known.held or 0))
                born.append(birth_row(known.key, known.birth, written, head, both))
                continue
            if known.suspended is not None or known.held is not None:
                flags.append((known.suspended, known.held, known.key))
            if known.head is not None:
                written = head_row(known.version, known.head)
                created, completed = known.head.created_at_us, known.head.completed_at_us
                if created != known.created_at_us:
                    heads_and_moments.append((*written, created, completed, known.key))
                elif completed != known.completed_at_us:
                    ends.append((*written, completed, known.key))
                else:
                    heads.append((*written, known.key))
        run_sparse(writer, "insert_instance", born)
        run_sparse(writer, "update_head", heads)
        run_sparse(writer, "update_head_and_end", ends)
        run_sparse(writer, "update_head_and_moments", heads_and_moments)
        run(writer, "update_flags", flags)

    def _noted_ends(self) -> tuple[dict[tuple[int, int, int], Row], list[Row]]:
        """Return the ends that are written with a note of the last hand-out, and other notes."""
        noted: dict[tuple[int, int, int], Row] = {}
        latest: dict[tuple[int, int, int], Row] = {}
        others: list[Row] = []
        for note in self.notes:
            name = note[2:]
            end = self.ended_tasks.get(name)
            if end is None:
                others.append(note)
                continue
            if name in latest:
                others.append(latest[name])
            latest[name] = note
            noted[name] = (note[1], note[0], *end)
        return noted, others

    def _write_tasks(self, writer: sqlite3.Connection) -> None:
        run_wide(writer, "insert_task", self.tasks)
        noted, notes = self._noted_ends()
        if run(writer, "note_task", notes) < len(notes):
            run(writer, "note_ended_task", notes)
        run_wide(writer, "log_noted_task", list(noted.values()))
        plain = [row for name, row in self.ended_tasks.items() if name not in noted]
        run(writer, "log_ended_task", plain)
        deleted = run_wide(writer, "delete_task", [row[2:] for row in self.ended_tasks.values()])
        assert deleted == len(self.ended_tasks), "a task that was checked has gone"
        wiped = list(self.wiped_tasks.items())
        run(writer, "log_given_up_tasks", wiped)
        run(writer, "wipe_tasks", wiped)
