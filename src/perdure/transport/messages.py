"""The messages of one call as they come in, in whatever pieces."""

import zlib
from collections import deque
from typing import Final

import grpc

PREFIX_BYTES: Final = 5  # whether it is compressed, and the length in four bytes

_ENCODINGS: Final = ("identity", "deflate", "gzip")
_NONE: Final = ("", "identity")


class Rejection(Exception):
    """The request cannot be taken: the status that says so."""

    def __init__(
        self, code: grpc.StatusCode, text: str, metadata: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Take the status, and what else the client is to know."""
        super().__init__(text)
        self.code = code
        self.text = text
        self.metadata = metadata


def _size_of(data: bytes) -> int:
    """Return how many bytes the first message takes, as it announces itself."""
    return PREFIX_BYTES + int.from_bytes(data[1:PREFIX_BYTES], "big")


class Inbox:
    """Puts messages together, inflates them, and keeps them until they are asked for."""

    __slots__ = ("_bytes_max", "_encoding", "_head", "_messages", "_missing", "_partial", "held")

    def __init__(self, encoding: str, bytes_max: int) -> None:
        """Take messages of up to `bytes_max`, compressed as `encoding` says, if at all."""
        self._encoding = encoding
        self._bytes_max = bytes_max
        self._head = b""
        self._missing = 0
        self._partial = bytearray()
        self._messages: deque[tuple[bytes, int]] = deque()
        # The bytes that came in and were not given out yet.
        self.held = 0

    def __len__(self) -> int:
        """Return how many messages are complete."""
        return len(self._messages)

    @property
    def is_amid(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._head)

    def take(self, data: bytes) -> None:
        """Take bytes as they come in. Raises Rejection."""
        size = len(data)
        self.held += size
        if not self._head and data[:1] == b"\0" and size == _size_of(data) <= self._bytes_max:
            # Most messages come as one frame each, and need no putting together.
            self._messages.append((data[PREFIX_BYTES:], size))
            return
        at = 0
        while at < size:
            if len(self._head) < PREFIX_BYTES:
                begin, at = at, at + PREFIX_BYTES - len(self._head)
                self._head += data[begin:at]
                if len(self._head) < PREFIX_BYTES:
                    return
                self._missing = self._announced()
            part = data[at : at + self._missing]
            at += len(part)
            self._missing -= len(part)
            if self._missing or self._partial:
                self._partial += part
            if not self._missing:
                self._complete(bytes(self._partial) or part)

    def pop(self) -> tuple[bytes, int]:
        """Return the oldest message that is complete, and how many bytes it took to come in."""
        message, size = self._messages.popleft()
        self.held -= size
        return message, size

    def _announced(self) -> int:
        size = int.from_bytes(self._head[1:], "big")
        if size > self._bytes_max:
            raise self._too_large(size)
        if self._head[0] > 1:
            raise Rejection(grpc.StatusCode.INTERNAL, "a message with a flag that nobody knows")
        return size

    def _complete(self, message: bytes) -> None:
        size = PREFIX_BYTES + len(message)
        compressed = self._head[0]
        self._head = b""
        self._partial.clear()
        self._messages.append((self._inflated(message) if compressed else message, size))

    def _inflated(self, message: bytes) -> bytes:
        if self._encoding in _NONE:
            text = "a message is compressed, and the call does not say how"
            raise Rejection(grpc.StatusCode.INTERNAL, text)
        if self._encoding not in _ENCODINGS:
            text = f"messages compressed with '{self._encoding[:50]}' are not taken"
            accepted = (("grpc-accept-encoding", ",".join(_ENCODINGS)),)
            raise Rejection(grpc.StatusCode.UNIMPLEMENTED, text, accepted)
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)  # of zlib or gzip, by its own head
        try:
            # Bounded before it is inflated: a small message may hold a huge one.
            out = inflater.decompress(message, self._bytes_max + 1)
        except zlib.error as error:
            raise Rejection(grpc.StatusCode.INTERNAL, "a message cannot be inflated") from error
        if len(out) > self._bytes_max:
            raise self._too_large(len(out))
        if not inflater.eof or inflater.unused_data:
            raise Rejection(grpc.StatusCode.INTERNAL, "a message cannot be inflated as a whole")
        return out

    def _too_large(self, size: int) -> Rejection:
        text = f"received message larger than max ({size} vs. {self._bytes_max})"
        return Rejection(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
