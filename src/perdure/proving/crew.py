"""The crew of a simulated node: its writer lands batches in simulated time, its ids are drawn.

As with the thread of a server, a batch is taken when the one before it has landed, whether or not
the loop has heard of that one; what is told is told in order.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from random import Random

from perdure.base.limits import COMMIT_ENTRIES_MAX
from perdure.engine.crew import Land, Pending, Results, Tell, Writer
from perdure.proving.loop import Home, SimLoop


class SimWriter:
    """Lands batches while its home lives."""

    def __init__(self, crew: "SimCrew", land: Land, tell: Tell) -> None:
        """Begin with nothing to land."""
        self._crew = crew
        self._land = land
        self._tell = tell
        self._waiting: list[Pending] = []
        self._busy = False
        self._telling = 0  # batches that have landed and are not told yet
        self._last_told_us = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def idle(self) -> bool:
        """Whether nothing waits, is being landed or is to be told."""
        return not self._waiting and not self._busy and not self._telling

    def start(self) -> None:
        self._go()

    def put(self, pending: list[Pending]) -> None:
        self._waiting += pending
        self._idle.clear()
        self._go()

    def waiting(self) -> int:
        return len(self._waiting)

    async def stop(self) -> None:
        self._go()
        if not self.idle:
            await self._idle.wait()

    def _go(self) -> None:
        if self._waiting and not self._busy:
            self._busy = True
            batch = self._waiting[:COMMIT_ENTRIES_MAX]
            del self._waiting[: len(batch)]
            self._crew.loop.call_in(self._crew.delay_us(), self._write, batch)
        elif self.idle:
            self._idle.set()

    def _write(self, batch: list[Pending]) -> None:
        before = self._crew.step()
        results = self._land(batch)
        if not self._crew.home.alive:
            return
        touched = self._crew.take_touched()
        self._crew.untold.update(touched)
        self._crew.landed_steps.append(before)
        told_us = max(self._last_told_us, self._crew.loop.now_us + self._crew.delay_us() // 4 + 1)
        self._last_told_us = told_us
        self._telling += 1
        self._crew.loop.call_in(
            told_us - self._crew.loop.now_us, self._told, batch, results, touched
        )
        self._busy = False
        self._go()

    def _told(self, batch: list[Pending], results: Results, touched: tuple[int, ...]) -> None:
        self._tell(batch, results, 0)
        # What was handed out while some of the batch was still to be told is sent before this.
        self._crew.loop.call_soon(self._known, touched)

    def _known(self, touched: tuple[int, ...]) -> None:
        self._telling -= 1
        self._crew.untold.subtract(touched)
        self._crew.landed_steps.popleft()
        self._go()
        self._crew.on_told(touched)


class SimCrew:
    """The crew of one life of a node."""

    writing: SimWriter

    def __init__(self, loop: SimLoop, home: Home, ids: Random, delay_us: Callable[[], int]) -> None:
        """Draw ids from `ids`; `delay_us` tells how long the disk takes for each step."""
        self.loop = loop
        self.home = home
        self.delay_us = delay_us
        self.on_told: Callable[[tuple[int, ...]], None] = lambda _: None
        self.step: Callable[[], int] = int
        self.landed_steps: deque[int] = deque()  # of the batches that the engine has yet to hear of
        self.take_touched: Callable[[], tuple[int, ...]] = tuple
        # Instances that have changed on disk, and how many changes the engine has yet to hear of.
        self.untold: Counter[int] = Counter()
        self._ids = ids

    def fresh_id(self) -> str:
        return f"{self._ids.getrandbits(128):032x}"

    def writer(self, land: Land, tell: Tell) -> Writer:
        self.writing = SimWriter(self, land, tell)
        return self.writing
