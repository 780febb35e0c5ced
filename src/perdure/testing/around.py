"""What an engine of a test is put into: the time of its loop, and somebody who hears of faults."""

from collections.abc import Callable

from perdure.base.errors import PerdureError, StoreError
from perdure.base.observer import NullObserver
from perdure.proving.loop import SimLoop
from perdure.proving.node import Node


class EngineBroken(PerdureError):
    """The engine itself did what it should not: this is a fault of perdure, not of the test."""


class LoopClock:
    """The wall clock of a test: the loop's time, from a beginning."""

    def __init__(self, loop: SimLoop, beginning_us: int) -> None:
        self._loop = loop
        self._beginning_us = beginning_us

    def now_us(self) -> int:
        return self._beginning_us + self._loop.now_us


class Hearing(NullObserver):
    """Hears of faults of the engine that no crash explains."""

    def __init__(self, node: Node, fail: Callable[[BaseException], None]) -> None:
        self._node = node
        self._home = node.home
        self._fail = fail

    def fault(self, where: str, error: BaseException) -> None:
        if self._home.alive and not isinstance(error, StoreError):
            broken = EngineBroken(f"{where}: {type(error).__name__}: {error}")
            broken.__cause__ = error
            self._fail(broken)
