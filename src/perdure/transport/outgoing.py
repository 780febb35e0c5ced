"""What of a stream waits to be sent: pieces of messages, cut to what the windows allow."""

from collections import deque
from typing import Protocol

from perdure.transport import frames as fr
from perdure.transport.windows import SendWindow
from perdure.transport.wire import Waiting, Wire


class Sending(Waiting, Protocol):
    """A stream with a window of its own."""

    stream_id: int
    send_window: SendWindow


def send_waiting(
    stream: Sending, wire: Wire, waiting: deque[memoryview], *, last_flags: int = 0
) -> bool:
    """Send as much as the windows and the socket allow; tells whether nothing waits any more.

    The frame that is the last one has `last_flags`. If another stream or the socket stands in the
    way, `stream` is flushed again by the wire; its own window is for whoever widens that.
    """
    while waiting:
        if not wire.takes_messages:
            wire.blocked(stream)
            return False
        chunk = waiting[0]
        room = min(stream.send_window.left, wire.window.left, wire.frame_bytes_max)
        if room <= 0 and len(chunk):
            return False
        part = chunk[:room]
        if len(part) == len(chunk):
            waiting.popleft()
        else:
            waiting[0] = chunk[room:]
        spend(stream, wire, len(part))
        flags = 0 if waiting else last_flags
        wire.write(fr.head(len(part), fr.DATA, flags, stream.stream_id), part)
    return True


def spend(stream: Sending, wire: Wire, size: int) -> None:
    """Note that so many bytes of messages are on their way."""
    stream.send_window.left -= size
    wire.window.left -= size
