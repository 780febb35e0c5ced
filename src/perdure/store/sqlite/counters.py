"""The numbers that the one writer of a file gives out."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """The last number of each kind that was given out."""

    key: int
    inbox_seq: int
    task_row: int
    lifecycle_seq: int
    note_row: int

    def values(self) -> tuple[int, int, int, int, int]:
        return self.key, self.inbox_seq, self.task_row, self.lifecycle_seq, self.note_row
