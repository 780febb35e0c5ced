"""What waits on a stream goes out in pieces that the windows allow, and the last one says so."""

from collections import deque

from perdure.transport import frames as fr
from perdure.transport.outgoing import send_waiting
from perdure.transport.windows import SendWindow
from perdure.transport.wire import Wire


class Stream:
    """A stream that only sends."""

    def __init__(self, window_bytes: int) -> None:
        self.stream_id = 1
        self.send_window = SendWindow(window_bytes)
        self.flushed = 0

    def flush(self) -> None:
        self.flushed += 1


def wire() -> Wire:
    return Wire(lambda: None, lambda: None)


def pieces(*data: bytes) -> deque[memoryview]:
    return deque(memoryview(each) for each in data)


def test_all_goes_out_and_the_last_frame_is_marked() -> None:
    out, stream, waiting = wire(), Stream(100), pieces(b"abc", b"")
    before = out.window.left
    assert send_waiting(stream, out, waiting, last_flags=fr.END_STREAM)
    assert out.take() == fr.frame(fr.DATA, 0, 1, b"abc") + fr.frame(fr.DATA, fr.END_STREAM, 1, b"")
    assert (stream.send_window.left, out.window.left) == (97, before - 3)


def test_a_narrow_window_of_its_own_is_not_the_wires_concern() -> None:
    out, stream, waiting = wire(), Stream(2), pieces(b"abc")
    assert not send_waiting(stream, out, waiting)
    assert out.take() == fr.frame(fr.DATA, 0, 1, b"ab")
    out.go_on()
    assert (stream.flushed, bytes(waiting[0])) == (0, b"c")


def test_the_wire_calls_again_when_it_takes_messages() -> None:
    out, stream, waiting = wire(), Stream(100), pieces(b"abc")
    out.paused = True
    assert not send_waiting(stream, out, waiting)
    out.paused = False
    out.go_on()
    assert (stream.flushed, out.take()) == (1, b"")
