"""What befalls nodes, workers, clocks and the disk while time passes, as the odds say."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from perdure.base.time import SECOND_US
from perdure.proving.disk import Disk
from perdure.proving.loop import SimLoop
from perdure.proving.node import Node
from perdure.proving.shared_disk import Ways
from perdure.proving.workers import SimWorker

_SECONDS_A_MINUTE: Final = 60
# How far the clocks of several nodes may be from that of the world, from the start on.
_AHEAD_US: Final = (0, 0, -SECOND_US // 5, 2 * SECOND_US, -180 * SECOND_US, 400 * SECOND_US)


class Weather:
    """Looks once a second whether something befalls somebody."""

    def __init__(self, loop: SimLoop, disk: Disk, chance: Random) -> None:
        """Whoever composes the world sets who is there, and what can be done to them."""
        self.shift_us = 0  # how far the wall clock is from the simulated time
        self.nodes: Sequence[Node] = ()
        self.workers: Callable[[], Sequence[SimWorker]] = tuple
        self.on_gone: Callable[[SimWorker], None]
        self.on_cut: Callable[[SimWorker], None]
        self._loop = loop
        self._disk = disk
        self._chance = chance
        self._calm = False
        self.ways: Ways | None = None  # where several nodes share the disk

    def scatter_clocks(self) -> None:
        """Let each of several nodes have a time of its own."""
        if self.ways is not None:
            for node in self.nodes:
                node.ahead_us = self.ways.chance.choice(_AHEAD_US)

    def begin(self) -> None:
        """Begin to look."""
        self._loop.outside(SECOND_US, self._look)

    def calm_down(self) -> None:
        """Let nothing more go wrong."""
        self._calm = True
        self._disk.trouble.full = self._disk.trouble.slow = False
        if self.ways is not None:
            self.ways.odds["news_lost"] = 0.0
            for node in self.nodes:
                self._mend(node)

    def _look(self) -> None:
        if self._calm:
            return
        for node in self.nodes:
            if node.up:
                self._befall(node)
        workers = [worker for worker in self.workers() if worker.alive]
        if workers and self._happens("worker_gone"):
            self.on_gone(self._chance.choice(workers))
        if workers and self._happens("stream_cut"):
            self.on_cut(self._chance.choice(workers))
        self._befall_disk()
        if self._happens("clock_jumped"):
            self._set_clock(self._chance.randrange(-300, 300) * SECOND_US)
        self._befall_all_ways()
        self._loop.outside(SECOND_US, self._look)

    def _set_clock(self, jump_us: int) -> None:
        if self.ways is None:
            self.shift_us += jump_us
        else:
            self.ways.chance.choice(self.nodes).ahead_us += jump_us

    def _befall(self, node: Node) -> None:
        # Until it is restarted, its memory and the disk may differ: nobody leaves it so for long.
        doubtful = node.store.in_doubt and self._chance.random() < 0.2  # noqa: PLR2004 - how likely it is
        if self._happens("crash"):
            node.kill("crash")
        elif doubtful or self._happens("stop"):
            node.stop()

    def _befall_disk(self) -> None:
        trouble = self._disk.trouble
        if not trouble.full and self._happens("disk_full"):
            trouble.full = True
            self._loop.outside(self._chance.randrange(1, 20) * SECOND_US, self._space)
        if not trouble.slow and self._happens("slow_store"):
            trouble.slow = True
            self._loop.outside(self._chance.randrange(1, 30) * SECOND_US, self._fast)

    # ---- what lies between several nodes

    def _befall_all_ways(self) -> None:
        if self.ways is not None:
            for node in self.nodes:
                if node.up:
                    self._befall_ways(node, self.ways)

    def _befall_ways(self, node: Node, ways: Ways) -> None:
        """Cut a node off from the store or from everybody else, or let it stand still."""
        chance = ways.chance
        if chance.random() * _SECONDS_A_MINUTE < ways.odds["cut"]:
            self._disk.on_fault("cut_from_store")
            asks, hears = chance.choice(((True, True), (True, False), (False, True)))
            node.shared.asks_in_vain, node.shared.hears_nothing = asks, hears
            self._loop.outside(chance.randrange(1, 25) * SECOND_US, self._mend, node)
        stands = node.stopped_until_us > self._loop.now_us
        if chance.random() * _SECONDS_A_MINUTE < ways.odds["stopped"] and not stands:
            self._disk.on_fault("stood_still")
            node.stand_still(chance.randrange(1, 20) * SECOND_US)
        if chance.random() * _SECONDS_A_MINUTE < ways.odds["secluded"]:
            self._disk.on_fault("secluded")
            node.secluded = True
            for worker in [each for each in self.workers() if each.stream in node.links]:
                self.on_cut(worker)
            self._loop.outside(chance.randrange(1, 25) * SECOND_US, self._mend, node)

    def _mend(self, node: Node) -> None:
        node.secluded = False
        if node.running:
            node.shared.asks_in_vain = node.shared.hears_nothing = False

    def _space(self) -> None:
        self._disk.trouble.full = False

    def _fast(self) -> None:
        self._disk.trouble.slow = False

    def _happens(self, kind: str) -> bool:
        if self._chance.random() * _SECONDS_A_MINUTE >= getattr(self._disk.odds, kind):
            return False
        self._disk.on_fault(kind)
        return True
