"""The calls of a connection that are over, and what may still come in for them."""

from typing import Final

from perdure.transport.frames import Code, ConnectionFault

_CUT_MAX: Final = 10_000


class Past:
    """Which calls were ended on this side before the client had said all.

    What the client sent before it heard of that is passed over. Of a call that it has ended
    itself, nothing more may come (RFC 9113 section 5.1).
    """

    __slots__ = ("_cut", "_tolerated")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._cut: dict[int, None] = {}
        # Of streams up to this one it is not known any more who ended them.
        self._tolerated = 0

    def cut(self, stream_id: int) -> None:
        """Note a call that was ended here."""
        self._cut[stream_id] = None
        if len(self._cut) > _CUT_MAX:
            oldest = next(iter(self._cut))
            del self._cut[oldest]
            self._tolerated = max(self._tolerated, oldest)

    def check(self, stream_id: int) -> None:
        """Let pass what comes in for a call that is over, if it may. Raises ConnectionFault."""
        if stream_id > self._tolerated and stream_id not in self._cut:
            raise ConnectionFault(Code.STREAM_CLOSED, "a frame of a stream that has ended")
