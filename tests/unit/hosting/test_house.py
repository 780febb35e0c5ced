"""What an engine in a program stands on: a database that several share."""

import asyncio

import pytest

import perdure
from perdure import Engine, Registry
from tests.kit.schemas import a_schema
from tests.unit.hosting.programs import add_one, registry, waits

MINUTE_S = 60.0


async def test_several_engines_share_a_database() -> None:
    with a_schema() as url:
        first, second = Engine(url, registry=registry()), Engine(url, registry=Registry())
        assert "@" not in repr(first)
        async with first, second:
            # What the second starts the first runs, and both see it.
            handles = [await second.start(add_one, number) for number in range(10)]
            results = [await handle.result(MINUTE_S) for handle in handles]
            assert results == list(range(1, 11))
            waiting = await first.start(waits, id="w")
            await second.raise_event("w", "go", 7)
            assert await waiting.result(MINUTE_S) == 7


def test_what_is_no_store_is_told() -> None:
    with pytest.raises(perdure.ConfigurationError, match="there is no store mysql"):
        asyncio.run(Engine("mysql://host/db").open())
