"""HTTP/2 frames as bytes and numbers (RFC 9113 section 4 and 6)."""

from enum import IntEnum
from struct import Struct
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES: Final = 9
FRAME_BYTES_MAX: Final = 16_384  # what every peer takes, and the most that we take
WINDOW_MAX: Final = 2**31 - 1
WINDOW_DEFAULT: Final = 65_535

DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITISED: Final = 0x20

ENABLE_PUSH: Final = 2
MAX_CONCURRENT_STREAMS: Final = 3
INITIAL_WINDOW_SIZE: Final = 4
MAX_FRAME_SIZE: Final = 5
MAX_HEADER_LIST_SIZE: Final = 6

U32: Final = Struct(">I")
HEAD: Final = Struct(">BHBBI")  # the upper and lower part of the length, kind, flags, stream
_SETTING: Final = Struct(">HI")


class Code(IntEnum):
    """Why a stream or a connection is ended (RFC 9113 section 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12


class ConnectionFault(Exception):
    """The peer broke the protocol in a way that ends the connection."""

    def __init__(self, code: Code, text: str) -> None:
        """Take the reason as the peer will be told it."""
        super().__init__(text)
        self.code = code
        self.text = text


def head(length: int, kind: int, flags: int, stream_id: int) -> bytes:
    """Return the nine bytes before a frame's payload."""
    return HEAD.pack(length >> 16, length & 0xFFFF, kind, flags, stream_id)


def frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    """Return a whole frame."""
    return head(len(payload), kind, flags, stream_id) + payload


def settings(values: dict[int, int]) -> bytes:
    """Return a SETTINGS frame."""
    payload = b"".join(_SETTING.pack(key, value) for key, value in values.items())
    return frame(SETTINGS, 0, 0, payload)


def parse_settings(payload: bytes) -> list[tuple[int, int]]:
    """Return the pairs of a SETTINGS frame's payload. Raises ConnectionFault."""
    if len(payload) % _SETTING.size:
        raise ConnectionFault(Code.FRAME_SIZE_ERROR, "SETTINGS of a broken length")
    return list(_SETTING.iter_unpack(payload))


def window_update(stream_id: int, increment: int) -> bytes:
    """Return a WINDOW_UPDATE frame."""
    return head(4, WINDOW_UPDATE, 0, stream_id) + U32.pack(increment)


def rst_stream(stream_id: int, code: Code) -> bytes:
    """Return a RST_STREAM frame."""
    return head(4, RST_STREAM, 0, stream_id) + U32.pack(code)


def goaway(last_stream_id: int, code: Code, text: str = "") -> bytes:
    """Return a GOAWAY frame."""
    return frame(GOAWAY, 0, 0, U32.pack(last_stream_id) + U32.pack(code) + text.encode()[:1_000])


def check_dependency(payload: bytes, stream_id: int) -> None:
    """Refuse a priority by which a stream depends on itself. Raises ConnectionFault."""
    if U32.unpack_from(payload)[0] & WINDOW_MAX == stream_id:
        raise ConnectionFault(Code.PROTOCOL_ERROR, "a stream depends on itself")


def unpadded(payload: bytes) -> bytes:
    """Return the payload of a padded DATA or HEADERS frame alone. Raises ConnectionFault."""
    if not payload or payload[0] >= len(payload):
        raise ConnectionFault(Code.PROTOCOL_ERROR, "more padding than there is payload")
    return payload[1 : len(payload) - payload[0]]
