"""Incidents are recreated in virtual time."""

import asyncio
from collections.abc import Callable, Mapping

from tests.kit.clock import VirtualLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualLoop}
