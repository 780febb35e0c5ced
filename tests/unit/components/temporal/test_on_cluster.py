"""A cluster is looked at for as long as its component is open, whatever a look ends with."""

import asyncio

from typing_extensions import override

from perdure.app.clock import SystemClock
from perdure.base.time import SECOND_US
from perdure.components.temporal.bounds import HEALTH_CHECK_S
from perdure.components.temporal.component import TemporalComponent
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.on_cluster import Parts
from perdure.components.temporal.settings import TemporalSettings
from tests.kit.clock import VirtualLoop

SETTINGS = TemporalSettings(
    name="cluster",
    hostport="localhost:7233",
    namespace="default",
    identity="the tests",
    task_queue=None,
    workflow_types=(),
    tls=None,
    api_key=None,
)


class Looking(Connection):
    """A connection whose every second look ends as nobody expected."""

    looks = 0

    @override
    async def check(self) -> None:
        self.looks += 1
        if self.looks % 2:
            raise RuntimeError("nobody expected this")


class Watched(TemporalComponent):
    """A component that looks through `Looking`."""

    def __init__(self) -> None:
        super().__init__(SETTINGS, SystemClock(), app_id="app")
        self.looking = Looking(SETTINGS, SystemClock())
        parts = self._parts
        self._parts = Parts(
            connection=self.looking,
            runs=parts.runs,
            events=parts.events,
            changes=parts.changes,
            purges=parts.purges,
            tasks=parts.tasks,
        )


async def pass_time(duration_s: float) -> None:
    """Move the clock, and let whatever became due happen."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.passed_us += round(duration_s * SECOND_US)
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_look_that_fails_is_not_the_last() -> None:
    component = Watched()
    await component.open()
    await pass_time(0)
    for looks in range(1, 5):
        assert component.looking.looks == looks
        await pass_time(HEALTH_CHECK_S)
    await component.close()
    await pass_time(HEALTH_CHECK_S)
    assert component.looking.looks == looks + 1
