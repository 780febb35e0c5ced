"""Ports are taken before anything else, and a port in use is told with the flag to change."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from perdure.api.http.serving import uvicorn_config
from perdure.app.listening import HttpListener, bind
from perdure.base.errors import ConfigurationError

FLAG = "--dapr-http-port"
HOST = "127.0.0.1"
# Another address of every machine; only Linux has the whole of 127.0.0.0/8.
OTHER_HOST = "127.0.0.2" if sys.platform == "linux" else "[::1]"


@contextmanager
def bound(*addresses: str) -> Iterator[list[socket.socket]]:
    sockets = bind(addresses or (HOST,), 0, flag=FLAG)
    try:
        yield sockets
    finally:
        for each in sockets:
            each.close()


def test_one_port_on_every_address() -> None:
    with bound(HOST, OTHER_HOST) as sockets:
        assert len({each.getsockname()[1] for each in sockets}) == 1


def test_a_port_in_use_names_the_flag() -> None:
    with bound() as [taken]:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            bind([HOST], port, flag=FLAG)
    assert str(caught.value) == (
        f"port {port} is in use; another perdure or daprd may be running; "
        "choose another with --dapr-http-port"
    )


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "--dapr-listen-addresses 192.0.2.1: is not an address of this machine"),
        ("no.such.host.invalid", "--dapr-listen-addresses no.such.host.invalid: there is no such"),
    ],
)
def test_addresses_that_are_not_ours(address: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        bind([HOST, address], 0, flag=FLAG)
    assert str(caught.value).startswith(expected)


class Bench:
    """A listener before an application that answers when it is told to."""

    def __init__(self, sockets: list[socket.socket], grace_s: int = 30) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        app = Starlette(routes=[Route("/", self._slow), Route("/quick", self._quick)])
        config = uvicorn_config(app, stop_timeout_seconds=grace_s)
        self.listener = HttpListener(config, sockets)
        self.client = httpx.AsyncClient(
            base_url=f"http://{HOST}:{self.listener.port}", trust_env=False, timeout=30
        )

    async def _slow(self, _request: Request) -> Response:
        self.asked.set()
        await self.answer.wait()
        return PlainTextResponse("done")

    async def _quick(self, _request: Request) -> Response:
        return PlainTextResponse("quick")


async def test_what_is_under_way_is_answered_after_listening_has_stopped() -> None:
    with bound() as sockets:
        bench = Bench(sockets)
        await bench.listener.start()
        async with bench.client as client:
            assert (await client.get("/quick")).text == "quick"
            slow = asyncio.create_task(client.get("/"))
            await bench.asked.wait()
            bench.listener.begin_to_stop()
            while bench.listener.servers[0].is_serving():  # noqa: ASYNC110 - there is no signal
                await asyncio.sleep(0)
            async with httpx.AsyncClient(trust_env=False) as other:
                with pytest.raises(httpx.ConnectError):
                    await other.get(client.base_url)
            bench.answer.set()
            assert (await slow).text == "done"
            await bench.listener.stopped()


async def test_in_a_hurry_nothing_is_waited_for() -> None:
    with bound() as sockets:
        bench = Bench(sockets)
        await bench.listener.start()
        async with bench.client as client:
            slow = asyncio.create_task(client.get("/"))
            await bench.asked.wait()
            bench.listener.hurry()
            await asyncio.wait_for(bench.listener.stopped(), 10)
            bench.answer.set()
            await asyncio.wait({slow})


async def test_one_that_was_never_started_stops() -> None:
    with bound() as sockets:
        bench = Bench(sockets)
        bench.listener.begin_to_stop()
        await bench.listener.stopped()
        await bench.client.aclose()


async def test_whoever_waits_no_longer_ends_nothing() -> None:
    with bound() as sockets:
        bench = Bench(sockets)
        await bench.listener.start()
        waiting = asyncio.ensure_future(bench.listener.stopped())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        async with bench.client as client:
            assert (await client.get("/quick")).text == "quick"
        bench.listener.begin_to_stop()
        await bench.listener.stopped()
