"""Bytes into frames, with header blocks put together. No I/O, and nothing kept without a bound."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from perdure.transport import frames as fr
from perdure.transport.frames import Code, ConnectionFault

_PRIORITY_BYTES: Final = 5
_GREETING_BYTES: Final = len(fr.PREFACE) + fr.HEAD_BYTES


class Frame(NamedTuple):
    """One frame. A HEADERS frame has its whole block, whatever number of frames it came in.

    `size` is what the frame took of the windows: its payload with its padding.
    """

    kind: int
    flags: int
    stream_id: int
    payload: bytes
    size: int


class FrameReader:
    """Reads what one client sends."""

    def __init__(self, block_bytes_max: int) -> None:
        """Take header blocks of up to `block_bytes_max` bytes."""
        self._block_bytes_max = block_bytes_max
        self._rest = b""
        self.greeted = False
        self._block: bytearray | None = None
        self._block_of = Frame(0, 0, 0, b"", 0)

    @property
    def awaits(self) -> bool:
        """Whether the client has to go on before anything else can happen.

        It has not greeted yet, or is amid a header block, which nothing may interrupt.
        """
        return not self.greeted or self._block is not None

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Give the frames that `data` completes, to be exhausted. Raises ConnectionFault."""
        if self._rest:
            data = self._rest + data
        at = 0 if self.greeted else self._greet(data)
        size = len(data)
        while self.greeted and size - at >= fr.HEAD_BYTES:
            high, low, kind, flags, stream_id = fr.HEAD.unpack_from(data, at)
            length = high << 16 | low
            if length > fr.FRAME_BYTES_MAX:
                raise ConnectionFault(Code.FRAME_SIZE_ERROR, "a frame larger than was agreed")
            begin = at + fr.HEAD_BYTES
            if size < begin + length:
                break
            at = begin + length
            frame = self._whole(kind, flags, stream_id & fr.WINDOW_MAX, data[begin:at])
            if frame is not None:
                yield frame
        self._rest = data[at:]

    def _greet(self, data: bytes) -> int:
        """Return how many bytes the preface takes, once it and the head of SETTINGS are there."""
        preface = data[: len(fr.PREFACE)]
        if not fr.PREFACE.startswith(preface):
            raise ConnectionFault(Code.PROTOCOL_ERROR, "this port speaks gRPC over HTTP/2")
        if len(data) < _GREETING_BYTES:
            return 0
        _, _, kind, flags, _ = fr.HEAD.unpack_from(data, len(preface))
        if kind != fr.SETTINGS or flags & fr.ACK:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a client begins with its SETTINGS")
        self.greeted = True
        return len(preface)

    def _whole(self, kind: int, flags: int, stream_id: int, payload: bytes) -> Frame | None:
        """Return a frame that can be acted upon, or None while its header block is not complete."""
        if self._block is not None:
            return self._continued(self._block, kind, flags, stream_id, payload)
        size = len(payload)
        if kind == fr.DATA:
            if flags & fr.PADDED:
                payload = fr.unpadded(payload)
        elif kind == fr.HEADERS:
            payload = _fragment(payload, flags, stream_id)
            if not flags & fr.END_HEADERS:
                self._block = bytearray(payload)
                self._block_of = Frame(kind, flags, stream_id, b"", size)
                return None
        elif kind == fr.CONTINUATION:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "CONTINUATION of nothing")
        return Frame(kind, flags, stream_id, payload, size)

    def _continued(
        self, block: bytearray, kind: int, flags: int, stream_id: int, payload: bytes
    ) -> Frame | None:
        if kind != fr.CONTINUATION or stream_id != self._block_of.stream_id:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a header block was interrupted")
        block += payload
        ends = flags & fr.END_HEADERS
        # A piece of nothing that ends nothing is not taken, or a block could go on for ever.
        if len(block) > self._block_bytes_max or not (payload or ends):
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "more headers than are taken")
        if not ends:
            return None
        self._block = None
        return self._block_of._replace(payload=bytes(block))


def _fragment(payload: bytes, flags: int, stream_id: int) -> bytes:
    """Return what of a HEADERS payload is its header block."""
    if flags & fr.PADDED:
        payload = fr.unpadded(payload)
    if not flags & fr.PRIORITISED:
        return payload
    if len(payload) < _PRIORITY_BYTES:
        raise ConnectionFault(Code.FRAME_SIZE_ERROR, "HEADERS too short for their priority")
    fr.check_dependency(payload, stream_id)
    return payload[_PRIORITY_BYTES:]
