"""Whatever workers decide: the state is the fold of the history, and a result counts once."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from perdure.base.errors import WorkerFault
from perdure.core import actions as act
from perdure.core.effects import CancelTimer, RunTask, SetTimer
from perdure.core.events import (
    Event,
    ExecutionTerminated,
    TaskCompleted,
    TaskFailed,
    TimerFired,
    WorkflowStarted,
)
from perdure.core.state import State, blank, fold
from perdure.core.turn import Closed, ContinuedAsNew, Stalled, close, takable, terminate
from tests.kit.histories import ME, started
from tests.kit.strategies import decisions, inbox_events

Turn = tuple[list[Event], act.Decision]
programs = st.lists(
    st.tuples(st.lists(inbox_events, max_size=4), decisions(ends=True)), min_size=1, max_size=8
)
steady = st.lists(
    st.tuples(st.lists(inbox_events, max_size=4), decisions(ends=False)), min_size=1, max_size=8
)


@dataclass
class Life:
    """An instance that takes turns, with its history beside its state."""

    state: State = field(default_factory=blank)
    history: list[Event] = field(default_factory=list)
    inbox: list[Event] = field(default_factory=lambda: [started()])
    effects: list[object] = field(default_factory=list)

    def take(self, arrived: list[Event], decision: act.Decision) -> None:
        """Take one turn, if the decision keeps to the protocol."""
        self.inbox += arrived
        verdicts = takable(self.state, self.inbox)
        batch = tuple(e for e, keep in zip(self.inbox, verdicts, strict=True) if keep)
        turn = WorkflowStarted(at_us=self.state.last_turn_us + 1)
        try:
            result = close(self.state, turn, batch, decision, ME)
        except WorkerFault:
            return
        assert result == close(self.state, turn, batch, decision, ME), "deciding is deterministic"
        self.inbox = []
        match result:
            case Closed():
                self.history += [result.turn, *batch, *result.recorded]
                self.effects += result.effects
                self.state = result.state
            case ContinuedAsNew():
                assert result.state == blank(self.state.generation + 1)
                self.history, self.effects = [], list(result.effects)
                self.state, self.inbox = result.state, list(result.begin)
            case Stalled():
                raise AssertionError("nobody told a patch")


@given(programs)
def test_the_state_is_the_fold_of_the_history(program: list[Turn]) -> None:
    life = Life()
    for arrived, decision in program:
        if life.state.finished:
            break
        generation, before = life.state.generation, list(life.history)
        life.take(arrived, decision)
        if life.state.generation == generation:
            assert life.history[: len(before)] == before, "a history is only ever appended to"
        assert life.state == fold(blank(life.state.generation), life.history)


@given(steady | programs)
def test_everything_awaited_has_been_scheduled_and_not_resolved(program: list[Turn]) -> None:
    """In its own generation: effects of an older one are none of this one's."""
    life = Life()
    for arrived, decision in program:
        life.take(arrived, decision)
        if life.state.finished:
            return  # timers beside a completion are not set
    running = {e.scheduled.event_id for e in life.effects if isinstance(e, RunTask)}
    assert set(life.state.open_tasks) <= running
    set_ = {e.created.event_id for e in life.effects if isinstance(e, SetTimer)}
    assert set(life.state.open_timers) <= set_
    cancelled = [e.timer_id for e in life.effects if isinstance(e, CancelTimer)]
    fired = [e.timer_id for e in life.history if isinstance(e, TimerFired)]
    scheduled = [e.created.event_id for e in life.effects if isinstance(e, SetTimer)]
    for timer_id in set(cancelled):
        assert cancelled.count(timer_id) <= scheduled.count(timer_id)
    assert all(timer_id in scheduled for timer_id in fired)


@given(steady, st.data())
def test_a_second_result_of_the_same_task_changes_nothing(
    program: list[Turn], data: st.DataObject
) -> None:
    """P2, as far as it is the core's."""
    life = Life()
    for arrived, decision in program:
        life.take(arrived, decision)
    results = [e for e in life.history if isinstance(e, TaskCompleted | TaskFailed)]
    if not results:
        return
    again = data.draw(st.sampled_from(results))
    if again.task_id in life.state.open_tasks:
        return  # it has been scheduled once more under its id, and may end once more
    assert takable(life.state, [again]) == [False]
    either = TaskFailed(at_us=9, task_id=again.task_id)
    assert takable(life.state, [either, again]) == [False, False]


@given(st.lists(inbox_events, max_size=12), steady)
def test_a_batch_resolves_each_thing_once(inbox: list[Event], program: list[Turn]) -> None:
    life = Life()
    for arrived, decision in program:
        life.take(arrived, decision)
    kept = [e for e, keep in zip(inbox, takable(life.state, inbox), strict=True) if keep]
    tasks = [e.task_id for e in kept if isinstance(e, TaskCompleted | TaskFailed)]
    assert len(tasks) == len(set(tasks))
    assert set(tasks) <= set(life.state.open_tasks)
    timers = [e.timer_id for e in kept if isinstance(e, TimerFired)]
    assert len(timers) == len(set(timers))
    assert takable(life.state, kept) == [True] * len(kept)


@given(steady, st.lists(inbox_events, max_size=4), st.booleans())
def test_terminate_ends_whatever_there_is(
    program: list[Turn], inbox: list[Event], recurse: bool
) -> None:
    life = Life()
    for arrived, decision in program:
        life.take(arrived, decision)
    order = ExecutionTerminated(at_us=9, input="out", recurse=recurse)
    result = terminate(life.state, (*life.inbox, *inbox, order), ME)
    assert result.state == fold(life.state, result.recorded)
    assert result.state.finished
    assert result.state.completed is not None
    assert result.state.completed.result == "out"
    assert result == terminate(life.state, (*life.inbox, *inbox, order), ME)
