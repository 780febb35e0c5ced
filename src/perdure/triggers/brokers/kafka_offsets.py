"""How far a partition has been handled: every record before the committed offset, and none after.

Records are accepted in any order. What may be committed is the lowest offset that is still in hand,
or what follows the highest one taken.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """The progress of one partition, for as long as it is ours."""

    in_hand: set[int] = field(default_factory=set)
    after: int = 0
    committed: int = 0

    def take(self, offset: int) -> None:
        """Note that a record was handed on."""
        self.in_hand.add(offset)
        self.after = max(self.after, offset + 1)

    def accept(self, offset: int) -> int | None:
        """Note that a record is on disk; return the offset to commit, or None if that stays."""
        self.in_hand.discard(offset)
        next_offset = min(self.in_hand, default=self.after)
        if next_offset <= self.committed:
            return None
        self.committed = next_offset
        return next_offset
