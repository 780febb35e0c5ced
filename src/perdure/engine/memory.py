"""What an owner holds in memory, for the rooms that have to do with all of it."""

from dataclasses import dataclass

from perdure.engine.inboxes import Inboxes, ReadyTurns
from perdure.engine.queueing import TaskQueues
from perdure.engine.residents import Residents
from perdure.engine.timers import Timers
from perdure.engine.turns import Turns


@dataclass(frozen=True, slots=True)
class Memory:
    """Instances, those that are ready, activities, turns, and when to look for timers."""

    residents: Residents
    inboxes: Inboxes
    ready: ReadyTurns
    tasks: TaskQueues
    turns: Turns
    timers: Timers
