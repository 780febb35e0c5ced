"""Testing workflows: the real engine in memory, with time that jumps and faults on purpose."""

from perdure.testing.doubles import TooManyRuns, in_turn
from perdure.testing.engine import InvariantBroken, VirtualEngine
from perdure.testing.faults import BrokenByFaults, faults
from perdure.testing.instances import VirtualInstance, WorkflowWaits
from perdure.testing.runs import ActivityRun
from perdure.testing.standing_in import stand_in_for_dapr
from perdure.testing.world import NotIdle

__all__ = [
    "ActivityRun",
    "BrokenByFaults",
    "InvariantBroken",
    "NotIdle",
    "TooManyRuns",
    "VirtualEngine",
    "VirtualInstance",
    "WorkflowWaits",
    "faults",
    "in_turn",
    "stand_in_for_dapr",
]
