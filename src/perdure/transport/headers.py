"""Header blocks: requests decoded by `hpack` behind a cache, answers written as constants.

A client sends almost the same block for every call. Once its entries are in the table, a block
is a few bytes of indices; as long as the table has not changed, equal bytes mean equal headers,
and decoding is a look-up. Answers use no table at all, so their blocks are the same bytes for
every connection.
"""

import logging
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar
from urllib.parse import quote

from hpack import Decoder
from hpack.exceptions import HPACKError

from perdure.transport.frames import FRAME_BYTES_MAX, Code, ConnectionFault
from perdure.transport.request import Headers

# It tells of every header that it decodes, API tokens too, to whoever listens for debugging.
logging.getLogger("hpack").setLevel(logging.WARNING)

T = TypeVar("T")
Pairs = Iterable[tuple[str, str | bytes]]

# Clients take at least 8 KiB of headers; a message that is longer is cut.
MESSAGE_BYTES_MAX: Final = 4_096

_KNOWN_BLOCKS_MAX: Final = 256
_KNOWN_BLOCK_BYTES_MAX: Final = 512
_SIZE_UPDATE: Final = 0b001
_SIZE_UPDATES_MAX: Final = 2  # RFC 7541 section 4.2


class BlockDecoder(Generic[T]):
    """Decodes the header blocks of one connection, in order, into what `make` makes of them."""

    def __init__(self, list_bytes_max: int, make: Callable[[Headers], T]) -> None:
        """Take lists of up to `list_bytes_max` bytes."""
        self._decoder = Decoder(list_bytes_max)
        self._make = make
        self._known: dict[bytes, T] = {}
        self._table: tuple[tuple[bytes, bytes], ...] = ()

    def decode(self, block: bytes) -> T:
        """Return what a block says. Raises ConnectionFault if it cannot be decoded."""
        known = self._known.get(block)
        if known is not None:
            return known
        _check_size_updates(block)
        try:
            decoded = self._decoder.decode(block, raw=True)
        except HPACKError as error:
            raise ConnectionFault(Code.COMPRESSION_ERROR, f"headers: {error}"[:200]) from error
        made = self._make(
            tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in decoded)
        )
        self._remember(block, made)
        return made

    def _remember(self, block: bytes, made: T) -> None:
        table = tuple(self._decoder.header_table.dynamic_entries)
        if table != self._table:
            self._table = table
            self._known.clear()
        # A block that changes the size of the table is not one to know: it has an effect.
        elif len(block) <= _KNOWN_BLOCK_BYTES_MAX and block[:1] and block[0] >> 5 != _SIZE_UPDATE:
            if len(self._known) >= _KNOWN_BLOCKS_MAX:
                self._known.clear()
            self._known[block] = made


def _check_size_updates(block: bytes) -> None:
    """Refuse a block that begins with more changes of the table's size than make sense."""
    at = count = 0
    while at < len(block) and block[at] >> 5 == _SIZE_UPDATE:
        count += 1
        if count > _SIZE_UPDATES_MAX:
            raise ConnectionFault(Code.COMPRESSION_ERROR, "the table's size changes to and fro")
        if block[at] & 0x1F == 0x1F:  # noqa: PLR2004 - a prefix of ones: the integer goes on
            at += 1
            while at < len(block) and block[at] & 0x80:
                at += 1
        at += 1


def _length(size: int) -> bytes:
    # An HPACK integer with a prefix of seven bits and no Huffman flag.
    if size < 0x7F:  # noqa: PLR2004 - the prefix
        return bytes((size,))
    out = bytearray((0x7F,))
    size -= 0x7F
    while size > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out)


def literal(name: str, value: str) -> bytes:
    """Return a header that leaves no trace in any table."""
    key, text = name.encode("ascii"), value.encode("latin-1", "replace")
    return b"".join((b"\x00", _length(len(key)), key, _length(len(text)), text))


INITIAL: Final = b"\x88" + literal("content-type", "application/grpc")  # :status 200
TRAILERS_OK: Final = literal("grpc-status", "0")


def initial(more: Pairs) -> bytes:
    """Return the block that an answer begins with."""
    return _checked(INITIAL + b"".join(metadatum(name, value) for name, value in more))


def trailers(code: int, text: str, more: Pairs = ()) -> bytes:
    """Return the block that an answer ends with."""
    parts = [literal("grpc-status", str(code))]
    if text:
        parts.append(literal("grpc-message", _percent_encoded(text)))
    parts.extend(metadatum(name, value) for name, value in more)
    return _checked(b"".join(parts))


def refusal(http_status: int) -> bytes:
    """Return the block that begins the answer to a request that is none of gRPC."""
    return literal(":status", str(http_status)) + literal("content-type", "text/plain")


_SAFE: Final = "".join(chr(n) for n in range(0x20, 0x7F) if chr(n) != "%")


def _percent_encoded(text: str) -> str:
    """Return a text as gRPC asks: printable ASCII stays, save the percent sign itself."""
    encoded = quote(text[:MESSAGE_BYTES_MAX], safe=_SAFE, errors="replace")
    while len(encoded) > MESSAGE_BYTES_MAX:
        # Cut whole characters: at most twelve bytes each, once they are encoded.
        text = text[: len(text) - max(1, (len(encoded) - MESSAGE_BYTES_MAX) // 12)]
        encoded = quote(text, safe=_SAFE, errors="replace")
    return encoded


def metadatum(name: str, value: str | bytes) -> bytes:
    """Return a piece of metadata; bytes as base64, as their names must tell."""
    if isinstance(value, bytes):
        return literal(name, b64encode(value).rstrip(b"=").decode("ascii"))
    return literal(name, value)


def _checked(block: bytes) -> bytes:
    assert len(block) <= FRAME_BYTES_MAX, "the headers of an answer fit one frame"
    return block
