"""Nodes that hear of very much at once, or of very many."""

from dataclasses import replace

import pytest

from perdure.engine import looking
from perdure.store.leases import ANYTHING, News, Touched
from perdure.store.port import Page
from perdure.store.query import InstanceQuery
from tests.kit.town import Town


async def test_a_flood_of_news_is_one_look_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """News that names nobody may come faster than all of it can be looked at."""
    async with Town("ann", "ben") as town:
        town["ann"].worker()
        await town.spread()
        others = town["ann"].engine._neighbours  # noqa: SLF001 - to be told
        assert others is not None
        looks: list[int] = []
        find = town["ann"].store.find

        def counted(query: InstanceQuery) -> Page:
            looks.append(1)
            return find(query)

        monkeypatch.setattr(town["ann"].store, "find", counted)
        for _ in range(100):
            others.hear(ANYTHING)
        partition = next(iter(town["ann"].owner.within))
        for _ in range(100):
            others.hear(News(touched=(Touched(partition, None),)))
        await town.settle()
        assert 1 <= len(looks) <= 2


async def test_all_who_are_suspended_are_known_however_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looking, "_SUSPENDED", replace(looking._SUSPENDED, limit=2))  # noqa: SLF001 - no door shows it
    async with Town("ann") as town:
        town["ann"].worker()
        await town.spread()
        for number in range(5):
            await town["ann"].start(f"w{number}")
            await town["ann"].suspend(f"w{number}")
        others = town["ann"].engine._neighbours  # noqa: SLF001 - to be asked
        assert others is not None
        assert len(await others._looking._suspended_on_disk()) == 5  # noqa: SLF001 - no door shows it
