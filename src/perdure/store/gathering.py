"""What entries are applied to: what a commit knows of each instance, and what it gathers to write.

Nothing is written while entries are applied. Each sees those before it because whatever a batch is
told to change is true of what it knows from then on.
"""

from dataclasses import dataclass
from typing import Protocol

from perdure.core.status import TERMINAL
from perdure.store.port import (
    Birth,
    Entry,
    HandOut,
    Head,
    HistoryAdd,
    InboxAdd,
    LifecycleAdd,
    TaskAdd,
    TaskEnd,
    TimerAdd,
    TimerEnd,
)

Name = tuple[int, int, int]  # of a task or timer: instance, generation, id


@dataclass(slots=True)
class Known:
    """What a commit knows of one instance, its own changes included."""

    key: int
    version: int
    phase: int
    created_at_us: int
    completed_at_us: int | None
    history_seq: int
    birth: Birth | None = None  # to be written, as the three below
    head: Head | None = None
    suspended: bool | None = None
    held: bool | None = None
    has_rows: bool = False  # something of it is pending
    has_log_rows: bool = False  # history or ended tasks of it are pending
    has_tasks: bool = False  # the commit has changed some of them
    has_timers: bool = False
    # Whether there may be any in the file; nothing is deleted where there cannot be.
    may_have_inbox: bool = True
    may_have_timers: bool = True

    @property
    def finished(self) -> bool:
        return self.phase in TERMINAL

    def written(self) -> None:
        """Take note that nothing is pending any more."""
        if self.head is not None:
            self.created_at_us = self.head.created_at_us
            self.completed_at_us = self.head.completed_at_us
        self.birth = self.head = self.suspended = self.held = None
        self.has_rows = self.has_log_rows = False


class Batch(Protocol):
    """What one commit knows and gathers."""

    def instance(self, key: int | None) -> Known | None:
        """Return what is known of an instance, None if there is none of that key."""
        ...

    def bearer_of(self, instance_id: str) -> int | None:
        """Return the key of the instance that bears an id now."""
        ...

    def task_is_open(self, name: Name) -> bool:
        """Tell whether there is an activity of that name that has not ended."""
        ...

    def timer_is_open(self, name: Name) -> bool:
        """Tell whether there is a timer of that name."""
        ...

    def has_note(self, shelf: str, key: str) -> bool:
        """Tell whether there is a note of that name."""
        ...

    def touch(self, known: Known) -> None:
        """Have the head and flags of an instance written."""
        ...

    def add_instance(self, birth: Birth) -> Known:
        """Let an instance be born, without history, inbox, tasks and timers."""
        ...

    def purge(self, known: Known) -> None:
        """Remove everything of an instance."""
        ...

    def add_history(self, known: Known, adds: tuple[HistoryAdd, ...]) -> None:
        """Add to the end of a history."""
        ...

    def wipe_history(self, known: Known) -> None:
        """Empty a history, and forget ended tasks."""
        ...

    def add_inbox(self, known: Known, add: InboxAdd) -> int:
        """Add to an inbox and return the number of the row."""
        ...

    def take_inbox(self, known: Known, seqs: tuple[int, ...]) -> None:
        """Remove rows from an inbox."""
        ...

    def wipe_inbox(self, known: Known) -> None:
        """Empty an inbox."""
        ...

    def add_tasks(self, known: Known, adds: tuple[TaskAdd, ...]) -> None:
        """Schedule activities, of whose names none is open."""
        ...

    def end_task(self, known: Known, end: TaskEnd) -> None:
        """End an activity that is open."""
        ...

    def give_up_tasks(self, known: Known) -> None:
        """End every activity that is open, as given up."""
        ...

    def note_task(self, known: Known, note: HandOut) -> None:
        """Note a hand-out at the open task of its name, else at the one that ended last."""
        ...

    def add_timers(self, known: Known, adds: tuple[TimerAdd, ...]) -> None:
        """Set timers, of whose names none is set."""
        ...

    def end_timer(self, known: Known, end: TimerEnd) -> None:
        """Remove a timer if it is there."""
        ...

    def wipe_timers(self, known: Known) -> None:
        """Remove every timer."""
        ...

    def add_lifecycle(self, key: int, add: LifecycleAdd) -> None:
        """Add a row about an instance to the lifecycle table."""
        ...

    def change_notes(self, entry: Entry) -> None:
        """Remove the notes that an entry ends, then add its own."""
        ...
