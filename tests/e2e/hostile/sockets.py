"""Raw connections to a server's ports, and the rude ways to leave them."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Final

from tests.e2e.serving import HOST

TIMEOUT_S: Final = 20.0
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS = 1, 4


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, port), TIMEOUT_S) as opened:
        yield opened


def reset(opened: socket.socket) -> None:
    """Leave with a reset, as a program that is killed with unread input does."""
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    opened.close()


def until_closed(opened: socket.socket) -> bytes:
    """Everything that the server still says, until it has closed."""
    heard = b""
    try:
        while data := opened.recv(65_536):
            heard += data
    except ConnectionResetError:
        return heard
    return heard


def send_all(opened: socket.socket, data: bytes) -> None:
    """Send what the server takes; it may close in the middle of it."""
    try:
        opened.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One frame of HTTP/2."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def greeting() -> bytes:
    return PREFACE + frame(SETTINGS, 0, 0, b"")


def headers(path: str, *more: tuple[str, str]) -> bytes:
    """A header block without any compression."""
    fields = [
        *((":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x")),
        *(("te", "trailers"), ("content-type", "application/grpc"), *more),
    ]
    return b"".join(_literal(name.encode(), value.encode()) for name, value in fields)


def _literal(name: bytes, value: bytes) -> bytes:
    assert max(len(name), len(value)) < 127, "longer strings have another length"
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def message(data: bytes) -> bytes:
    """A gRPC message, as it stands in DATA frames."""
    return b"\x00" + struct.pack(">I", len(data)) + data


def random_frames(random: Random, count: int) -> bytes:
    """Frames of every kind with anything in them."""
    return b"".join(
        frame(
            random.randrange(12),
            random.randrange(256),
            random.choice((0, 1, 2, 3, 5, 2**31 - 1)),
            random.randbytes(random.choice((0, 1, 4, 5, 8, 40, 400))),
        )
        for _ in range(count)
    )
