"""The instance within a run: its inbox, the frozen batch, generations, stalls and open ends."""

import pytest

from perdure.base.errors import WorkerFault
from perdure.bridge.instance import BATCH_BYTES_MAX, Instance, Item
from perdure.bridge.past import Past
from perdure.core import actions as act
from perdure.core.effects import RunTask, SetTimer
from perdure.core.events import (
    Event,
    EventRaised,
    ExecutionStarted,
    ExecutionTerminated,
    PropagationScope,
    TaskCompleted,
)
from perdure.core.state import blank, fold
from perdure.core.status import Status
from perdure.core.turn import Closed, ContinuedAsNew, Stalled
from perdure.wire.events import decode, encode

STARTED = ExecutionStarted(at_us=1, name="w", instance_id="i", execution_id="e", input="1")


def begun(*events: Event) -> Instance:
    inbox = [Item(event, encode(event)) for event in (STARTED, *events)]
    return Instance("i", "app", state=blank(), past=Past(), inbox=inbox)


def decided(*actions: act.Action, **rest: object) -> act.Decision:
    return act.Decision(actions=actions, **rest)  # type: ignore[arg-type]  # what a test says


def done(task_id: int) -> TaskCompleted:
    return TaskCompleted(at_us=9, task_id=task_id, result='"r"')


TASK = act.ScheduleTask(id=1, name="a", input="2")
TIMER = act.CreateTimer(id=2, fire_at_us=50)
AGAIN = act.Complete(id=3, status=Status.CONTINUED_AS_NEW, result="7")
OVER = act.Complete(id=4, status=Status.COMPLETED, result="8")


def test_the_past_is_the_history_of_the_state() -> None:
    instance = begun()
    batch = instance.freeze(10)
    assert batch is not None
    closed = instance.decide(decided(TASK, TIMER, custom_status="half"), 11)
    assert isinstance(closed, Closed)
    assert [type(effect) for effect in closed.effects] == [RunTask, SetTimer]
    assert (instance.custom_status, instance.inbox, instance.batch) == ("half", [], None)
    instance.receive(done(1), 1)
    assert instance.freeze(12) is not None
    instance.decide(decided(OVER), 13)
    events = [decode(event) for event in instance.past.events()]
    assert fold(blank(), events) == instance.state
    assert instance.state.finished


def test_a_batch_stays_as_it_was_frozen() -> None:
    instance = begun()
    first = instance.freeze(10)
    instance.receive(EventRaised(at_us=11, name="later"))
    assert instance.freeze(12) is first
    with pytest.raises(WorkerFault):
        instance.decide(decided(act.ScheduleTask(id=-1, name="a")), 13)
    assert instance.freeze(14) is first
    instance.decide(decided(), 15)
    assert [item.event for item in instance.inbox] == [EventRaised(at_us=11, name="later")]


def test_results_of_an_earlier_generation_are_dropped_and_events_kept() -> None:
    instance = begun()
    instance.freeze(10)
    instance.decide(decided(TASK), 11)
    instance.receive(EventRaised(at_us=12, name="turn the page"))
    instance.freeze(13)
    instance.receive(EventRaised(at_us=14, name="unread"))
    instance.receive(done(1), 1)
    assert isinstance(instance.decide(decided(AGAIN), 15), ContinuedAsNew)
    assert instance.state.generation == 2
    assert instance.input == "7"
    assert [type(item.event).__name__ for item in instance.inbox] == [
        "ExecutionStarted",
        "EventRaised",
    ]
    instance.receive(done(1), 1)
    assert len(instance.inbox) == 2
    assert len(instance.past) == 0


def test_a_result_that_nobody_awaits_is_no_turn() -> None:
    instance = begun()
    instance.freeze(10)
    instance.decide(decided(), 11)
    instance.receive(done(5), 1)
    assert instance.freeze(12) is None
    assert instance.inbox == []


def test_a_terminate_ends_it_in_the_middle_of_a_turn() -> None:
    instance = begun()
    instance.freeze(10)
    instance.receive(ExecutionTerminated(at_us=11, input='"over"', recurse=True))
    assert instance.order_to_end is not None
    instance.end(12)
    completed = instance.state.completed
    assert completed is not None
    assert (completed.status, completed.result) == (Status.TERMINATED, '"over"')
    assert (instance.inbox, instance.batch) == ([], None)
    instance.receive(EventRaised(at_us=13, name="late"))
    assert instance.inbox == []


def test_a_stall_keeps_the_batch_and_is_over_with_the_next_turn() -> None:
    instance = begun()
    batch = instance.freeze(10)
    for _ in range(2):
        result = instance.decide(decided(act.VersionNotAvailable(id=0)), 11)
        assert isinstance(result, Stalled)
        assert instance.state.stalled is not None
    assert len(instance.past) == 1  # the same stall is told once
    assert instance.freeze(12) is batch
    instance.decide(decided(TASK), 13)
    assert instance.state.stalled is None
    assert isinstance(instance.cannot_be_sent("too large", 14), Stalled)


def test_a_backlog_that_no_message_can_carry_is_taken_in_parts() -> None:
    large = "x" * (BATCH_BYTES_MAX // 2)
    instance = begun(*(EventRaised(at_us=2, name=str(n), input=large) for n in range(3)))
    batch = instance.freeze(10)
    assert batch is not None
    assert 1 <= len(batch.items) < 4
    instance.decide(decided(), 11)
    rest = instance.freeze(12)
    assert rest is not None
    assert len(rest.items) + len(batch.items) <= 4


def test_open_ends_are_what_no_result_has_come_of() -> None:
    instance = begun()
    instance.freeze(10)
    instance.decide(decided(TASK, act.ScheduleTask(id=5, name="b"), TIMER), 11)
    instance.receive(done(1), 1)
    assert set(instance.open_ends.open_tasks) == {5}
    assert set(instance.open_ends.open_timers) == {2}
    assert set(instance.state.open_tasks) == {1, 5}


def test_an_activity_is_awaited_until_its_result_is_there_and_not_until_a_turn_has_taken_it() -> (
    None
):
    instance = begun()
    instance.freeze(10)
    assert not instance.awaits_tasks
    instance.decide(decided(TASK, TIMER), 11)
    assert instance.awaits_tasks
    instance.receive(done(1), 1)
    assert not instance.awaits_tasks


def test_what_a_new_generation_is_born_with_is_open() -> None:
    instance = begun()
    instance.freeze(10)
    result = instance.decide(decided(AGAIN, TASK, TIMER), 11)
    assert isinstance(result, ContinuedAsNew)
    assert [type(effect) for effect in result.effects] == [RunTask, SetTimer]
    assert set(instance.open_ends.open_timers) == {2}


def test_history_is_handed_down_only_when_asked_for() -> None:
    instance = begun()
    assert instance.handed_down(PropagationScope.OWN_HISTORY) is None
    instance.freeze(10)
    instance.decide(decided(TASK), 11)
    assert instance.handed_down(PropagationScope.NONE) is None
    assert instance.handed_down(PropagationScope.OWN_HISTORY) is not None
