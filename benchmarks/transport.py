"""`python -m benchmarks.transport`: what a call costs the server's transport, and nothing else.

The server is a process of its own on uvloop that answers with what it was sent. The client is
grpc.aio. The server tells its own CPU time, so that the client's does not count.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
import uvloop
from rich.console import Console
from rich.table import Table

from perdure.transport.call import Call
from perdure.transport.options import Options
from perdure.transport.server import TransportServer

HOST: Final = "127.0.0.1"
CHUNK_BYTES: Final = 4 * 1024 * 1024


async def _echo(data: bytes, _call: Call) -> bytes:
    return data


async def _cpu(_data: bytes, _call: Call) -> bytes:
    return repr(time.process_time()).encode()


async def _stream(data: bytes, call: Call) -> None:
    count, size = (int(part) for part in data.split())
    message = bytes(size)
    for _ in range(count):
        await call.write(message)


_METHODS: Final[dict[str, Any]] = {
    "/bench/Echo": grpc.unary_unary_rpc_method_handler(_echo),
    "/bench/Cpu": grpc.unary_unary_rpc_method_handler(_cpu),
    "/bench/Stream": grpc.unary_stream_rpc_method_handler(_stream),
}


async def _serve() -> None:
    options = Options(
        message_bytes_max=CHUNK_BYTES,
        header_bytes_max=65_536,
        patience_s=10,
        ping_after_s=60,
        ping_timeout_s=60,
    )
    server = TransportServer(options, lambda call: _METHODS[call.path])
    print(await server.listen(HOST, 0, None), flush=True)
    # The parent closes the pipe when it has measured.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(1)


@contextmanager
def _server() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.transport", "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(process.stdout.readline())
        process.stdin.close()
        process.wait(10)
    finally:
        process.kill()
        process.wait()


async def _unary(channel: grpc.aio.Channel, calls: int, in_flight: int, size: int) -> None:
    echo: Any = channel.unary_unary("/bench/Echo")
    message, left = bytes(size), iter(range(calls))

    async def one_after_another() -> None:
        for _ in left:
            assert len(await echo(message)) == size

    await asyncio.gather(*(one_after_another() for _ in range(in_flight)))


async def _streamed(channel: grpc.aio.Channel, messages: int, size: int) -> None:
    stream: Any = channel.unary_stream("/bench/Stream")
    count = 0
    async for message in stream(f"{messages} {size}".encode()):
        count += len(message)
    assert count == messages * size


async def _measured(
    channel: grpc.aio.Channel, count: int, load: Callable[[], Awaitable[None]]
) -> dict[str, float]:
    """Return what one of `count` calls or messages costs, and how many there were a second."""
    cpu: Any = channel.unary_unary("/bench/Cpu")
    before_s, began_s = float(await cpu(b"")), time.perf_counter()
    await load()
    lasted_s, after_s = time.perf_counter() - began_s, float(await cpu(b""))
    return {
        "server_cpu_us": (after_s - before_s) / count * 1e6,
        "per_s": count / lasted_s,
    }


async def _loads(port: int, calls: int) -> dict[str, dict[str, float]]:
    limits = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    async with grpc.aio.insecure_channel(f"{HOST}:{port}", options=limits) as channel:
        await _unary(channel, 1_000, 64, 100)
        large = CHUNK_BYTES - 1_024
        return {
            "unary, 64 in flight": await _measured(
                channel, calls, lambda: _unary(channel, calls, 64, 100)
            ),
            "unary, one at a time": await _measured(
                channel, calls // 4, lambda: _unary(channel, calls // 4, 1, 100)
            ),
            "unary, 4 MiB both ways": await _measured(
                channel, 40, lambda: _unary(channel, 40, 2, large)
            ),
            "streamed message": await _measured(
                channel, calls * 2, lambda: _streamed(channel, calls * 2, 300)
            ),
        }


def main() -> None:
    """Measure, and print JSON and a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transport", description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--json", type=Path, help="write the report there as JSON too")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        uvloop.run(_serve())
        return
    with _server() as port:
        figures = asyncio.run(_loads(port, arguments.calls))
    report = json.dumps({"results": figures}, indent=2)
    print(report)
    if arguments.json is not None:
        arguments.json.write_text(report + "\n", "utf-8")
    table = Table("load", "figure", "value", title="the transport alone")
    table.columns[2].justify = "right"
    for load, values in figures.items():
        for name, value in values.items():
            table.add_row(load, name, f"{value:,.1f}")
    Console(stderr=True, width=100).print(table)


if __name__ == "__main__":
    main()
