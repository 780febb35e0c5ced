"""The rows that a commit has gathered and not yet written, as the statements that write them.

A `Pending` becomes up to three statements, one after the other: what must be gone before anything
else (`clearing`), nearly everything (`writing`), and late notes (`noting`). Within one of them
nothing sees what another part changes, and the order is nobody's; so no row may be changed twice by
one, and no name given up and taken anew. Whoever would do that flushes first: what follows is then
another `Pending`. What concerns rows that are themselves pending is settled here, before they are
written. So:
- Whoever purges an instance, or wipes a history, of which rows are pending, flushes first; so does
  whoever gives up its tasks while some of them are pending, or adds a task or timer under the name
  of one whose end is pending.
- An inbox, and timers, are wiped as they were before; what came into them since stays.
- A head is written once, as it is last.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from perdure.store.gathering import Known, Name
from perdure.store.port import HandOut, TaskAdd, TaskEnd
from perdure.store.postgres.composing import Part, rows_part
from perdure.store.postgres.learning import Place
from perdure.store.postgres.statements import statements
from perdure.store.records import Row, birth_row, head_row

_SQL: Final = statements("writing")
_PURGES: Final = (
    *("purge_instances", "purge_propagated", "purge_tags", "purge_tasks", "wipe_inboxes"),
    "wipe_timers",
)
_HISTORY_WIPES: Final = ("wipe_histories", "wipe_ended_tasks")


@dataclass(slots=True)
class TaskChange:
    """What a batch does to one task: its hand-outs and its end, and itself if it is new."""

    added: tuple[int, int, TaskAdd] | None = None  # row, partition, and what was asked for
    noted: HandOut | None = None  # the last one
    times: int = 0
    ended: TaskEnd | None = None

    def note(self, note: HandOut) -> None:
        self.noted = note
        self.times += 1

    def hand_out(self) -> tuple[int | None, str | None, int]:
        """Return when it was handed out last, to whom, and how often."""
        if self.noted is None:
            return None, None, 0
        return self.noted.at_us, self.noted.worker, self.times


@dataclass(slots=True)
class Pending:
    """What is to be written, by table."""

    purged: list[int] = field(default_factory=list)
    wiped_histories: list[int] = field(default_factory=list)
    changed: dict[int, Known] = field(default_factory=dict)
    tags: list[Row] = field(default_factory=list)
    propagated: list[Row] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)
    inbox: dict[int, Row] = field(default_factory=dict)
    inbox_of: dict[int, list[int]] = field(default_factory=dict)  # what `inbox` had of each
    taken: list[tuple[int, int]] = field(default_factory=list)
    wiped_inboxes: list[int] = field(default_factory=list)
    tasks: dict[Name, TaskChange] = field(default_factory=dict)
    given_up: list[int] = field(default_factory=list)
    late_notes: dict[Name, TaskChange] = field(default_factory=dict)
    timers: dict[Name, tuple[int, int]] = field(default_factory=dict)  # partition and moment
    ended_timers: dict[Name, None] = field(default_factory=dict)
    wiped_timers: list[int] = field(default_factory=list)
    lifecycle: list[Row] = field(default_factory=list)

    def clearing(self) -> list[Part]:
        """Return what has to be gone before the rest is written."""
        wiped = [*self.purged, *self.wiped_histories]
        parts = [Part(name, _SQL[name], (self.purged,)) for name in _PURGES if self.purged]
        return parts + [Part(name, _SQL[name], (wiped,)) for name in _HISTORY_WIPES if wiped]

    def writing(self, places: dict[int, Place]) -> list[Part]:
        """Return what is written at once; `places` has those of newborns, by key."""
        parts = [
            *self._instances(places),
            *rows_part("insert_tags", _SQL, self.tags),
            *rows_part("insert_propagated", _SQL, self.propagated),
            *rows_part("insert_history", _SQL, self.history),
            *rows_part("insert_inbox", _SQL, list(self.inbox.values())),
            *rows_part("take_inbox", _SQL, self.taken),
            *_keys("wipe_inboxes", self.wiped_inboxes),
            *self._tasks(),
        ]
        timers = [(key, at, gen, tid, us) for (key, gen, tid), (at, us) in self.timers.items()]
        parts += [
            *rows_part("insert_timers", _SQL, timers),
            *rows_part("delete_timers", _SQL, list(self.ended_timers)),
            *_keys("wipe_timers", self.wiped_timers),
            *rows_part("insert_lifecycle", _SQL, self.lifecycle),
        ]
        return parts

    def noting(self) -> list[Part]:
        """Return the hand-outs to note at tasks that have ended."""
        return list(rows_part("note_ended_tasks", _SQL, _noted_rows(self.late_notes)))

    def _instances(self, places: dict[int, Place]) -> Iterator[Part]:
        born, heads, flags = [], [], []
        for known in self.changed.values():
            if known.birth is not None:
                head = known.head or known.birth.head
                written = head_row(known.version, head)
                both = (bool(known.suspended), bool(known.held))
                row = birth_row(known.key, known.birth, written, head, both)
                born.append((*row, known.history_seq, places[known.key][1]))
            elif known.head is not None:
                written = head_row(known.version, known.head)
                moments = (known.head.created_at_us, known.head.completed_at_us)
                own = (known.suspended, known.held, known.history_seq)
                heads.append((known.key, *written, *moments, *own))
            else:
                own = (known.suspended, known.held, known.history_seq)
                flags.append((known.key, known.version, *own))
        yield from rows_part("insert_instances", _SQL, born)
        yield from rows_part("update_heads", _SQL, heads)
        yield from rows_part("update_flags", _SQL, flags)

    def _tasks(self) -> Iterator[Part]:
        added, ended_new, ended, noted = [], [], [], {}
        for name, change in self.tasks.items():
            at_us, worker, times = change.hand_out()
            match change:
                case TaskChange(added=(row, partition, add), ended=None):
                    named = (name[1], name[2], add.name, add.app_id)
                    rest = (add.event, add.scheduled_at_us, add.propagated)
                    added.append((row, name[0], partition, *named, *rest, at_us, worker, times))
                case TaskChange(added=(row, _, add), ended=TaskEnd() as end):
                    own = (add.name, add.app_id, add.scheduled_at_us)
                    end_of = (end.at_us, end.failed)
                    ended_new.append((row, *name, *own, at_us, worker, times, *end_of))
                case TaskChange(added=None, ended=TaskEnd() as end):
                    ended.append((*name, worker, at_us, times, end.at_us, end.failed))
                case _:
                    noted[name] = change
        yield from rows_part("insert_tasks", _SQL, added)
        yield from rows_part("insert_ended_tasks", _SQL, ended_new)
        if ended:
            yield from rows_part("end_tasks", _SQL, ended)
            yield Part("log_ended_tasks", _SQL["log_ended_tasks"])
        yield from rows_part("note_tasks", _SQL, _noted_rows(noted))
        if self.given_up:
            yield from _keys("give_up_tasks", self.given_up)
            yield Part("log_given_up_tasks", _SQL["log_given_up_tasks"])


def _noted_rows(notes: dict[Name, TaskChange]) -> list[Row]:
    rows = []
    for name, change in notes.items():
        at_us, worker, times = change.hand_out()
        rows.append((*name, worker, at_us, times))
    return rows


def _keys(name: str, keys: list[int]) -> Iterator[Part]:
    if keys:
        yield Part(name, _SQL[name], (keys,))
