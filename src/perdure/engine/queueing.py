"""Activities that are ready to be handed out, and those that are out.

What is here is on disk: an activity comes in only after the commit that scheduled it. It is in
one place at a time: in a queue, parked while its instance is suspended, blocked while too many of
its name are out, behind another of its pair, or out. `_live` names all of them, so that reading
the store again takes in none twice.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable
from contextlib import AbstractContextManager

from perdure.base.limits import READY_QUEUE_MAX
from perdure.base.observer import Span
from perdure.core.events import TaskScheduled
from perdure.core.tracing import TraceContext
from perdure.engine.blocked import Blocked
from perdure.engine.fillings import Fillings
from perdure.engine.ownership import ALONE, Ownership
from perdure.engine.ready import ReadyByApp
from perdure.engine.reports import span_of
from perdure.engine.residents import Resident
from perdure.engine.task import Task, TaskKey, TaskOut, take_where
from perdure.store.leases import Term
from perdure.store.port import TaskAdd, TaskRow
from perdure.wire.events import decode_stored

__all__ = ["Task", "TaskKey", "TaskOut", "TaskQueues", "task_span"]


class TaskQueues(ReadyByApp[TaskKey, Task]):
    """The queues by app, those parked for a suspended instance, and those that are out."""

    def __init__(self, most: int = READY_QUEUE_MAX, owner: Ownership = ALONE) -> None:
        """Begin empty; each app's queue holds up to `most`, of what `owner` owns."""
        super().__init__(most)
        self._owner = owner
        self._parked: dict[int, list[Task]] = {}
        self._paused: set[int] = set()
        # By (instance id, task id), which is all that an answer without a token tells.
        self._out: dict[tuple[str, int], TaskOut] = {}
        # By token, those of an earlier life or generation whose worker tells them apart by it.
        self._displaced: dict[str, TaskOut] = {}
        # Those whose pair is out at a worker that does not: they wait for it.
        self._behind: dict[tuple[str, int], list[Task]] = {}
        self.blocked: Blocked[TaskKey, Task] = Blocked()
        self._resting: dict[TaskKey, list[Task]] = {}  # those whose next hand-out has to wait
        self._live: dict[TaskKey, Task] = {}
        self._live_of: Counter[int] = Counter()  # how many of them each instance has
        self._fillings = Fillings()
        self.on_ready: Callable[[str], None] = lambda app_id: None  # noqa: ARG005 - the signature

    def add(self, resident: Resident, add: TaskAdd, scheduled: TaskScheduled) -> None:
        """Take in an activity that a turn scheduled, if it is to be run from here."""
        if not self._owner.owns(add.app_id, resident.instance_id):
            return
        # Whoever has suspended or resumed it elsewhere is heard of by its resident first.
        self.set_paused(resident.key, paused=resident.suspended)
        span = task_span(resident, scheduled.trace)
        task = Task(
            resident.key, resident.instance_id, resident.identity.name, add, scheduled, span
        )
        self.push(task)

    def filling(self) -> AbstractContextManager[None]:
        """Rows read from the store within this may be out of date when they are taken in."""
        return self._fillings.under_way()

    def recover(self, row: TaskRow) -> bool:
        """Take in an activity from the store, unless it is here already or has ended since.

        One that is to be run from elsewhere is left alone. Tells whether there was room.
        """
        if not self._owner.owns(row.add.app_id, row.instance_id):
            return True
        scheduled = decode_stored(row.add.event)
        assert isinstance(scheduled, TaskScheduled), "a task's event is its schedule"
        span = span_of(scheduled.trace, None)
        task = Task(row.key, row.instance_id, "", row.add, scheduled, span, row.attempts)
        key = task.task_key
        if key in self._live or self._fillings.has_ended(key):
            return True
        self.push(task)
        return key in self._live

    def push(self, task: Task, *, first: bool = False) -> None:
        """Make an activity ready, or park it while its instance is suspended."""
        if task.term is not None and not self._owner.goes_on(task.term):
            return  # it has been let go of while it rested; what is ours anew is read anew
        if task.task_key not in self._live:
            task.term = self._owner.term_of(task.add.app_id, task.instance_id)
            self._live[task.task_key] = task
            self._live_of[task.key] += 1
        if task.key in self._paused:
            self._parked.setdefault(task.key, []).append(task)
            return
        if not self.of(task.add.app_id).push(task.task_key, task, first=first):
            self._dead(task)
        self.on_ready(task.add.app_id)

    @property
    def paused(self) -> frozenset[int]:
        """The instances of which nothing is handed out."""
        return frozenset(self._paused)

    def set_paused(self, key: int, *, paused: bool) -> None:
        """Pause or resume an instance's activities, as it is on disk."""
        if paused:
            self.pause(key)
        elif key in self._paused and key not in self._fillings.paused:
            self.resume(key)

    def pause(self, key: int) -> None:
        """Hand out none of an instance's activities until it is resumed."""
        self._paused.add(key)
        self._fillings.note(self._fillings.paused, key)

    def may_have(self, key: int) -> bool:
        """Tell whether activities of an instance are here, or may be just being read."""
        return bool(self._live_of.get(key)) or self._fillings.are_under_way

    def keys(self) -> frozenset[int]:
        """Return the instances of which activities are here."""
        return frozenset(self._live_of)

    def resume(self, key: int) -> None:
        """Make a resumed instance's activities ready again."""
        self._paused.discard(key)
        for task in self._parked.pop(key, ()):
            self.push(task)

    def must_wait(self, task: Task) -> bool:
        """Tell whether an activity has to stay behind, and put it where it waits.

        One that is to be run from elsewhere by now stays behind for good.
        """
        if not self._owner.goes_on(task.term):
            self._dead(task)
            return True
        if task.key in self._paused:
            self._parked.setdefault(task.key, []).append(task)
            return True
        # When one has made room, one that was behind it may have taken that.
        while (out := self._out.get(task.pair)) is not None:
            if not self._displace(out):
                self._behind.setdefault(task.pair, []).append(task)
                return True
        return False

    def block(self, task: Task) -> None:
        """Let an activity wait until fewer of its name are out."""
        self.blocked.add(task.add.app_id, task.add.name, task.task_key, task)

    def rest(self, task: Task) -> None:
        """Let an activity wait until `wake` is called for it."""
        self._resting[task.task_key] = [task]

    def wake(self, key: TaskKey) -> None:
        """Make an activity ready that has waited, unless it has ended meanwhile."""
        for task in self._resting.pop(key, ()):
            self.push(task)

    # ---- at workers

    def went_out(self, out: TaskOut) -> None:
        """Note that an activity is at a worker."""
        assert out.task.pair not in self._out, "one of a pair is out at a time"
        self._out[out.task.pair] = out

    def find_out(self, instance_id: str, task_id: int, token: str) -> TaskOut | None:
        """Return what an answer is about: by its token, or without one by its pair."""
        out = self._out.get((instance_id, task_id))
        if not token or (out is not None and out.token == token):
            return out
        out = self._displaced.get(token)
        return out if out is not None and out.task.pair == (instance_id, task_id) else None

    def all_out(self) -> Iterable[TaskOut]:
        """Return everything that is at a worker."""
        return [*self._out.values(), *self._displaced.values()]

    def came_back(self, out: TaskOut) -> None:
        """Note that an activity is not at its worker any more; whoever waited for that may go."""
        if self._displaced.pop(out.token, None) is not None:
            return
        assert self._out.get(out.task.pair) is out, "what comes back was out"
        del self._out[out.task.pair]
        self._follow(out)

    def ended(self, task: Task) -> None:
        """Note that an activity has ended in the store, or is of no more use to anybody."""
        self._dead(task)
        self._fillings.note_ended(task.task_key)

    def forget(self, key: int) -> None:
        """Drop what an instance had to run whose rows are gone: it is purged or terminated."""
        self._paused.discard(key)
        self._fillings.note(self._fillings.gone, key)
        if not self._live_of.get(key):
            return
        for task in self._taken_out(key):
            self.ended(task)
        for out in self.all_out():
            if out.task.key == key:
                self.ended(out.task)
                self._void(out)

    def keep_only(self, key: int, names: Container[tuple[int, int]]) -> None:
        """Drop what an instance had to run but what is named: its generations and task ids."""
        if not self._live_of.get(key):
            return
        wrong = {each for each in self._live if each[0] == key and each[1:] not in names}
        if wrong:
            self._drop(lambda task: task.task_key in wrong)

    def let_go(self, terms: Container[Term | None]) -> None:
        """Drop what is held under terms that are over; who has them next reads it anew."""
        keys = self._drop(lambda task: task.term in terms)
        for task in [task for task in self._live.values() if task.term in terms]:
            self._dead(task)  # it was nowhere, waiting to be tried again
            keys.add(task.key)
        self._paused -= {key for key in keys if not self._live_of.get(key)}

    def out_under(self, terms: Container[Term | None]) -> bool:
        """Tell whether an activity is out of what is held under some terms."""
        return any(out.task.term in terms and not out.void for out in self.all_out())

    def _drop(self, wanted: Callable[[Task], bool]) -> set[int]:
        """Drop activities, and return the instances that they are of."""
        taken = take_where(self._parked, wanted)
        taken += take_where(self._behind, wanted)
        taken += take_where(self._resting, wanted)
        for queue in self._queues.values():
            taken += [task for task in queue.values() if wanted(task)]
            queue.take_where({task.task_key for task in taken}.__contains__)
        taken += self.blocked.take_where(lambda _, task: wanted(task))
        outs = [out for out in self.all_out() if wanted(out.task)]
        for task in [*taken, *(out.task for out in outs)]:
            self._dead(task)
        for out in outs:
            self._void(out)
        return {task.key for task in [*taken, *(out.task for out in outs)]}

    def _dead(self, task: Task) -> None:
        if self._live.get(task.task_key) is task:
            del self._live[task.task_key]
            self._live_of[task.key] -= 1
            if not self._live_of[task.key]:
                del self._live_of[task.key]

    def _void(self, out: TaskOut) -> None:
        """Note that nobody wants what an activity comes to, and tell its worker."""
        if not out.void:
            out.void = True
            out.stream.on_recall(out.token)
        self._displace(out)

    def _displace(self, out: TaskOut) -> bool:
        """Make room for another of the same pair, if the worker's answer will tell them apart."""
        if not out.stream.echoes_tokens:
            return False
        if self._out.get(out.task.pair) is out:
            del self._out[out.task.pair]
            self._displaced[out.token] = out
            self._follow(out)
        return True

    def _follow(self, out: TaskOut) -> None:
        for task in self._behind.pop(out.task.pair, ()):
            self.push(task, first=True)

    def _taken_out(self, key: int) -> list[Task]:
        taken = self._parked.pop(key, [])
        for queue in self._queues.values():
            taken += queue.take_where(lambda task_key: task_key[0] == key)
        taken += take_where(self._behind, lambda task: task.key == key)
        taken += self.blocked.take_where(lambda task_key, _: task_key[0] == key)
        taken += take_where(self._resting, lambda task: task.key == key)
        return taken


def task_span(resident: Resident, trace: TraceContext | None) -> Span | None:
    """Return the span of an activity of a resident, below that of its execution."""
    started = resident.state.started
    return span_of(trace, None if started is None else started.span_id)
