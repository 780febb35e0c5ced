"""Work whose worker went away while it had it.

A worker that is replaced loses its work once, and gets it again at once. Work that is lost again
and again may be what makes its workers go: a channel that is sent a message larger than it takes
ends its stream, with everything that was on it. Such work is handed out ever more rarely, so
that the work beside it goes on, and if it is large, it is told that no worker takes it.
"""

from dataclasses import dataclass

from perdure.base.limits import (
    CLIENT_MESSAGE_BYTES,
    LOSSES_AT_ONCE_MAX,
    LOSSES_OF_LARGE_MAX,
    TURN_RETRY_FIRST_US,
    TURN_RETRY_LONGEST_US,
)


@dataclass(slots=True)
class Losses:
    """How often in a row a piece of work was lost, and how large its item is."""

    count: int = 0
    size_bytes: int = 0

    @property
    def pause_attempt(self) -> int:
        """Which pause comes before the next hand-out, 0 for none."""
        return max(0, self.count - LOSSES_AT_ONCE_MAX)

    @property
    def pause_us(self) -> int:
        """How long that pause is."""
        if not self.pause_attempt:
            return 0
        doubled_us = TURN_RETRY_FIRST_US << min(self.pause_attempt - 1, 32)
        return min(doubled_us, TURN_RETRY_LONGEST_US)

    @property
    def drives_workers_away(self) -> bool:
        """Whether it is taken for a message larger than its workers take."""
        return self.count >= LOSSES_OF_LARGE_MAX and self.size_bytes > CLIENT_MESSAGE_BYTES

    @property
    def text(self) -> str:
        """What is said of such work."""
        return (
            f"a work item of {self.size_bytes} bytes ended the worker's stream {self.count} times; "
            f"gRPC clients take {CLIENT_MESSAGE_BYTES} bytes unless told otherwise: let the "
            "worker's channel receive larger messages, or keep payloads and histories smaller"
        )
