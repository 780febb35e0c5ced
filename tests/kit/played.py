"""A workflow played against the real core: turns closed, histories folded, results as wanted."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from perdure.authoring.divergence import Divergence
from perdure.authoring.registry import Registry
from perdure.authoring.replay import Replayer
from perdure.base.time import SECOND_US, is_never
from perdure.core import events as ev
from perdure.core.actions import Action, Complete, Decision
from perdure.core.applying import Caller
from perdure.core.state import State, blank, fold
from perdure.core.status import Status
from perdure.core.turn import Closed, ContinuedAsNew, close
from perdure.wire.fields import failure_of

START_US = 1_790_000_000 * SECOND_US
APP = "wfapp"


def replayer_of(registry: Registry, *, kept_max: int = 100) -> Replayer:
    """A replayer that reads failures as the wire has them."""
    return Replayer(registry, failure_of=failure_of, kept_max=kept_max)


class Played:
    """One instance. What it decided and what has happened to it can be looked at."""

    def __init__(
        self,
        replayer: Replayer,
        name: str,
        text: str | None = None,
        instance_id: str = "one",
        *,
        version: str | None = None,
    ) -> None:
        self.replayer = replayer
        self.instance_id = instance_id
        self.history: list[ev.Event] = []
        self.state: State = blank()
        self.now_us = START_US
        self.decisions: list[Decision] = []
        self.batches: list[tuple[list[ev.Event], list[ev.Event]]] = []
        self.inbox: list[ev.Event] = [
            ev.ExecutionStarted(
                at_us=START_US,
                name=name,
                instance_id=instance_id,
                execution_id="first",
                version=version,
                input=text,
                router=ev.Router(APP),
            )
        ]

    def turn(self, *events: ev.Event) -> Decision:
        """Hand out what is in the inbox and the events; close the turn with what is decided."""
        decision = self.decide(*events)
        assert isinstance(decision, Decision), decision
        self.land(decision)
        return decision

    def decide(self, *events: ev.Event) -> Decision | Divergence:
        """Hand out a turn, and leave it open."""
        self.now_us += SECOND_US
        self.inbox += events
        new = [ev.WorkflowStarted(at_us=self.now_us), *self.inbox]
        past = list(self.history)
        self.batches.append((past, new))
        key = (self.instance_id, self.state.generation)
        return self.replayer.decide(key, len(past), lambda: past, new)

    def land(self, decision: Decision) -> None:
        """Close the turn that is open."""
        self.decisions.append(decision)
        caller = Caller(self.instance_id, APP, self.now_us)
        started = ev.WorkflowStarted(at_us=self.now_us)
        closed = close(self.state, started, tuple(self.inbox), decision, caller)
        match closed:
            case Closed():
                self.history += [closed.turn, *self.inbox, *closed.recorded]
                self.state = closed.state
                self.inbox = []
                assert self.state == fold(blank(self.state.generation), self.history)
            case ContinuedAsNew():
                self.history = []
                self.state = closed.state
                self.inbox = list(closed.begin)
            case _:
                raise AssertionError(closed)

    def to_the_end(self, result: "Results | None" = None, turns_max: int = 1_000) -> "Played":
        """Play turns until it has ended: activities return what `result` says of them."""
        for _ in range(turns_max):
            self.turn()
            if self.state.finished:
                return self
            if not self.inbox:
                self.inbox = self.next_events(result)
        raise AssertionError(f"{turns_max} turns were not enough")

    def next_events(self, result: "Results | None") -> list[ev.Event]:
        """What happens next of itself: every open activity and child ends, or a timer fires."""
        ends: list[ev.Event] = [_end_of(task, result) for task in self.state.open_tasks.values()]
        for child in self.state.open_children.values():
            end = _end_of(replace_name(child), result)
            ends.append(_of_child(end))
        if ends:
            return ends
        due = [t for t in self.state.open_timers.values() if not is_never(t.fire_at_us)]
        assert due, f"nothing will ever happen: {self.state}"
        first = min(due, key=lambda timer: (timer.fire_at_us, timer.event_id))
        self.now_us = max(self.now_us, first.fire_at_us)
        return [
            ev.TimerFired(at_us=self.now_us, timer_id=first.event_id, fire_at_us=first.fire_at_us)
        ]

    @property
    def output(self) -> str | None:
        """What it has returned, as text."""
        completed = self.completed
        assert completed.status is Status.COMPLETED, completed
        return completed.result

    @property
    def failure(self) -> ev.Failure:
        """What it has failed with."""
        completed = self.completed
        assert completed.status is Status.FAILED, completed
        assert isinstance(completed.failure, ev.Failure)
        return completed.failure

    @property
    def completed(self) -> ev.ExecutionCompleted:
        """How it has ended."""
        assert self.state.completed is not None, "it has not ended"
        return self.state.completed


Results = Callable[[ev.TaskScheduled], "str | ev.Failure | None"]


def done(task_id: int, result: str | None = None) -> ev.TaskCompleted:
    """An activity's result."""
    return ev.TaskCompleted(at_us=START_US, task_id=task_id, result=result)


def broken(task_id: int, failure: ev.AnyFailure) -> ev.TaskFailed:
    """An activity's failure."""
    return ev.TaskFailed(at_us=START_US, task_id=task_id, failure=failure)


def raised(name: str, text: str | None = None) -> ev.EventRaised:
    """An external event."""
    return ev.EventRaised(at_us=START_US, name=name, input=text)


def fired(timer_id: int) -> ev.TimerFired:
    """A timer's moment."""
    return ev.TimerFired(at_us=START_US, timer_id=timer_id, fire_at_us=START_US)


def failure(error_type: str, message: str) -> ev.Failure:
    """What a worker tells of an exception."""
    return ev.Failure(error_type, message, non_retriable=False)


def replace_name(child: ev.ChildCreated) -> ev.TaskScheduled:
    """A child as a task, for those who say what it returns."""
    return ev.TaskScheduled(
        at_us=child.at_us, event_id=child.event_id, name=child.name, input=child.input
    )


def _of_child(end: ev.TaskCompleted | ev.TaskFailed) -> ev.Event:
    if isinstance(end, ev.TaskCompleted):
        return ev.ChildCompleted(at_us=end.at_us, task_id=end.task_id, result=end.result)
    return ev.ChildFailed(at_us=end.at_us, task_id=end.task_id, failure=end.failure)


def _end_of(task: ev.TaskScheduled, result: Results | None) -> ev.TaskCompleted | ev.TaskFailed:
    outcome = task.input if result is None else result(task)
    if isinstance(outcome, ev.Failure):
        return broken(task.event_id, outcome)
    return done(task.event_id, outcome)


def decided_afresh(
    registry: Registry, past: Sequence[ev.Event], new: Sequence[ev.Event]
) -> Decision | Divergence:
    """What a replayer decides that has never seen the instance."""
    return replayer_of(registry).decide("anew", len(past), lambda: past, new)


def without_trace(decision: Decision | Divergence) -> Decision | Divergence:
    """A decision without where its failure came from, which tells how the code was led there."""
    if isinstance(decision, Divergence):
        return decision
    return replace(decision, actions=tuple(map(_without_trace, decision.actions)))


def _without_trace(action: Action) -> Action:
    if isinstance(action, Complete) and isinstance(action.failure, ev.Failure):
        return replace(action, failure=replace(action.failure, stack_trace=None))
    return action
