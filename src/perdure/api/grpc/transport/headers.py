"""Header blocks: requests decoded by `hpack` behind a cache, answers written as constants.

A client sends almost the same block for every call. Once its entries are in the table, a block
is a few bytes of indices; as long as the table has not changed, equal bytes mean equal headers,
and decoding is a look-up. Answers use no table at all, so their blocks are the same bytes for
every connection.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from hpack import Decoder
from hpack.exceptions import HPACKError

from perdure.api.grpc.transport.frames import Code, ConnectionFault

Headers = tuple[tuple[str, str], ...]
Metadata = tuple[tuple[str, str | bytes], ...]

_CACHED_BLOCKS_MAX: Final = 256
_CACHED_BLOCK_BYTES_MAX: Final = 512
_SIZE_UPDATE: Final = 0b001  # a block that begins so changes the table's size: not one to know


class BlockDecoder:
    """Decodes the header blocks of one connection, in order."""

    def __init__(self, list_bytes_max: int) -> None:
        """Take lists of up to `list_bytes_max` bytes."""
        self._decoder = Decoder(list_bytes_max)
        self._known: dict[bytes, Headers] = {}
        self._table: tuple[tuple[bytes, bytes], ...] = ()

    def decode(self, block: bytes) -> Headers:
        """Return the headers of a block. Raises ConnectionFault if it cannot be decoded."""
        known = self._known.get(block)
        if known is not None:
            return known
        try:
            decoded = self._decoder.decode(block, raw=True)
        except HPACKError as error:
            raise ConnectionFault(Code.COMPRESSION_ERROR, f"headers: {error}") from error
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in decoded
        )
        table = tuple(self._decoder.header_table.dynamic_entries)
        if table != self._table:
            self._table = table
            self._known.clear()
        elif (
            block
            and block[0] >> 5 != _SIZE_UPDATE
            and len(block) <= _CACHED_BLOCK_BYTES_MAX
            and len(self._known) < _CACHED_BLOCKS_MAX
        ):
            self._known[block] = headers
        return headers


def metadata_of(headers: Headers) -> Metadata:
    """Return the request's metadata: no pseudo-headers, `-bin` values decoded.

    A `-bin` value that is not base64 is left out: no method can have a use for it.
    """
    found: list[tuple[str, str | bytes]] = []
    for name, value in headers:
        if name.startswith(":"):
            continue
        if not name.endswith("-bin"):
            found.append((name, value))
            continue
        for part in value.split(","):
            try:
                found.append((name, b64decode(part + "=" * (-len(part) % 4), validate=True)))
            except (Base64Error, ValueError):
                continue
    return tuple(found)


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


_STATUS_200: Final = b"\x88"
INITIAL: Final = _STATUS_200 + literal("content-type", "application/grpc")
TRAILERS_OK: Final = literal("grpc-status", "0")


def initial(more: Iterable[tuple[str, str | bytes]]) -> bytes:
    """Return the block that an answer begins with."""
    return INITIAL + b"".join(_metadatum(name, value) for name, value in more)


def trailers(code: int, text: str, more: Iterable[tuple[str, str | bytes]] = ()) -> bytes:
    """Return the block that an answer ends with."""
    parts = [literal("grpc-status", str(code))]
    if text:
        # Percent-encoded as gRPC asks: printable ASCII stays, save the percent sign itself.
        parts.append(literal("grpc-message", quote(text, safe=_SAFE)))
    parts.extend(_metadatum(name, value) for name, value in more)
    return b"".join(parts)


_SAFE: Final = "".join(chr(n) for n in range(0x20, 0x7F) if chr(n) != "%")


def _metadatum(name: str, value: str | bytes) -> bytes:
    if isinstance(value, bytes):
        return literal(name, b64encode(value).rstrip(b"=").decode("ascii"))
    return literal(name, value)
