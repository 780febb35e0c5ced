"""Tests of bindings run in virtual time; one that hangs is stopped soon."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.kit.clock import VirtualLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualLoop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "unit/triggers/bindings" in item.path.as_posix():
            item.add_marker(pytest.mark.timeout(30))
