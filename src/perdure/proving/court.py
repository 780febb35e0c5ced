"""The court: every checker is shown everything, and what they accuse is kept."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from perdure.core.status import Status
from perdure.proving.auditor import Auditor, HandOut
from perdure.proving.calls import Call
from perdure.proving.checkers.base import Checker, Violation
from perdure.proving.checkers.deliveries import Messages
from perdure.proving.checkers.memory import Memory
from perdure.proving.checkers.owners import Owners
from perdure.proving.checkers.p1_acknowledged import Acknowledged
from perdure.proving.checkers.p2_one_result import OneResult
from perdure.proving.checkers.p3_runs import Runs
from perdure.proving.checkers.p4_no_stuck import NoStuckRun
from perdure.proving.checkers.p5_single_writer import SingleWriter
from perdure.proving.checkers.p6_order import Order
from perdure.proving.checkers.p7_replay import Replay
from perdure.proving.checkers.p8_cause_first import CauseFirst
from perdure.proving.checkers.p9_growth import Growth
from perdure.proving.checkers.replies import Replies
from perdure.proving.disk import Commit
from perdure.proving.node import Node
from perdure.proving.trace import Trace

VIOLATIONS_MAX: Final = 20


class Court:
    """All checkers of one run, and what they have found."""

    def __init__(
        self,
        auditor: Auditor,
        trace: Trace,
        retention_us: Mapping[Status, int],
        now_us: Callable[[], int],
    ) -> None:
        """Begin with nobody accused."""
        self.violations: list[Violation] = []
        self._trace = trace
        self.replies = Replies(auditor, self.accuse)
        self.replay = Replay(auditor, self.accuse)
        self._checkers: tuple[Checker, ...] = (
            Acknowledged(auditor, self.accuse, retention_us),
            OneResult(auditor, self.accuse),
            Runs(auditor, self.accuse),
            NoStuckRun(auditor, self.accuse),
            SingleWriter(auditor, self.accuse),
            Order(auditor, self.accuse),
            self.replay,
            CauseFirst(auditor, self.accuse),
            Growth(auditor, self.accuse, retention_us, now_us),
            Memory(auditor, self.accuse),
            Messages(auditor, self.accuse),
            Owners(auditor, self.accuse),
            self.replies,
        )

    def accuse(self, promise: str, text: str) -> None:
        """Keep what was found."""
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(Violation(promise, text, self._trace.step))

    def landed(self, commit: Commit) -> None:
        for checker in self._checkers:
            checker.landed(commit)

    def handed_out(self, node: Node, out: HandOut) -> None:
        for checker in self._checkers:
            checker.handed_out(node, out)

    def answered(self, node: Node, call: Call) -> None:
        for checker in self._checkers:
            checker.answered(node, call)

    def told(self, node: Node, keys: Sequence[int]) -> None:
        for checker in self._checkers:
            checker.told(node, keys)

    def swept(self, nodes: Sequence[Node]) -> None:
        for checker in self._checkers:
            checker.swept(nodes)

    def ended(self, nodes: Sequence[Node]) -> None:
        for checker in self._checkers:
            checker.ended(nodes)
