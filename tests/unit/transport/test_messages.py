"""Messages out of pieces."""

import gzip
import zlib

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.transport.messages import Inbox, Rejection
from tests.unit.transport.http2 import message

MAX = 1_000


def packed(data: bytes) -> bytes:
    """Compressed, and the same at every time."""
    return gzip.compress(data, mtime=0)


def inbox(*pieces: bytes, encoding: str = "") -> Inbox:
    box = Inbox(encoding, MAX)
    for piece in pieces:
        box.take(piece)
    return box


@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.integers(1, 9), max_size=80))
def test_any_cut_gives_the_same_messages(messages: list[bytes], cuts: list[int]) -> None:
    data = b"".join(map(message, messages))
    pieces, at = [], 0
    for size in cuts:
        pieces.append(data[at : at + size])
        at += size
    box = inbox(*pieces, data[at:])
    assert box.held == len(data)
    got = [box.pop() for _ in range(len(box))]
    assert [text for text, _ in got] == messages
    assert box.held == 0
    assert not box.is_amid
    assert sum(size for _, size in got) == len(data)


@pytest.mark.parametrize("piece", [b"\0", b"\0\0\0\0", b"\0\0\0\0\x02", b"\0\0\0\0\x02a"])
def test_amid_a_message(piece: bytes) -> None:
    box = inbox(message(b"x"), piece)
    assert box.is_amid
    assert len(box) == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("data", [b"", b"abc", bytes(MAX)])
def test_compressed(encoding: str, data: bytes) -> None:
    small = packed(data) if encoding == "gzip" else zlib.compress(data)
    box = inbox(message(small, 1), message(data), encoding=encoding)
    assert box.pop() == (data, 5 + len(small))
    assert box.pop()[0] == data


Code = grpc.StatusCode


@pytest.mark.parametrize(
    ("encoding", "data", "code"),
    [
        ("", message(bytes(MAX + 1)), Code.RESOURCE_EXHAUSTED),
        ("", b"\0\xff\xff\xff\xff", Code.RESOURCE_EXHAUSTED),
        ("gzip", message(packed(bytes(MAX + 1)), 1), Code.RESOURCE_EXHAUSTED),
        ("gzip", message(packed(bytes(500_000)), 1), Code.RESOURCE_EXHAUSTED),
        ("", message(b"", 2), Code.INTERNAL),
        ("", message(packed(b""), 1), Code.INTERNAL),
        ("identity", message(packed(b""), 1), Code.INTERNAL),
        ("gzip", message(b"nonsense", 1), Code.INTERNAL),
        ("gzip", message(packed(b"abc")[:-1], 1), Code.INTERNAL),
        ("gzip", message(packed(b"abc") + b"more", 1), Code.INTERNAL),
        ("gzip", message(b"", 1), Code.INTERNAL),
        ("snappy", message(b"abc", 1), Code.UNIMPLEMENTED),
        ("g" * 9_000, message(b"abc", 1), Code.UNIMPLEMENTED),
    ],
)
def test_what_is_rejected(encoding: str, data: bytes, code: grpc.StatusCode) -> None:
    with pytest.raises(Rejection) as caught:
        inbox(data, encoding=encoding)
    assert caught.value.code is code
    assert len(caught.value.text) < 200
    told = dict(caught.value.metadata)
    assert ("grpc-accept-encoding" in told) is (code is Code.UNIMPLEMENTED)
