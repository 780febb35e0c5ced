"""Looks for what was not heard of: all of it is found, if it is much a piece at a time."""

import pytest

from perdure.base.limits import NEIGHBOURS_POLL_US
from perdure.base.time import SECOND_US
from perdure.core.events import EventRaised
from perdure.core.status import Status
from perdure.engine import looking, recovery
from perdure.wire.generated.work_pb2 import Action
from tests.kit.answers import complete
from tests.kit.town import Town
from tests.kit.worker import TurnItem

COUNT = 7
PIECE = 2


def _waits(item: TurnItem) -> list[Action]:
    raised = [e for e in (*item.known, *item.new) if isinstance(e, EventRaised)]
    return [complete(1)] if raised else []


async def test_more_than_a_look_is_at_is_found_by_the_next_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (looking, recovery):
        monkeypatch.setattr(module, "REFILL_ROWS_MAX", PIECE)
    monkeypatch.setattr(looking, "LOOK_ROWS_MAX", PIECE)
    async with Town("ann", "ben") as town:
        town["ann"].worker().work(_waits)
        await town.spread()
        ids = [f"i{number}" for number in range(COUNT)]
        for instance_id in ids:
            await town["ann"].start(instance_id)
        await town.settle()
        town["ann"].store.deaf = True
        for instance_id in ids:
            await town["ben"].raise_event(instance_id, "go")
        await town.pass_time(NEIGHBOURS_POLL_US + SECOND_US)
        ended = [(await town["ben"].view(each)).status is Status.COMPLETED for each in ids]
        assert 0 < sum(ended) < COUNT, "a look is at a piece"
        await town.pass_time((COUNT // PIECE + 1) * NEIGHBOURS_POLL_US)
        for instance_id in ids:
            assert (await town["ben"].view(instance_id)).status is Status.COMPLETED
        town["ann"].store.deaf = False
