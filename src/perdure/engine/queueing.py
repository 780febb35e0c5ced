"""Activities that are ready to be handed out, and those that are out.

What is here is on disk: an activity comes in only after the commit that scheduled it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from perdure.base.observer import Span
from perdure.core.events import TaskScheduled
from perdure.core.tracing import TraceContext
from perdure.engine.dispatcher import WorkStream
from perdure.engine.ready import ReadyQueue
from perdure.engine.reports import span_of
from perdure.engine.residents import Resident
from perdure.store.port import TaskAdd, TaskRow
from perdure.wire.events import decode

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

    @property
    def task_key(self) -> TaskKey:
        """What names it among all of the store's."""
        return self.key, self.add.generation, self.add.task_id

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


class TaskQueues:
    """The queues by app, those parked for a suspended instance, and those that are out."""

    def __init__(self, end_quietly: Callable[[Task], None]) -> None:
        """`end_quietly` ends an activity that is not to be run any more."""
        self._queues: dict[str, ReadyQueue[TaskKey, Task]] = {}
        self._parked: dict[int, list[Task]] = {}
        self._paused: set[int] = set()
        # By (instance id, task id), which is all that an answer without a token tells.
        self.out: dict[tuple[str, int], TaskOut] = {}
        # Those whose pair is out for an earlier life or generation: they wait for it.
        self._behind: dict[tuple[str, int], list[Task]] = {}
        self._end_quietly = end_quietly
        self.on_ready: Callable[[str], None] = lambda app_id: None  # noqa: ARG005 - the signature

    def of(self, app_id: str) -> ReadyQueue[TaskKey, Task]:
        """Return one app's queue."""
        queue = self._queues.get(app_id)
        if queue is None:
            queue = self._queues[app_id] = ReadyQueue()
        return queue

    def apps(self) -> list[str]:
        """Return the apps that have a queue."""
        return list(self._queues)

    @property
    def count(self) -> int:
        """How many activities are ready."""
        return sum(map(len, self._queues.values()))

    def add(self, resident: Resident, add: TaskAdd, scheduled: TaskScheduled) -> None:
        """Take in an activity that a turn scheduled."""
        span = task_span(resident, scheduled.trace)
        task = Task(
            resident.key, resident.instance_id, resident.identity.name, add, scheduled, span
        )
        self.push(task)

    def recover(self, row: TaskRow) -> None:
        """Take in an activity from the store, unless it is here already."""
        scheduled = decode(row.add.event)
        assert isinstance(scheduled, TaskScheduled), "a task's event is its schedule"
        if row.suspended:
            self._paused.add(row.key)
        span = span_of(scheduled.trace, None)
        task = Task(row.key, row.instance_id, "", row.add, scheduled, span, row.attempts)
        out = self.out.get(task.pair)
        if out is None or out.task.task_key != task.task_key:
            self.push(task)

    def push(self, task: Task, *, first: bool = False) -> None:
        """Make an activity ready, or park it while its instance is suspended."""
        if task.key in self._paused:
            self._parked.setdefault(task.key, []).append(task)
            return
        self.of(task.add.app_id).push(task.task_key, task, first=first)
        self.on_ready(task.add.app_id)

    def pause(self, key: int) -> None:
        """Hand out none of an instance's activities until it is resumed."""
        self._paused.add(key)

    def resume(self, key: int) -> None:
        """Make a resumed instance's activities ready again."""
        self._paused.discard(key)
        for task in self._parked.pop(key, ()):
            self.push(task)

    def must_wait(self, task: Task) -> bool:
        """Tell whether an activity has to stay behind, and put it where it waits."""
        if task.key in self._paused:
            self._parked.setdefault(task.key, []).append(task)
            return True
        if task.pair in self.out:
            self._behind.setdefault(task.pair, []).append(task)
            return True
        return False

    def came_back(self, out: TaskOut) -> None:
        """Note that an activity is not at its worker any more; whoever waited for that may go."""
        assert self.out.get(out.task.pair) is out, "what comes back was out"
        del self.out[out.task.pair]
        for task in self._behind.pop(out.task.pair, ()):
            self.push(task, first=True)

    def abandon(self, key: int) -> None:
        """End what a terminated instance still had to run."""
        self._paused.discard(key)
        for task in self._take_out(key):
            self._end_quietly(task)

    def forget(self, key: int) -> None:
        """Drop what an instance had to run that is gone from the store."""
        self._take_out(key)
        self._paused.discard(key)
        for out in list(self.out.values()):
            if out.task.key != key:
                continue
            out.void = True
            # A worker that echoes tokens cannot be mistaken for a later life's.
            if out.stream.echoes_tokens:
                self.came_back(out)

    def _take_out(self, key: int) -> list[Task]:
        taken = self._parked.pop(key, [])
        for queue in self._queues.values():
            taken += queue.take_where(lambda task_key: task_key[0] == key)
        for pair, waiting in list(self._behind.items()):
            taken += [task for task in waiting if task.key == key]
            self._behind[pair] = [task for task in waiting if task.key != key]
            if not self._behind[pair]:
                del self._behind[pair]
        return taken


def task_span(resident: Resident, trace: TraceContext | None) -> Span | None:
    """Return the span of an activity of a resident, below that of its execution."""
    started = resident.state.started
    return span_of(trace, None if started is None else started.span_id)
