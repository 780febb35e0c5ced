"""What is sent, and who waits for what."""

import pytest

from perdure.transport.wire import Wire


class Outside:
    """The connection behind a wire."""

    def __init__(self) -> None:
        self.asked = 0
        self.taken: list[bytes] = []
        self.wire = Wire(self.schedule, self.push)

    def schedule(self) -> None:
        self.asked += 1

    def push(self) -> None:
        self.taken.append(self.wire.take())


class Sender:
    """A call that sends so much whenever it may."""

    def __init__(self, wire: Wire, wants: int) -> None:
        self._wire = wire
        self.wants = wants
        self.flushed = 0

    def flush(self) -> None:
        self.flushed += 1
        sent = min(self.wants, self._wire.window.left)
        self._wire.window.left -= sent
        self.wants -= sent
        if self.wants:
            self._wire.blocked(self)


def test_one_push_is_asked_for_in_a_turn() -> None:
    outside = Outside()
    for text in (b"a", b"b", memoryview(b"c")):
        outside.wire.write(text)
    assert outside.asked == 1
    assert outside.wire.take() == b"abc"
    assert outside.wire.take() == b""
    outside.wire.write(b"d")
    assert outside.asked == 2


def test_much_is_pushed_at_once() -> None:
    outside = Outside()
    outside.wire.write(b"a")
    outside.wire.write(bytes(65_536))
    assert [len(data) for data in outside.taken] == [65_537]


def test_whoever_waited_longest_sends_first() -> None:
    wire = Outside().wire
    wire.window.left = 0
    first, second = Sender(wire, 15), Sender(wire, 5)
    wire.blocked(first)
    wire.blocked(second)
    wire.go_on()
    assert first.flushed == 0
    wire.window.widen(10)
    wire.go_on()
    assert (first.wants, second.wants) == (5, 5)
    wire.window.widen(5)
    wire.go_on()
    assert (first.wants, second.wants) == (5, 0), "nobody is left out for one who wants much"
    wire.window.widen(100)
    wire.go_on()
    assert first.wants == 0


@pytest.mark.parametrize(("left", "paused"), [(0, False), (-5, False), (10, True)])
def test_when_no_messages_are_taken(left: int, paused: bool) -> None:
    wire = Outside().wire
    wire.window.left, wire.paused = left, paused
    sender = Sender(wire, 5)
    wire.blocked(sender)
    assert not wire.takes_messages
    wire.go_on()
    assert sender.flushed == 0


def test_a_call_that_is_over_is_not_asked_again() -> None:
    wire = Outside().wire
    sender = Sender(wire, 5)
    wire.blocked(sender)
    wire.forget(sender)
    wire.forget(sender)
    wire.go_on()
    assert sender.flushed == 0
