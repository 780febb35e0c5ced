"""The way to a server itself: what is cut ends, and what is stalled arrives when it heals."""

import asyncio
import gc
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.e2e.proxy import HOST, Proxy

pytestmark = pytest.mark.timeout(60)
# So long nothing comes over a line that carries nothing.
SILENCE_S = 0.3


@contextmanager
def line() -> Iterator[tuple[Proxy, socket.socket, socket.socket]]:
    """Give a proxy, and the two ends of a connection over it."""
    with socket.create_server((HOST, 0)) as listening:
        proxy = Proxy(listening.getsockname()[1], patience_s=0.0).start()
        with (
            closing(socket.create_connection((HOST, proxy.port))) as near,
            closing(listening.accept()[0]) as far,
        ):
            far.settimeout(SILENCE_S)
            try:
                yield proxy, near, far
            finally:
                proxy.close()


def carries(near: socket.socket, far: socket.socket) -> bool:
    near.sendall(b"before")
    return far.recv(100) == b"before"


def test_what_is_sent_while_a_line_is_stalled_arrives_when_it_heals() -> None:
    with line() as (proxy, near, far):
        assert carries(near, far)
        proxy.stall()
        near.sendall(b"late")
        near.close()
        with pytest.raises(TimeoutError):
            far.recv(100)
        proxy.heal()
        assert far.recv(100) == b"late"
        assert far.recv(100) == b""


def test_a_line_that_is_severed_ends_and_takes_nobody_until_it_heals() -> None:
    with line() as (proxy, near, far):
        assert carries(near, far)
        proxy.sever()
        assert near.recv(100) == b""
        with closing(socket.create_connection((HOST, proxy.port))) as again:
            assert again.recv(100) == b""
        proxy.heal()
        with closing(socket.create_connection((HOST, proxy.port))) as again:
            again.settimeout(SILENCE_S)
            with pytest.raises(TimeoutError):
                again.recv(100)


def test_a_line_that_is_cut_takes_new_ones_at_once() -> None:
    with line() as (proxy, near, far):
        assert carries(near, far)
        proxy.cut()
        assert near.recv(100) == b""
        with closing(socket.create_connection((HOST, proxy.port))) as again:
            again.settimeout(SILENCE_S)
            with pytest.raises(TimeoutError):
                again.recv(100)


class _Hasty(Proxy):
    """Cuts each connection in the moment in which it is taken."""

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super()._take(reader, writer)
        self._cut()


def test_a_line_that_is_cut_before_anything_was_carried_is_closed() -> None:
    """What nobody closes warns when it is collected, which fails the test."""
    with socket.create_server((HOST, 0)) as listening:
        proxy = _Hasty(listening.getsockname()[1], patience_s=0.0).start()
        with closing(socket.create_connection((HOST, proxy.port))) as near:
            assert near.recv(100) == b""
        proxy.close()
    gc.collect()
