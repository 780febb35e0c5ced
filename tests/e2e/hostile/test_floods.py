"""The known attacks on HTTP/2, each by one connection without a pause: the server leaves it.

Whoever floods is left with GOAWAY or ENHANCE_YOUR_CALM, or is not read on; the memory that it
costs has a bound, and meanwhile everybody else is served. The CVEs that made them known are named.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.hostile import sockets
from tests.e2e.hostile.hands import going_on
from tests.e2e.hostile.sockets import connected, frame
from tests.e2e.serving import Server

MIB: Final = 2**20
GROWTH_BYTES_MAX: Final = 48 * MIB
FLOOD_BYTES: Final = 64 * MIB
PATH: Final = "/dapr.proto.runtime.v1.Dapr/GetMetadata"


def peak_bytes(server: Server) -> int:
    """Return the most memory that the server has ever held."""
    status = Path(f"/proc/{server.pid}/status").read_text("utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line[:6] == "VmHWM:") * 1024


def _reset_streams() -> Iterator[bytes]:
    """Rapid reset, CVE-2023-44487: calls that are given up as soon as they are made."""
    block = sockets.headers(PATH)
    for stream in range(1, 2**31, 2):
        opening = frame(sockets.HEADERS, sockets.END_HEADERS, stream, block)
        yield opening + frame(sockets.RST_STREAM, 0, stream, struct.pack(">I", 8))


def _made_you_reset() -> Iterator[bytes]:
    """MadeYouReset, CVE-2025-8671: calls that the server is made to reset by a broken rule."""
    block = sockets.headers(PATH)
    for stream in range(1, 2**31, 2):
        opening = frame(sockets.HEADERS, sockets.END_HEADERS, stream, block)
        yield opening + frame(sockets.WINDOW, 0, stream, bytes(4))


def _continuations() -> Iterator[bytes]:
    """CONTINUATION flood, CVE-2024-27316: a header block without an end."""
    yield frame(sockets.HEADERS, 0, 1, sockets.headers(PATH))
    while True:
        yield frame(sockets.CONTINUATION, 0, 1, b"\x00\x01a\x01b" * 3_000)


def _empty_continuations() -> Iterator[bytes]:
    yield frame(sockets.HEADERS, 0, 1, sockets.headers(PATH))
    while True:
        yield frame(sockets.CONTINUATION, 0, 1, b"")


def _pings() -> Iterator[bytes]:
    """PING flood, CVE-2019-9512, from somebody who does not read the answers."""
    while True:
        yield frame(sockets.PING, 0, 0, bytes(8))


def _settings() -> Iterator[bytes]:
    """SETTINGS flood, CVE-2019-9515, likewise."""
    while True:
        yield frame(sockets.SETTINGS, 0, 0, struct.pack(">HI", 4, 65_535))


def _empty_data() -> Iterator[bytes]:
    """Empty frames, CVE-2019-9518: a request of nothing that does not end."""
    yield frame(sockets.HEADERS, sockets.END_HEADERS, 1, sockets.headers(PATH))
    while True:
        yield frame(sockets.DATA, 0, 1, b"")


def _priorities() -> Iterator[bytes]:
    """Resource loop, CVE-2019-9513: priorities that are told again and again."""
    while True:
        yield frame(sockets.PRIORITY, 0, 1, struct.pack(">IB", 3, 1))


def _tables() -> Iterator[bytes]:
    """HPACK bomb, CVE-2016-6581: one large entry, and blocks that are nothing but its index."""
    large = b"\x40\x01a" + b"\x7f\x81\x1f" + b"x" * 4_096
    yield frame(sockets.HEADERS, sockets.END_HEADERS, 1, sockets.headers(PATH) + large)
    for stream in range(3, 2**31, 2):
        block = sockets.headers(PATH) + b"\xbe" * 16_000
        yield frame(sockets.HEADERS, sockets.END_HEADERS, stream, block)


def _unread() -> Iterator[bytes]:
    """Calls whose answers are not read, CVE-2019-9517."""
    block = sockets.headers(PATH)
    for stream in range(1, 2**31, 2):
        opening = frame(sockets.HEADERS, sockets.END_HEADERS, stream, block)
        yield opening + frame(sockets.DATA, sockets.END_STREAM, stream, bytes(5))


FLOODS: Final = (
    _reset_streams,
    _made_you_reset,
    _continuations,
    _empty_continuations,
    _pings,
    _settings,
    _empty_data,
    _priorities,
    _tables,
    _unread,
)


def _pour(opened: socket.socket, flood: Iterator[bytes]) -> bool:
    """Send a flood; tell whether the server ended it, or would take no more of it."""
    sent = 0
    piece = bytearray()
    try:
        for each in flood:
            piece += each
            if len(piece) < MIB // 4:
                continue
            opened.sendall(piece)
            sent += len(piece)
            piece.clear()
            if sent > FLOOD_BYTES:
                return False
    except (TimeoutError, BrokenPipeError, ConnectionResetError):
        return True
    return False


@pytest.mark.parametrize("flood", FLOODS, ids=[each.__name__.strip("_") for each in FLOODS])
def test_a_flood_is_left_and_costs_others_nothing(
    server: Server, flood: Callable[[], Iterator[bytes]]
) -> None:
    with going_on(server):
        before = peak_bytes(server)
        with connected(server.grpc_port) as opened:
            opened.settimeout(5.0)
            opened.sendall(sockets.greeting())
            assert _pour(opened, flood()), "64 MiB of it were taken without a word"
        assert peak_bytes(server) - before < GROWTH_BYTES_MAX


def test_ten_floods_at_once_leave_room_for_others(server: Server) -> None:
    def flood() -> None:
        with connected(server.grpc_port) as opened:
            opened.settimeout(5.0)
            opened.sendall(sockets.greeting())
            _pour(opened, _reset_streams())

    threads = [threading.Thread(target=flood) for _ in range(10)]
    with going_on(server):
        for thread in threads:
            thread.start()
        answer = server.request("GET", "/v1.0/healthz", timeout_s=30)
        assert answer.status == 204
        for thread in threads:
            thread.join()
