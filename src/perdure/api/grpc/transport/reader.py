"""Bytes into frames, with header blocks put together. No I/O, and nothing kept without a bound."""

from typing import Final, NamedTuple

from perdure.api.grpc.transport import frames as fr
from perdure.api.grpc.transport.frames import Code, ConnectionFault

_PREFIX_OF_PRIORITY: Final = 5


class Frame(NamedTuple):
    """One frame. A HEADERS frame has its whole block, whatever number of frames it came in."""

    kind: int
    flags: int
    stream_id: int
    payload: bytes


class FrameReader:
    """Reads what one client sends."""

    def __init__(self, block_bytes_max: int) -> None:
        """Take header blocks of up to `block_bytes_max` bytes."""
        self._block_bytes_max = block_bytes_max
        self._buffer = bytearray()
        self._greeted = False
        self._block: bytearray | None = None
        self._block_of = Frame(0, 0, 0, b"")

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes. Raises ConnectionFault."""
        buffer = self._buffer
        buffer += data
        at = 0 if self._greeted else self._greet()
        size = len(buffer)
        found = []
        while self._greeted and size - at >= fr.HEAD_BYTES:
            length = int.from_bytes(buffer[at : at + 3], "big")
            if length > fr.FRAME_BYTES_MIN_MAX:
                raise ConnectionFault(Code.FRAME_SIZE_ERROR, "a frame larger than was agreed")
            begin = at + fr.HEAD_BYTES
            if size < begin + length:
                break
            stream_id = fr.U32.unpack_from(buffer, at + 5)[0] & fr.WINDOW_MAX
            payload = bytes(memoryview(buffer)[begin : begin + length])
            frame = self._whole(Frame(buffer[at + 3], buffer[at + 4], stream_id, payload))
            if frame is not None:
                found.append(frame)
            at = begin + length
        del buffer[:at]
        return found

    def _greet(self) -> int:
        """Return how many bytes the greeting takes, once it is complete."""
        begin = bytes(self._buffer[: len(fr.PREFACE)])
        if not fr.PREFACE.startswith(begin):
            raise ConnectionFault(Code.PROTOCOL_ERROR, "this port speaks gRPC over HTTP/2")
        self._greeted = len(begin) == len(fr.PREFACE)
        return len(begin) if self._greeted else 0

    def _whole(self, frame: Frame) -> Frame | None:
        """Return a frame that can be acted upon, or None while its header block is not complete."""
        if self._block is not None:
            return self._continued(self._block, frame)
        if frame.kind == fr.CONTINUATION:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "CONTINUATION of nothing")
        if frame.kind != fr.HEADERS:
            return frame
        block = fr.unpadded(frame.payload, frame.flags)
        if frame.flags & fr.PRIORITISED:
            block = block[_PREFIX_OF_PRIORITY:]
        if frame.flags & fr.END_HEADERS:
            return frame._replace(payload=block)
        self._block, self._block_of = bytearray(block), frame
        return None

    def _continued(self, block: bytearray, frame: Frame) -> Frame | None:
        if frame.kind != fr.CONTINUATION or frame.stream_id != self._block_of.stream_id:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a header block was interrupted")
        block += frame.payload
        # An empty piece counts as something, or a block could go on for ever.
        if not frame.payload or len(block) > self._block_bytes_max:
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "more headers than are taken")
        if not frame.flags & fr.END_HEADERS:
            return None
        self._block = None
        return self._block_of._replace(payload=bytes(block))
