"""HTTP/2 frame by frame, for what no gRPC library would send."""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from tests.conformance.api.grpc_door import DEADLINE_S, HOST

END_STREAM: Final = 1
END_HEADERS: Final = 4
ACK: Final = 1

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Kind(IntEnum):
    """The frames that are spoken of here."""

    DATA = 0
    HEADERS = 1
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it was received."""

    kind: int
    flags: int
    stream: int
    payload: bytes


class Connection:
    """A connection on which any bytes may be sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        head = struct.pack(">I", len(payload))[1:] + bytes((kind, flags))
        self._writer.write(head + struct.pack(">I", stream) + payload)
        await self._writer.drain()

    async def send_raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def next(self) -> Frame | None:
        """The next frame, or None when the server has closed the connection."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                head = await self._reader.readexactly(9)
                length = int.from_bytes(head[:3])
                payload = await self._reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
        return Frame(head[3], head[4], int.from_bytes(head[5:]) & 0x7FFFFFFF, payload)

    async def until(self, kind: int) -> Frame | None:
        """The next frame of this kind, or None when the connection is closed before."""
        while (frame := await self.next()) is not None and frame.kind != kind:
            continue
        return frame

    async def until_answered(self) -> None:
        """Return when the server has ended a stream or the connection."""
        ends = {Kind.RST_STREAM, Kind.GOAWAY}
        while (frame := await self.next()) is not None:
            ended = frame.kind == Kind.HEADERS and frame.flags & END_STREAM
            if frame.kind in ends or ended:
                return


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[Connection]:
    """Connect, and agree on the settings."""
    reader, writer = await asyncio.open_connection(HOST, port)
    opened = Connection(reader, writer)
    try:
        await opened.send_raw(_PREFACE)
        await opened.send(Kind.SETTINGS, 0, 0)
        await opened.send(Kind.SETTINGS, ACK, 0)
        yield opened
    finally:
        writer.close()


def headers(path: bytes, more: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    """A header block of a gRPC call, without compression."""
    fields = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path),
        (b":authority", b"test"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        *more,
    ]
    return b"".join(b"\x00" + _string(name) + _string(value) for name, value in fields)


def message(data: bytes) -> bytes:
    """A gRPC message: not compressed, its length, itself."""
    return b"\x00" + struct.pack(">I", len(data)) + data


def _string(text: bytes) -> bytes:
    if len(text) < 127:
        return bytes((len(text),)) + text
    rest, out = len(text) - 127, bytearray((127,))
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out) + text
