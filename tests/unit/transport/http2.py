"""The client's side of HTTP/2, byte by byte: what is sent, and what came back."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hpack import Decoder

from perdure.transport.options import Options

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIORITISED, ACK = 0x1, 0x4, 0x8, 0x20, 0x1
MESSAGE_BYTES_MAX: Final = 100_000

Pairs = Sequence[tuple[bytes, bytes]]


def options(**changed: Any) -> Options:
    """Options that let nothing happen by itself during a test."""
    values = {
        "message_bytes_max": MESSAGE_BYTES_MAX,
        "header_bytes_max": 50_000,
        "patience_s": 60.0,
        "ping_after_s": 60.0,
        "ping_timeout_s": 60.0,
    }
    return Options(**(values | changed))


def frame(kind: int, flags: int = 0, stream_id: int = 0, payload: bytes = b"") -> bytes:
    """A frame as it is sent."""
    head = struct.pack(">I", len(payload))[1:] + bytes((kind, flags))
    return head + struct.pack(">I", stream_id) + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


GREETING: Final = PREFACE + settings()


def block(path: bytes = b"/t/Echo", more: Pairs = (), **changed: bytes | None) -> bytes:
    """A header block of a call, without a table; `changed` replaces or removes what is usual."""
    usual: dict[bytes, bytes | None] = {
        b":method": b"POST",
        b":scheme": b"http",
        b":path": path,
        b":authority": b"test",
        b"te": b"trailers",
        b"content-type": b"application/grpc",
    }
    names = {"method": b":method", "scheme": b":scheme", "kind": b"content-type", "te": b"te"}
    usual |= {names[name]: value for name, value in changed.items()}
    fields = [(name, value) for name, value in usual.items() if value is not None]
    return literals([*fields, *more])


def literals(pairs: Pairs) -> bytes:
    """Any header block, without a table."""
    return b"".join(b"\x00" + _string(name) + _string(value) for name, value in pairs)


def _string(text: bytes) -> bytes:
    if len(text) < 127:
        return bytes((len(text),)) + text
    rest, out = len(text) - 127, bytearray((127,))
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out) + text


def message(data: bytes, flag: int = 0) -> bytes:
    """A gRPC message."""
    return bytes((flag,)) + struct.pack(">I", len(data)) + data


def call(stream_id: int, path: bytes = b"/t/Echo", data: bytes | None = b"", **more: Any) -> bytes:
    """A whole call with one message, or with none."""
    if data is None:
        return frame(HEADERS, END_HEADERS | END_STREAM, stream_id, block(path, **more))
    head = frame(HEADERS, END_HEADERS, stream_id, block(path, **more))
    return head + frame(DATA, END_STREAM, stream_id, message(data))


def reset(stream_id: int, code: int = 8) -> bytes:
    """A RST_STREAM frame."""
    return frame(RST, 0, stream_id, struct.pack(">I", code))


def widen(stream_id: int, increment: int) -> bytes:
    """A WINDOW_UPDATE frame."""
    return frame(WINDOW, 0, stream_id, struct.pack(">I", increment))


@dataclass(frozen=True, slots=True)
class Received:
    """A frame as it came back."""

    kind: int
    flags: int
    stream_id: int
    payload: bytes

    @property
    def code(self) -> int:
        """The code of a RST_STREAM or GOAWAY, or the increment of a WINDOW_UPDATE."""
        at = 4 if self.kind == GOAWAY else 0
        return int.from_bytes(self.payload[at : at + 4], "big")

    @property
    def headers(self) -> dict[str, str]:
        """What a header block says. Answers use no table, so any decoder will do."""
        assert self.kind == HEADERS
        decoded = Decoder().decode(self.payload, raw=True)
        return {bytes(pair[0]).decode(): bytes(pair[1]).decode("latin-1") for pair in decoded}


def received(data: bytes) -> list[Received]:
    """The frames that came back; they are whole."""
    frames, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 3], "big")
        begin = at + 9
        payload = data[begin : begin + length]
        assert len(payload) == length, "frames come back whole"
        stream_id = int.from_bytes(data[at + 5 : begin], "big")
        frames.append(Received(data[at + 3], data[at + 4], stream_id, payload))
        at = begin + length
    return frames


def of_stream(frames: list[Received], stream_id: int) -> list[Received]:
    """Those of one stream."""
    return [found for found in frames if found.stream_id == stream_id]


def status(frames: list[Received], stream_id: int) -> tuple[int, str] | None:
    """How a stream's call ended: its status and text, or None if it has not ended."""
    for found in of_stream(frames, stream_id):
        if found.kind == HEADERS and found.flags & END_STREAM:
            return int(found.headers["grpc-status"]), found.headers.get("grpc-message", "")
    return None
