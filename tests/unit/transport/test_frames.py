"""Frames as bytes."""

import pytest

from perdure.transport import frames as fr
from perdure.transport.frames import Code, ConnectionFault


@pytest.mark.parametrize("length", [0, 1, 255, 65_535, 65_536, 2**24 - 1])
def test_a_head_is_nine_bytes(length: int) -> None:
    head = fr.head(length, fr.DATA, fr.END_STREAM, 2**31 - 1)
    assert head == length.to_bytes(3, "big") + b"\x00\x01\x7f\xff\xff\xff"


def test_frames_that_are_made() -> None:
    assert fr.frame(fr.PING, fr.ACK, 0, b"12345678") == b"\0\0\x08\x06\x01\0\0\0\x0012345678"
    assert fr.settings({4: 65_536}) == b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\x01\0\0"
    assert fr.window_update(3, 5) == b"\0\0\x04\x08\0\0\0\0\x03\0\0\0\x05"
    assert fr.rst_stream(3, Code.CANCEL) == b"\0\0\x04\x03\0\0\0\0\x03\0\0\0\x08"
    goaway = fr.goaway(7, Code.ENHANCE_YOUR_CALM, "ü" * 2_000)
    assert goaway[9:17] == b"\0\0\0\x07\0\0\0\x0b"
    assert len(goaway) == 17 + 1_000


def test_settings_are_pairs() -> None:
    payload = fr.settings({1: 0, 9_999: 2**32 - 1})[9:]
    assert fr.parse_settings(payload) == [(1, 0), (9_999, 2**32 - 1)]
    assert fr.parse_settings(b"") == []
    with pytest.raises(ConnectionFault) as caught:
        fr.parse_settings(payload[:-1])
    assert caught.value.code is Code.FRAME_SIZE_ERROR


@pytest.mark.parametrize(
    ("payload", "inner"),
    [(b"\0", b""), (b"\0abc", b"abc"), (b"\x02abxx", b"ab"), (b"\x02xx", b"")],
)
def test_padding_is_taken_off(payload: bytes, inner: bytes) -> None:
    assert fr.unpadded(payload) == inner


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x03ab", b"\xff" + bytes(254)])
def test_more_padding_than_payload(payload: bytes) -> None:
    with pytest.raises(ConnectionFault) as caught:
        fr.unpadded(payload)
    assert caught.value.code is Code.PROTOCOL_ERROR
