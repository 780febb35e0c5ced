"""On which loops these tests run."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, LoopFactory]:
    """Both loops for sockets: `perdure serve` runs on uvloop, whose sockets and TLS are its own."""
    factories: dict[str, LoopFactory] = {"asyncio": asyncio.new_event_loop}
    if item.path.name in {"test_server.py", "test_channel.py"}:
        factories["uvloop"] = uvloop.new_event_loop
    return factories
