"""One run: a phase in which anything may go wrong, then one in which everything must finish.

Theory of operation. In the first phase clients, workers and trouble do what the seed says, for as
long as the plan lasts. In the second nothing is injected any more, old workers are replaced by good
ones, and clients only give what is still waited for: the process goes on as it is, so that what it
has lost sight of stays unfinished and is seen. At last everything is purged, and nothing stays.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from perdure.base.time import HOUR_US, MINUTE_US, SECOND_US
from perdure.core import requests as rq
from perdure.core.notes import Shelf
from perdure.core.status import Status
from perdure.core.views import Wait
from perdure.proving.images import Image
from perdure.proving.plan import Plan
from perdure.proving.programs import EVENT_NAMES
from perdure.proving.report import Report, report_of
from perdure.proving.shared_disk import Cluster
from perdure.proving.workload import CLIENTS
from perdure.proving.world import MakeClock, World
from perdure.store.port import Store

SWEEP_US: Final = 15 * SECOND_US
_SWEEP_AGAIN_US: Final = 20_000
_LIVENESS_MAX_US: Final = 12 * HOUR_US
_AFTERWARDS_US: Final = 3 * HOUR_US
_NURSE: Final = "nurse"  # the client of the second phase


class Simulation:
    """One run, step by step."""

    def __init__(
        self, plan: Plan, store: Store, make_clock: MakeClock, cluster: Cluster | None = None
    ) -> None:
        """Nothing happens before `run`. Several nodes share `cluster`; `store` looks into it."""
        self.world = World(plan, store, make_clock, cluster)
        self.phase = "safety"
        self.swept = 0
        # Called once in each simulated minute, with the hours that have passed.
        self.on_progress: Callable[[float], object] = lambda _: None

    # ---- the whole

    def run(self) -> Report:
        """Run to the end, or to the first violation."""
        try:
            self._safety()
            if self._go_on("liveness"):
                self._liveness()
            if self._go_on("afterwards"):
                self._afterwards()
        finally:
            self.world.loop.close()
        return self.report()

    def report(self) -> Report:
        """Return what there is to tell so far."""
        return report_of(self.world, self.phase, self.swept)

    def _go_on(self, phase: str) -> bool:
        if self._over():
            return False
        self.phase = phase
        return True

    def _over(self) -> bool:
        return bool(self.world.court.violations)

    def _pass(self, duration_us: int) -> None:
        loop = self.world.loop
        until_us = loop.now_us + duration_us
        while not self._over() and loop.now_us < until_us:
            step_us = min(until_us, loop.now_us + MINUTE_US)
            loop.run_until(self._over, step_us)
            self.on_progress(loop.now_us / HOUR_US)

    # ---- the first phase

    def _safety(self) -> None:
        world = self.world
        world.loop.outside(0, world.begin)
        for client in CLIENTS:
            world.loop.outside(SECOND_US, self._ask, client)
        world.loop.outside(SECOND_US, self._deliver)
        world.loop.outside(SWEEP_US, self._sweep, 0)
        self._pass(world.plan.duration_us)

    def _ask(self, client: str) -> None:
        world = self.world
        if self.phase != "safety":
            return
        world.ask(client, world.workload.request(client, world.calls + 1))
        world.loop.outside(world.workload.pause_us(), self._ask, client)

    def _deliver(self) -> None:
        world = self.world
        if self.phase == "safety":
            world.broker.deliver()
            world.loop.outside(world.broker.pause_us(), self._deliver)

    def _sweep(self, attempt: int) -> None:
        world = self.world
        if world.is_quiet():
            self.swept += 1
            world.say("sweep", "")
            world.court.swept(world.nodes)
        elif attempt < 50:  # noqa: PLR2004 - it is not quiet every time
            world.loop.outside(_SWEEP_AGAIN_US, self._sweep, attempt + 1)
            return
        world.loop.outside(SWEEP_US, self._sweep, 0)

    # ---- the second phase

    def _liveness(self) -> None:
        world = self.world
        world.loop.outside(0, world.calm_down)
        began_us = world.loop.now_us
        while not self._over() and self._anything_is_left():
            if world.loop.now_us - began_us > _LIVENESS_MAX_US:
                for image in self._unfinished():
                    world.court.accuse("liveness", f"never finished: {_told(image)}")
                parked = world.disk.store.note_count(Shelf.PARKED)
                if parked:
                    world.court.accuse("liveness", f"{parked} starts are parked for ever")
                return
            self._pass(MINUTE_US)
            world.broker.deliver_again()
            for image in self._unfinished():
                self._nurse(image)

    def _anything_is_left(self) -> bool:
        store = self.world.disk.store
        parked = store.note_count(Shelf.PARKED)
        return bool(self._unfinished() or parked or not self.world.broker.idle)

    def _unfinished(self) -> list[Image]:
        return [each for each in self.world.disk.images.by_key.values() if not each.finished]

    def _nurse(self, image: Image) -> None:
        """Give an instance what only somebody outside can give."""
        world, snapshot = self.world, image.snapshot
        chance = Random(f"{world.plan.seed}:{world.calls}")
        if snapshot.suspended:
            world.ask(_NURSE, rq.Resume(instance_id=image.instance_id))
        elif image.key in world.auditor.tainted:
            world.ask(_NURSE, rq.Terminate(instance_id=image.instance_id))
        elif snapshot.head.waits_for == Wait.EVENT and not image.inbox:
            payload = f"event {_NURSE} {world.calls}"
            name = chance.choice(EVENT_NAMES)
            request = rq.RaiseEvent(instance_id=image.instance_id, name=name, input=payload)
            world.ask(_NURSE, request)

    # ---- the end

    def _afterwards(self) -> None:
        world = self.world
        self._pass(_AFTERWARDS_US)
        if not self._over():
            world.court.ended(world.nodes)
        for _ in range(3):
            for image in [*world.disk.images.by_key.values()]:
                world.ask(_NURSE, rq.Purge(instance_id=image.instance_id, recursive=False))
            self._pass(MINUTE_US)
        left = [_told(image) for image in world.disk.images.by_key.values()]
        left += [
            f"a row of '{row[0]}': {row[1:]}" for row in world.disk.store.dump() if _is_of(row)
        ]
        if left:
            world.court.accuse("P9", f"purged, and still there: {left}")


def _is_of(row: tuple[object, ...]) -> bool:
    """Tell whether a row of the store is there for the sake of an instance.

    What happened is told for a while, and receipts are kept after all that they were of.
    """
    return row[0] not in {"counters", "lifecycle"} and Shelf.RECEIPTS not in row[1:3]


def _told(image: Image) -> str:
    head = image.snapshot.head
    status = Status(image.snapshot.status).name
    waits = f"{head.waits_for}, {len(image.inbox)} unread, {len(image.open_tasks)} to run"
    return f"'{image.instance_id}' (key {image.key}) is {status}, waits for {waits}"
