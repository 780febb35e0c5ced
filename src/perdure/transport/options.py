"""What of the transport can be set, and what cannot."""

from dataclasses import dataclass
from typing import Final

from perdure.base.limits import KIB
from perdure.transport.frames import WINDOW_DEFAULT, WINDOW_MAX

CALLS_MAX: Final = 20_000  # under way on one connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What of a connection can be set.

    `patience_s` is how long a client may take to greet, and to end a header block that it has
    begun; a quiet one is pinged after `ping_after_s` and left `ping_timeout_s` later.
    """

    message_bytes_max: int
    header_bytes_max: int
    patience_s: float
    ping_after_s: float
    ping_timeout_s: float

    def __post_init__(self) -> None:
        """Refuse what no connection could work with."""
        assert 0 < self.message_bytes_max < WINDOW_MAX - KIB
        assert self.header_bytes_max > 0
        assert self.patience_s > 0
        assert self.ping_after_s > 0
        assert self.ping_timeout_s > 0

    @property
    def window_bytes(self) -> int:
        """Room for one whole message on each stream."""
        return max(self.message_bytes_max + KIB, WINDOW_DEFAULT)

    @property
    def connection_window_bytes(self) -> int:
        """Room for a few large messages at once."""
        return min(4 * self.window_bytes, WINDOW_MAX)
