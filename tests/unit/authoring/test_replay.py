"""The replayer: what code decides turn by turn, kept or led through its history again."""

import gc
import sys
import threading
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import pytest

from perdure.authoring.context import WorkflowContext
from perdure.authoring.divergence import Divergence
from perdure.authoring.registry import Registry
from perdure.authoring.retry import RetryPolicy
from perdure.authoring.tasks import Task, when_all, when_any
from perdure.core import actions as act
from perdure.core import events as ev
from perdure.core.actions import Decision
from perdure.core.status import Status
from tests.kit.played import START_US, Played, done, raised, replayer_of

Steps = Generator[Task[Any], Any, Any]
THRICE = RetryPolicy(
    first_retry_interval=timedelta(seconds=2), max_number_of_attempts=3, backoff_coefficient=2.0
)

registry = Registry()


@registry.workflow()
def chain(ctx: WorkflowContext, count: int) -> Steps:
    total = 0
    for number in range(count):
        total += yield ctx.call_activity("square", input=number)
    return total


@registry.workflow()
def fan_out(ctx: WorkflowContext, count: int) -> Steps:
    found = yield when_all([ctx.call_activity("square", input=n) for n in range(count)])
    return found


@registry.workflow()
def at_once(_ctx: WorkflowContext, value: object) -> object:
    return value


@registry.workflow()
def raises(_ctx: WorkflowContext) -> Steps:
    raise LookupError("lost")
    yield


@registry.workflow()
def returns_no_json(_ctx: WorkflowContext) -> object:
    return object()


@registry.workflow()
def yields_a_number(_ctx: WorkflowContext) -> Generator[int, Any, None]:
    yield 3


@registry.workflow()
def rounds(ctx: WorkflowContext, left: int) -> Steps:
    ctx.set_custom_status(f"{left} left")
    yield ctx.wait_for_external_event("go on")
    if left == 0:
        return "over"
    ctx.continue_as_new(left - 1, save_events=True)
    return None


@registry.workflow()
def patched(ctx: WorkflowContext) -> Steps:
    yield ctx.call_activity("first")
    name = "new" if ctx.is_patched("better") else "old"
    yield ctx.call_activity(name)
    return name


def squared(task: ev.TaskScheduled) -> str:
    return str(int(task.input or "0") ** 2)


def test_a_chain_of_activities() -> None:
    played = Played(replayer_of(registry), "chain", "4").to_the_end(squared)
    assert played.output == "14"
    assert [len(decision.actions) for decision in played.decisions] == [1, 1, 1, 1, 1]


def test_activities_side_by_side_are_one_decision() -> None:
    played = Played(replayer_of(registry), "fan_out", "5")
    assert len(played.turn().actions) == 5
    assert played.to_the_end(squared).output == "[0, 1, 4, 9, 16]"


def test_what_is_kept_is_not_replayed() -> None:
    """A history is asked for only if the code is not at hand: long chains cost what is new."""
    replayer = replayer_of(registry)
    played = Played(replayer, "chain", "3")
    played.turn()
    for number in (1, 2):
        past = len(played.history)
        new: list[ev.Event] = [ev.WorkflowStarted(at_us=START_US), done(number, "1")]
        decision = replayer.decide(("one", 1), past, _never, new)
        assert isinstance(decision, Decision)
        played.inbox = [done(number, "1")]
        played.land(decision)


def _never() -> list[ev.Event]:
    raise AssertionError("the history was asked for")


def test_a_turn_that_was_lost_is_decided_again() -> None:
    replayer = replayer_of(registry)
    played = Played(replayer, "chain", "2")
    first = played.decide()
    again = played.decide()  # the answer never arrived: the same past, the same events
    assert isinstance(first, Decision)
    assert [a.id for a in first.actions] == [1]
    assert isinstance(again, Decision)
    assert again.actions == first.actions or again.actions[0].id == 1


def test_only_so_many_are_kept() -> None:
    replayer = replayer_of(registry, kept_max=2)
    many = [Played(replayer, "chain", "2", f"number {n}") for n in range(5)]
    for played in many:
        played.turn()
    assert len(replayer) == 2
    for played in many:
        assert played.to_the_end(squared).output == "1"
    assert len(replayer) == 0


def test_an_instance_can_be_forgotten() -> None:
    replayer = replayer_of(registry)
    played = Played(replayer, "chain", "2")
    played.turn()
    replayer.forget(("one", 1))
    replayer.forget("never seen")
    assert len(replayer) == 0
    assert played.to_the_end(squared).output == "1"


def test_a_workflow_may_end_without_a_wait() -> None:
    played = Played(replayer_of(registry), "at_once", '{"a": 1}').to_the_end()
    assert played.output == '{"a": 1}'


def test_what_is_raised_fails_the_workflow() -> None:
    failure = Played(replayer_of(registry), "raises").to_the_end().failure
    assert (failure.error_type, failure.message) == ("LookupError", "lost")
    assert failure.stack_trace is not None
    assert __file__ in failure.stack_trace
    assert not failure.non_retriable


@pytest.mark.parametrize(
    ("name", "error_type", "part"),
    [
        ("nobody", "OrchestratorNotRegisteredError", "A 'nobody' orchestrator was not registered."),
        ("returns_no_json", "TypeError", "not JSON serializable"),
        ("yields_a_number", "TypeError", "yielded a non-Task object"),
    ],
)
def test_what_cannot_be_run_fails(name: str, error_type: str, part: str) -> None:
    failure = Played(replayer_of(registry), name).to_the_end().failure
    assert failure.error_type == error_type
    assert part in failure.message


def test_a_generation_follows_another_with_its_unread_events() -> None:
    played = Played(replayer_of(registry), "rounds", "2")
    decision = played.turn(raised("Go On"), raised("go on"), raised("GO ON"))
    # The one that was taken is gone, the others are carried in the order in which they came.
    (completion,) = decision.actions
    assert isinstance(completion, act.Complete)
    assert completion.status is Status.CONTINUED_AS_NEW
    assert [event.name for event in completion.carryover] == ["go on", "GO ON"]
    assert decision.custom_status == "2 left"
    assert played.to_the_end().output == '"over"'
    assert played.state.generation == 3


def test_a_patch_is_for_those_who_have_not_come_so_far() -> None:
    played = Played(replayer_of(registry), "patched")
    played.turn()
    decision = played.turn(done(1))
    assert decision.patches == ("better",)
    assert played.to_the_end().output == '"new"'


def test_a_patch_is_not_for_those_who_have() -> None:
    def before(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("first")
        yield ctx.call_activity("old")

    earlier = Registry()
    earlier.add_workflow(before, name="patched")
    played = Played(replayer_of(earlier), "patched")
    played.turn()
    played.turn(done(1))
    played.replayer = replayer_of(registry)
    decision = played.turn(done(2))
    assert played.output == '"old"'
    assert decision.patches == ()


def test_versions_are_chosen_once_and_kept() -> None:
    def one(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("a")
        return 1

    def two(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("b")
        return 2

    both = Registry()
    both.add_workflow(one, name="wf", version_name="v1", is_latest=True)
    played = Played(replayer_of(both), "wf")
    assert played.turn().version_name == "v1"
    both.add_workflow(two, name="wf", version_name="v2", is_latest=True)
    played.replayer = replayer_of(both)
    assert played.to_the_end().output == "1"
    assert Played(replayer_of(both), "wf").to_the_end().output == "2"


def test_a_version_that_is_gone_is_said_to_be() -> None:
    def one(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("a")

    first, second = Registry(), Registry()
    first.add_workflow(one, name="wf", version_name="v1", is_latest=True)
    second.add_workflow(one, name="wf", version_name="v2", is_latest=True)
    played = Played(replayer_of(first), "wf")
    played.turn()
    played.replayer = replayer_of(second)
    decision = played.decide(done(1))
    assert isinstance(decision, Decision)
    assert isinstance(decision.actions[0], act.VersionNotAvailable)


def test_a_terminate_ends_it_with_its_input() -> None:
    played = Played(replayer_of(registry), "chain", "2")
    played.turn()
    decision = played.decide(ev.ExecutionTerminated(at_us=START_US, input='"enough"'))
    assert isinstance(decision, Decision)
    (completion,) = decision.actions
    assert isinstance(completion, act.Complete)
    assert (completion.status, completion.result) == (Status.TERMINATED, '"enough"')


def test_a_suspended_workflow_takes_its_events_when_resumed() -> None:
    played = Played(replayer_of(registry), "chain", "1")
    played.turn()
    assert played.turn(ev.ExecutionSuspended(at_us=START_US)).actions == ()
    assert played.turn(done(1, "7")).actions == ()
    played.turn(ev.ExecutionResumed(at_us=START_US))
    assert played.output == "7"


def test_a_race_is_won_by_what_comes_first() -> None:
    def race(ctx: WorkflowContext) -> Steps:
        event, timer = ctx.wait_for_external_event("go"), ctx.create_timer(timedelta(seconds=9))
        first = yield when_any([event, timer])
        return "timer" if first is timer else event.get_result()

    racing = Registry()
    racing.add_workflow(race)
    assert Played(replayer_of(racing), "race").to_the_end().output == '"timer"'
    played = Played(replayer_of(racing), "race")
    played.turn()
    played.turn(raised("GO", '"event"'))
    assert played.output == '"event"'


def test_a_changed_workflow_diverges_and_says_where() -> None:
    def old(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("charge")
        yield ctx.call_activity("ship")

    def new(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("charge")
        yield ctx.call_activity("refund")  # the line that is meant

    before, after = Registry(), Registry()
    before.add_workflow(old, name="order")
    after.add_workflow(new, name="order")
    played = Played(replayer_of(before), "order", instance_id="order-7")
    played.turn()
    played.turn(done(1))
    played.replayer = replayer_of(after)
    found = played.decide(done(2))
    assert isinstance(found, Divergence)
    assert (found.workflow, found.instance_id, found.step) == ("order", "order-7", 2)
    assert (found.recorded, found.asked) == ("activity 'ship'", "activity 'refund'")
    assert (found.file, found.line) == (__file__, new.__code__.co_firstlineno + 2)
    assert "step 2 was activity 'ship', and the code asks for activity 'refund'" in found.sentence
    # Nothing has happened: with the old code it goes on.
    played.inbox = []
    played.replayer = replayer_of(before)
    played.turn(done(2))
    assert played.output is None


def test_code_that_is_let_go_of_asks_for_nothing_more() -> None:
    said: list[str] = []

    def careful(ctx: WorkflowContext) -> Steps:
        try:
            yield ctx.call_activity("charge")
        finally:
            try:
                ctx.side_effect(lambda: said.append("called"))
            except RuntimeError as error:
                said.append(str(error))

    careless = Registry()
    careless.add_workflow(careful, name="wf")
    replayer = replayer_of(careless)
    played = Played(replayer, "wf")
    played.turn()
    replayer.forget(("one", 1))
    assert said == ["this code is let go of, and goes on elsewhere: it asks for nothing"]
    played.turn(done(1))
    assert said[1:] == ["called"]


def test_code_that_does_not_end_quietly_is_let_go_of_all_the_same() -> None:
    def stubborn(ctx: WorkflowContext) -> Steps:
        task = ctx.call_activity("charge")
        try:
            yield task
        finally:
            yield task

    stubborn_ones = Registry()
    stubborn_ones.add_workflow(stubborn, name="wf")
    replayer = replayer_of(stubborn_ones)
    Played(replayer, "wf").turn()
    replayer.forget(("one", 1))
    assert len(replayer) == 0


def test_code_that_waits_in_its_finally_is_ended_without_a_word_on_the_standard_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is still open when it is collected Python complains about."""
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    reached: list[str] = []

    def tidy(ctx: WorkflowContext) -> Steps:
        task = ctx.call_activity("charge")
        try:
            try:
                yield task
            finally:
                yield task
        finally:
            yield task
            reached.append("the end")

    async def tidy_too(ctx: WorkflowContext) -> None:
        task = ctx.call_activity("charge")
        try:
            await task
        finally:
            await task

    for function in (tidy, tidy_too):
        tidy_ones = Registry()
        tidy_ones.add_workflow(function, name="wf")
        replayer = replayer_of(tidy_ones)
        Played(replayer, "wf").turn()
        replayer.forget(("one", 1))
        gc.collect()
    assert not complaints
    assert not reached, "the code is ended where it waits"


def test_code_that_blocks_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    def blocks(_ctx: WorkflowContext) -> None:
        threading.Event().wait(1.1)

    blocking = Registry()
    blocking.add_workflow(blocks, name="wf")
    Played(replayer_of(blocking), "wf", instance_id="slow-1").turn()
    (record,) = caplog.records
    assert "workflow 'wf' (slow-1) took 1." in record.getMessage()
