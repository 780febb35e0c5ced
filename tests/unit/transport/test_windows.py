"""Flow control counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.transport.frames import WINDOW_MAX, Code, ConnectionFault
from perdure.transport.windows import ReceiveWindow, Room, SendWindow


def test_a_send_window_may_be_negative_and_not_too_wide() -> None:
    window = SendWindow(10)
    window.widen(-30)
    assert window.left == -20
    window.widen(WINDOW_MAX)
    window.widen(20)
    with pytest.raises(ConnectionFault) as caught:
        window.widen(1)
    assert caught.value.code is Code.FLOW_CONTROL_ERROR


@given(st.integers(1, 100), st.lists(st.integers(0, 40), max_size=50))
def test_what_is_taken_is_given_back(size: int, sizes: list[int]) -> None:
    """A peer that keeps to its window is never stuck for what was let go of."""
    window, left = ReceiveWindow(size), size
    for wanted in sizes:
        taken = min(wanted, left)
        assert window.take(taken)
        left += window.let_go(taken) - taken
        assert left * 2 >= size
        assert left <= size
    assert not window.take(left + 1)


def test_what_is_not_let_go_of_is_not_given_back() -> None:
    window = ReceiveWindow(100)
    assert window.take(100)
    assert window.let_go(49) == 0
    assert window.let_go(1) == 50
    assert window.take(50)
    assert not window.take(1)


def test_a_room_is_full_when_it_is() -> None:
    room = Room(10)
    assert room.take(10)
    assert not room.take(1)
    room.give(4)
    assert room.take(4)
    assert room.held == 10
    room.give(10)
    with pytest.raises(AssertionError):
        room.give(1)
