"""A sweep comes again when something is due, when something has changed, and after a fault."""

import asyncio
from collections import deque
from contextlib import suppress

from perdure.base.errors import StoreAway
from perdure.base.limits import LAND_RETRY_LONGEST_US
from perdure.base.time import HOUR_US, SECOND_US
from perdure.engine.sweeping import sweep_on
from tests.kit.clock import VirtualLoop
from tests.kit.recorder import Recorder


class Sweeps:
    """Counts sweeps; each ends as it is told to."""

    def __init__(self, *ends: int | StoreAway) -> None:
        self.ends = deque(ends)
        self.count = 0

    async def sweep(self) -> int:
        self.count += 1
        end = self.ends.popleft() if self.ends else HOUR_US
        if isinstance(end, StoreAway):
            raise end
        return end


async def pass_time(duration_us: int) -> None:
    """Move the clock, and let whatever became due happen."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.passed_us += duration_us
    for _ in range(6):
        await asyncio.sleep(0)


async def test_it_comes_when_it_is_due_or_something_has_changed_or_the_store_was_away() -> None:
    sweeps = Sweeps(SECOND_US, HOUR_US, StoreAway("not now"), HOUR_US)
    changed, recorder = asyncio.Event(), Recorder()
    sweeping = asyncio.create_task(sweep_on(sweeps.sweep, changed, recorder, "sweeping"))
    await pass_time(0)
    assert sweeps.count == 1
    await pass_time(SECOND_US)
    assert sweeps.count == 2
    await pass_time(SECOND_US)
    assert sweeps.count == 2
    changed.set()
    await pass_time(0)
    assert [report.positional[0] for report in recorder.faults()] == ["sweeping"]
    await pass_time(LAND_RETRY_LONGEST_US)
    assert sweeps.count == 4
    sweeping.cancel()
    with suppress(asyncio.CancelledError):
        await sweeping
    changed.set()
    await pass_time(HOUR_US)
    assert sweeps.count == 4
