"""Events as a run takes them: retries, time-outs, failures, and where the code parts from them."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perdure.authoring.context import WorkflowContext
from perdure.authoring.divergence import ACTIVITY_RETRY, CHILD_RETRY, Divergence
from perdure.authoring.failures import TaskFailedError
from perdure.authoring.registry import Registry
from perdure.authoring.retry import RetryPolicy
from perdure.authoring.taking import text_field
from perdure.authoring.tasks import Task, when_all
from perdure.base.time import LATEST_US, SECOND_US
from perdure.core import actions as act
from perdure.core import events as ev
from perdure.core.actions import Decision
from perdure.wire.fields import failure_bytes
from perdure.wire.generated import history_pb2 as pb
from tests.kit.played import START_US, Played, broken, done, failure, fired, raised, replayer_of

Steps = Generator[Task[Any], Any, Any]
THRICE = RetryPolicy(
    first_retry_interval=timedelta(seconds=2), max_number_of_attempts=3, backoff_coefficient=2.0
)
BROKEN = failure("ValueError", "no")


def play(body: Any, text: str | None = None, *, kept_max: int = 0) -> Played:
    """An instance of the workflow; nothing is kept, so that every turn is a replay."""
    registry = Registry()
    registry.add_workflow(body, name="wf")
    return Played(replayer_of(registry, kept_max=kept_max), "wf", text)


def fetches(ctx: WorkflowContext) -> Steps:
    try:
        return (yield ctx.call_activity("fetch", input=1, retry_policy=THRICE))
    except TaskFailedError as error:
        return [str(error), error.details.error_type, error.details.message]


def bears(ctx: WorkflowContext) -> Steps:
    try:
        return (yield ctx.call_child_workflow("child", retry_policy=THRICE))
    except TaskFailedError as error:
        return [str(error), error.details.error_type, error.details.message]


@pytest.mark.parametrize("kept_max", [0, 9], ids=["replayed", "kept"])
def test_a_failing_activity_is_tried_again_after_pauses(kept_max: int) -> None:
    played = play(fetches, kept_max=kept_max)
    (first,) = played.turn().actions
    (pause,) = played.turn(broken(1, BROKEN)).actions
    assert isinstance(first, act.ScheduleTask)
    assert isinstance(pause, act.CreateTimer)
    assert (pause.id, pause.fire_at_us - played.now_us) == (2, 2 * SECOND_US)
    assert (pause.origin, pause.origin_bytes) == (ACTIVITY_RETRY, text_field(first.execution_id))
    (second,) = played.turn(fired(2)).actions
    assert isinstance(second, act.ScheduleTask)
    assert (second.id, second.input, second.execution_id) == (3, "1", first.execution_id)
    (longer,) = played.turn(broken(3, BROKEN)).actions
    assert isinstance(longer, act.CreateTimer)
    assert longer.fire_at_us - played.now_us == 4 * SECOND_US
    played.turn(fired(4))
    played.turn(broken(5, BROKEN))
    assert played.output == '["one: Activity task #5 failed: no", "ValueError", "no"]'


def test_a_failing_child_is_tried_again_under_its_id() -> None:
    played = play(bears)
    (first,) = played.turn().actions
    assert isinstance(first, act.CreateChild)
    assert first.instance_id == "one:0001"
    (pause,) = played.turn(
        ev.ChildFailed(at_us=START_US, task_id=1, failure=failure_bytes(BROKEN))
    ).actions
    assert isinstance(pause, act.CreateTimer)
    assert (pause.origin, pause.origin_bytes) == (CHILD_RETRY, text_field("one:0001"))
    (second,) = played.turn(fired(2)).actions
    assert isinstance(second, act.CreateChild)
    assert (second.id, second.instance_id) == (3, "one:0001")
    played.turn(ev.ChildCompleted(at_us=START_US, task_id=3, result='"born"'))
    assert played.output == '"born"'


@pytest.mark.parametrize(
    "told",
    [
        failure("NonRetryableError", "never"),
        failure("KeyError", "never"),
        ev.Failure("Custom", "never", non_retriable=True),
    ],
)
def test_some_failures_are_for_good(told: ev.Failure) -> None:
    def body(ctx: WorkflowContext) -> Steps:
        policy = RetryPolicy(
            first_retry_interval=timedelta(seconds=1),
            max_number_of_attempts=5,
            non_retryable_error_types=[KeyError, "Other"],
        )
        yield ctx.call_activity("fetch", retry_policy=policy)

    played = play(body)
    played.turn()
    played.turn(broken(1, failure_bytes(told)))
    assert played.failure.message == "one: Activity task #1 failed: never"


def test_a_failure_that_tells_nothing_is_a_failure() -> None:
    played = play(fetches)
    played.turn()
    played.turn(broken(1, None))
    assert len(played.state.open_timers) == 1


def test_results_of_nothing_are_passed_over() -> None:
    played = play(fetches)
    played.turn()
    events: list[ev.Event] = [
        ev.WorkflowStarted(at_us=START_US),
        done(77, "1"),
        broken(78, BROKEN),
        fired(79),
    ]
    decision = played.replayer.decide(1, len(played.history), lambda: played.history, events)
    assert decision == Decision(actions=())


def test_an_event_waits_for_its_wait() -> None:
    def body(ctx: WorkflowContext) -> Steps:
        yield ctx.wait_for_external_event("now")
        first = yield ctx.wait_for_external_event("early")
        return [first, (yield ctx.wait_for_external_event("early"))]

    played = play(body)
    played.turn(raised("EARLY", "1"), raised("early", "2"))
    played.turn(raised("Now"))
    assert played.output == "[1, 2]"


def test_a_wait_in_vain_gives_up_and_leaves_the_event_to_the_next() -> None:
    def body(ctx: WorkflowContext) -> Steps:
        try:
            yield ctx.wait_for_external_event("slow", timeout=timedelta(seconds=1))
        except TimeoutError as error:
            return [str(error), (yield ctx.wait_for_external_event("slow"))]

    played = play(body)
    (timer,) = played.turn().actions
    assert isinstance(timer, act.CreateTimer)
    assert (timer.awaited_event, timer.origin_bytes) == ("slow", text_field("slow"))
    played.turn(fired(1))
    played.turn(raised("slow", '"late"'))
    said = "Timed out after datetime.timedelta(seconds=1) waiting for external event 'slow'"
    assert played.output == f'["{said}", "late"]'


def test_a_wait_of_no_time_takes_only_what_is_there() -> None:
    def body(ctx: WorkflowContext) -> Steps:
        found = []
        for _ in range(2):
            try:
                found.append((yield ctx.wait_for_external_event("e", timeout=timedelta(0))))
            except TimeoutError as error:
                found.append(str(error))
        return found

    played = play(body)
    played.turn()
    told = "Wait for external event 'e' canceled immediately due to zero timeout"
    assert played.output == f'["{told}", "{told}"]'


def test_an_endless_wait_has_a_timer_that_never_fires() -> None:
    def body(ctx: WorkflowContext) -> Steps:
        yield ctx.wait_for_external_event("go", timeout=timedelta(seconds=-1))

    (timer,) = play(body).turn().actions
    assert isinstance(timer, act.CreateTimer)
    assert timer.fire_at_us == LATEST_US


def test_timers_take_a_while_or_a_moment() -> None:
    def body(ctx: WorkflowContext) -> Steps:
        now = ctx.current_utc_datetime
        yield when_all(
            [
                ctx.create_timer(timedelta(seconds=5)),
                ctx.create_timer(now + timedelta(seconds=5)),
                ctx.create_timer((now + timedelta(seconds=5)).replace(tzinfo=UTC)),
                ctx.create_timer(datetime.max),  # noqa: DTZ901 - as far as one can go
            ]
        )

    played = play(body)
    moments = [a.fire_at_us for a in played.turn().actions if isinstance(a, act.CreateTimer)]
    assert moments == [played.now_us + 5 * SECOND_US] * 3 + [LATEST_US]


def test_histories_of_older_sdks_have_no_timer_for_an_endless_wait() -> None:
    """They go on, although here the same code asks for a timer before the activity."""

    def body(ctx: WorkflowContext) -> Steps:
        wait = ctx.wait_for_external_event("go")
        fetched = yield ctx.call_activity("fetch")
        return [fetched, (yield wait)]

    played = play(body)
    started = ev.WorkflowStarted(at_us=START_US)
    past = [started, *played.inbox, ev.TaskScheduled(at_us=START_US, event_id=1, name="fetch")]
    new: list[ev.Event] = [started, done(1, '"f"'), raised("go", '"g"')]
    decision = played.replayer.decide(1, len(past), lambda: past, new)
    assert isinstance(decision, Decision)
    (completion,) = decision.actions
    assert isinstance(completion, act.Complete)
    assert completion.result == '["f", "g"]'


def test_a_stale_endless_timer_is_passed_over() -> None:
    def body(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("fetch")

    played = play(body)
    started = ev.WorkflowStarted(at_us=START_US)
    endless = ev.TimerCreated(at_us=START_US, event_id=2, fire_at_us=LATEST_US, origin=5)
    task = ev.TaskScheduled(at_us=START_US, event_id=1, name="fetch")
    past = [started, *played.inbox, task, endless]
    decision = played.replayer.decide(1, len(past), lambda: past, [started])
    assert decision == Decision(actions=())


@pytest.mark.parametrize(
    ("recorded", "asked", "told"),
    [
        (ev.TimerCreated(at_us=1, event_id=1, fire_at_us=5, origin=4), "activity 'a'", "a timer"),
        (
            ev.ChildCreated(at_us=1, event_id=1, instance_id="c", name="child"),
            "activity 'a'",
            "child workflow 'child'",
        ),
        (ev.TaskScheduled(at_us=1, event_id=9, name="a"), "nothing yet", "activity 'a'"),
        (
            ev.EventSent(at_us=1, event_id=1, instance_id="x", name="e"),
            "activity 'a'",
            "sending event 'e'",
        ),
    ],
)
def test_what_is_recorded_must_be_what_is_asked_for(
    recorded: ev.Event, asked: str, told: str
) -> None:
    def body(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("a")

    played = play(body)
    started = ev.WorkflowStarted(at_us=START_US)
    past: list[ev.Event] = [started, *played.inbox, recorded]
    found = played.replayer.decide(1, len(past), lambda: past, [started])
    assert isinstance(found, Divergence)
    assert (found.asked, found.recorded) == (asked, told)
    assert found.file == __file__


def test_code_that_ends_too_early_diverges() -> None:
    def body(_ctx: WorkflowContext) -> str:
        return "at once"

    played = play(body)
    task = ev.TaskScheduled(at_us=1, event_id=1, name="a")
    past = [ev.WorkflowStarted(at_us=START_US), *played.inbox, task]
    found = played.replayer.decide(1, len(past), lambda: past, [past[0]])
    assert isinstance(found, Divergence)
    assert found.asked == "nothing more, for it has ended"
    assert found.line == body.__code__.co_firstlineno


def test_a_workflow_that_is_not_there_any_more_is_not_failed_midway() -> None:
    played = play(fetches)
    task = ev.TaskScheduled(at_us=1, event_id=1, name="a")
    start = ev.ExecutionStarted(at_us=1, name="gone", instance_id="i", execution_id="e")
    past: list[ev.Event] = [ev.WorkflowStarted(at_us=START_US), start, task]
    found = played.replayer.decide(1, len(past), lambda: past, [past[0]])
    assert isinstance(found, Divergence)
    assert "was not registered" in found.asked


@pytest.mark.parametrize("text", ["", "a", "é" * 40, "x" * 300])
def test_the_origin_of_a_timer_is_a_message_with_a_text(text: str) -> None:
    assert text_field(text) == pb.EventOrigin(name=text).SerializeToString()


SUSPENDED, RESUMED = ev.ExecutionSuspended(at_us=START_US), ev.ExecutionResumed(at_us=START_US)


def test_a_patch_that_is_told_on_resuming_is_known_in_a_replay() -> None:
    """The result that the code goes on with came before the turn in which it was patched."""

    def body(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("first")
        yield ctx.call_activity("new" if ctx.is_patched("better") else "old")

    played = play(body)
    played.turn()
    played.turn(SUSPENDED, done(1))
    (second,) = played.turn(RESUMED).actions
    assert isinstance(second, act.ScheduleTask)
    assert second.name == "new"
    played.turn(done(2))
    assert played.output is None


def test_suspending_twice_is_suspending_once() -> None:
    played = play(fetches)
    played.turn()
    assert played.turn(SUSPENDED, SUSPENDED, done(1, "1")).actions == ()
    played.turn(RESUMED)
    assert played.output == "1"


def test_what_was_asked_for_before_a_suspension_is_not_asked_for_again() -> None:
    def body(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("first")
        yield ctx.call_activity("second")

    played = play(body)
    played.turn()
    assert len(played.turn(done(1), SUSPENDED).actions) == 1
    # A server may hand out turns meanwhile.
    assert played.turn(raised("go")).actions == ()
    assert played.turn(RESUMED).actions == ()
    played.turn(done(2))
    assert played.output is None
