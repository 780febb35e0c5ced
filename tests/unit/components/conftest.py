"""Tests of the components run in virtual time, as those of the engine do."""

import asyncio
from collections.abc import Callable, Mapping

from tests.kit.clock import VirtualLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualLoop}
