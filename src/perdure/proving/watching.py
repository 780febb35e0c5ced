"""What a node's engine reports of itself: figures for the report, and faults nobody caused."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from perdure.base.errors import StoreError
from perdure.base.observer import Activity, NullObserver, Subject
from perdure.proving.foreign import is_foreign
from perdure.proving.node import Node


class Watching(NullObserver):
    """The observer of one life of a node."""

    def __init__(
        self,
        node: Node,
        figures: Counter[str],
        accuse: Callable[[str], None],
        interrupt: Callable[[BaseException], None],
    ) -> None:
        """Count into `figures`, and accuse of faults that no injected one explains.

        What is no fault of anybody in the run is not one that is survived: it ends the run.
        """
        self._node = node
        self._interrupt = interrupt
        self._figures = figures
        self._accuse = accuse

    def turn_landed(self, subject: Subject, *, latency_us: int) -> None:
        del subject, latency_us
        self._count("turns")

    def activity_finished(self, subject: Subject, activity: Activity, **told: Any) -> None:
        del subject, activity, told
        self._count("activities")

    def late_completion_dropped(self, kind: str, **told: str) -> None:
        del kind, told
        self._count("answers dropped")

    def instance_stalled(self, subject: Subject, **told: Any) -> None:
        del subject, told
        self._count("stalls")

    def fault(self, where: str, error: BaseException) -> None:
        if is_foreign(error):
            self._interrupt(error)
            return
        self._count("faults survived")
        # A node in doubt finds the disk ahead of its memory, and says so.
        explained = isinstance(error, StoreError) or self._node.store.in_doubt
        if self._node.home.alive and not explained:
            self._accuse(f"{where}: {type(error).__name__}: {error}")

    def _count(self, what: str) -> None:
        if self._node.home.alive:
            self._figures[what] += 1
