"""HTTP/2 frame by frame, for what no gRPC library would send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from tests.conformance.api.grpc_door import DEADLINE_S, HOST
from tests.unit.transport.http2 import PREFACE, frame

END_STREAM: Final = 1
END_HEADERS: Final = 4
ACK: Final = 1


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
        self._writer.write(frame(kind, flags, stream, payload))
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
        await opened.send_raw(PREFACE)
        await opened.send(Kind.SETTINGS, 0, 0)
        await opened.send(Kind.SETTINGS, ACK, 0)
        yield opened
    finally:
        writer.close()
