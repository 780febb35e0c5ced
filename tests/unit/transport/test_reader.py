"""Bytes into frames, however they are cut."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.transport.frames import Code, ConnectionFault
from perdure.transport.reader import Frame, FrameReader
from tests.unit.transport import http2 as h

BLOCK_MAX = 1_000


def read(*pieces: bytes) -> list[Frame]:
    reader = FrameReader(BLOCK_MAX)
    return [frame for piece in pieces for frame in reader.feed(piece)]


def fault(*pieces: bytes) -> Code:
    with pytest.raises(ConnectionFault) as caught:
        read(*pieces)
    return caught.value.code


SETTINGS = Frame(h.SETTINGS, 0, 0, b"", 0)


def test_a_greeting_and_a_call() -> None:
    got = read(h.GREETING + h.call(1, data=b"abc"))
    assert got[0] == SETTINGS
    assert [(frame.kind, frame.flags, frame.stream_id) for frame in got[1:]] == [
        (h.HEADERS, h.END_HEADERS, 1),
        (h.DATA, h.END_STREAM, 1),
    ]
    assert got[2].payload == h.message(b"abc")


@pytest.mark.parametrize(
    ("flags", "payload", "block"),
    [
        (0, b"block", b"block"),
        (h.PADDED, b"\x02blockxx", b"block"),
        (h.PRIORITISED, b"12345block", b"block"),
        (h.PADDED | h.PRIORITISED, b"\x0212345blockxx", b"block"),
        (h.PADDED | h.PRIORITISED, b"\x0012345", b""),
    ],
)
def test_a_block_alone(flags: int, payload: bytes, block: bytes) -> None:
    got = read(h.GREETING, h.frame(h.HEADERS, flags | h.END_HEADERS, 3, payload))[1]
    assert (got.payload, got.size) == (block, len(payload))


def test_a_block_in_pieces_keeps_the_flags_of_its_beginning() -> None:
    got = read(
        h.GREETING,
        h.frame(h.HEADERS, h.END_STREAM | h.PADDED, 3, b"\x01ab\0"),
        h.frame(h.CONTINUATION, 0, 3, b"cd"),
        h.frame(h.CONTINUATION, h.END_HEADERS, 3),
        h.frame(h.PING, 0, 0, b"12345678"),
    )
    assert [frame.kind for frame in got] == [h.SETTINGS, h.HEADERS, h.PING]
    assert got[1].payload == b"abcd"
    assert got[1].flags & h.END_STREAM


def test_padding_counts_and_is_gone() -> None:
    got = read(h.GREETING, h.frame(h.DATA, h.PADDED, 1, b"\x03abcxxx"))[1]
    assert (got.payload, got.size) == (b"abc", 7)


def test_the_highest_bit_of_a_stream_means_nothing() -> None:
    data = h.frame(h.PING, 0, 2**31 + 5, b"12345678")
    assert read(h.GREETING, data)[1].stream_id == 5


OPEN = h.frame(h.HEADERS, 0, 3, b"a")


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([b"GET / HTTP/1.1\r\n"], Code.PROTOCOL_ERROR),
        ([b"P", b"OST"], Code.PROTOCOL_ERROR),
        ([h.PREFACE + h.frame(h.PING, 0, 0, b"12345678")], Code.PROTOCOL_ERROR),
        ([h.PREFACE + h.frame(h.SETTINGS, h.ACK)], Code.PROTOCOL_ERROR),
        ([h.GREETING, h.frame(h.DATA, 0, 1, bytes(16_385))], Code.FRAME_SIZE_ERROR),
        ([h.GREETING, b"\xff\xff\xff\0\0\0\0\0\1"], Code.FRAME_SIZE_ERROR),
        ([h.GREETING, h.frame(h.DATA, h.PADDED, 1, b"\x05abc")], Code.PROTOCOL_ERROR),
        ([h.GREETING, h.frame(h.DATA, h.PADDED, 1)], Code.PROTOCOL_ERROR),
        ([h.GREETING, h.frame(h.HEADERS, h.PRIORITISED, 1, b"1234")], Code.FRAME_SIZE_ERROR),
        ([h.GREETING, h.frame(h.CONTINUATION, 4, 1, b"a")], Code.PROTOCOL_ERROR),
        ([h.GREETING, OPEN, h.frame(h.CONTINUATION, 4, 5, b"a")], Code.PROTOCOL_ERROR),
        ([h.GREETING, OPEN, h.frame(h.DATA, 0, 3, b"a")], Code.PROTOCOL_ERROR),
        ([h.GREETING, OPEN, h.frame(h.HEADERS, 4, 3, b"a")], Code.PROTOCOL_ERROR),
        ([h.GREETING, OPEN, h.frame(77, 0, 3, b"a")], Code.PROTOCOL_ERROR),
        ([h.GREETING, OPEN, h.frame(h.CONTINUATION, 0, 3)], Code.ENHANCE_YOUR_CALM),
        ([h.GREETING, OPEN, h.frame(h.CONTINUATION, 0, 3, bytes(1_000))], Code.ENHANCE_YOUR_CALM),
    ],
)
def test_what_ends_the_connection(pieces: list[bytes], code: Code) -> None:
    assert fault(*pieces) is code


def test_frames_before_a_fault_are_given() -> None:
    """However the bytes are cut, what was right is done before what was wrong is told."""
    frames = FrameReader(BLOCK_MAX).feed(h.GREETING + h.call(1) + h.frame(h.CONTINUATION, 4, 1))
    assert [next(frames).kind for _ in range(3)] == [h.SETTINGS, h.HEADERS, h.DATA]
    with pytest.raises(ConnectionFault):
        next(frames)


@pytest.mark.parametrize(
    ("pieces", "awaits"),
    [
        ([], True),
        ([h.PREFACE], True),
        ([h.GREETING], False),
        ([h.GREETING, OPEN], True),
        ([h.GREETING, OPEN, h.frame(h.CONTINUATION, 4, 3)], False),
        ([h.GREETING, h.frame(h.DATA, 0, 1, b"abc")[:-1]], False),
    ],
)
def test_who_has_to_go_on(pieces: list[bytes], awaits: bool) -> None:
    reader = FrameReader(BLOCK_MAX)
    for piece in pieces:
        list(reader.feed(piece))
    assert reader.awaits is awaits


FRAMES = st.builds(
    h.frame,
    st.integers(0, 255).filter(lambda kind: kind != h.CONTINUATION),
    st.integers(0, 255).map(lambda flags: (flags | h.END_HEADERS) & ~(h.PADDED | h.PRIORITISED)),
    st.integers(0, 2**31 - 1),
    st.binary(max_size=40),
)


@given(st.lists(FRAMES, max_size=8), st.lists(st.integers(1, 30), min_size=1, max_size=50))
def test_any_cut_gives_the_same_frames(frames: list[bytes], cuts: list[int]) -> None:
    data = h.GREETING + b"".join(frames)
    pieces, at = [], 0
    for size in cuts:
        pieces.append(data[at : at + size])
        at += size
    assert read(*pieces, data[at:]) == read(data)
    assert len(read(data)) == 1 + len(frames)


@given(st.binary(max_size=300))
def test_anything_is_frames_or_a_fault(data: bytes) -> None:
    reader = FrameReader(BLOCK_MAX)
    list(reader.feed(h.GREETING))
    with suppress(ConnectionFault):
        list(reader.feed(data))
