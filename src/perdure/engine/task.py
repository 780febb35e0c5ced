"""One activity that has not ended, as whoever hands it out holds it in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from perdure.base.observer import Span, Subject
from perdure.core.events import TaskScheduled
from perdure.engine.dispatcher import WorkStream
from perdure.engine.losses import Losses
from perdure.store.leases import Term
from perdure.store.port import HandOut, TaskAdd

W = TypeVar("W")

TaskKey = tuple[int, int, int]  # instance key, generation, task id


@dataclass(slots=True, eq=False)
class Task:
    """One activity that has not ended."""

    key: int
    instance_id: str
    workflow_name: str
    add: TaskAdd
    scheduled: TaskScheduled
    span: Span | None = None
    attempts: int = 0
    term: Term | None = None  # under which it is held, where others could hold it
    losses: Losses = field(default_factory=Losses)

    @property
    def task_key(self) -> TaskKey:
        """What names it among all of the store's."""
        return self.key, self.add.generation, self.add.task_id

    def subject(self, app_id: str) -> Subject:
        """Return its instance as the observer knows it."""
        return Subject(self.instance_id, self.workflow_name, app_id)

    @property
    def pair(self) -> tuple[str, int]:
        """What names it in a worker's answer."""
        return self.instance_id, self.add.task_id


@dataclass(slots=True, eq=False)
class TaskOut:
    """An activity at a worker. A void one belongs to an instance that is gone."""

    task: Task
    stream: WorkStream
    token: str
    handed_out_at_us: int
    landing: bool = False
    void: bool = False

    @property
    def unnoted(self) -> HandOut | None:
        """What is to be noted of it together with its end, if that has not been noted before."""
        return None


def take_where(waiting: dict[W, list[Task]], wanted: Callable[[Task], bool]) -> list[Task]:
    """Take activities out of lists."""
    taken: list[Task] = []
    for name, tasks in list(waiting.items()):
        taken += [task for task in tasks if wanted(task)]
        waiting[name] = [task for task in tasks if not wanted(task)]
        if not waiting[name]:
            del waiting[name]
    return taken
