"""Events as a run takes them: each confirms what was asked for, or brings what is waited for."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from perdure.authoring.divergence import (
    ACTIVITY_RETRY,
    CHILD_RETRY,
    EVENT_TIMER,
    NOT_OF_THE_CODE,
    Divergence,
    Recorded,
    diverge,
    matches,
    told,
)
from perdure.authoring.failures import (
    OrchestratorNotRegisteredError,
    TaskFailedError,
    VersionNotRegisteredException,
)
from perdure.authoring.payloads import given
from perdure.authoring.run import OpenStep, Outcome, Run
from perdure.base.time import LATEST_US
from perdure.core import actions as act
from perdure.core import events as ev
from perdure.core.status import Status

_NON_RETRYABLE: Final = "NonRetryableError"
# What reaches a suspended workflow; the rest waits until it is resumed. What its own actions have
# become is no news, and has to be taken off the list whatever has happened since.
_THROUGH: Final = (
    *(ev.ExecutionSuspended, ev.ExecutionResumed, ev.ExecutionTerminated),
    *(ev.TaskScheduled, ev.TimerCreated, ev.ChildCreated, ev.EventSent, ev.DetachedCreated),
)


def take(run: Run, event: ev.Event) -> None:
    """Take the next event of the history or of the turn, and let the code go on.

    Raises Diverged if the history tells of something else than the code has asked for.
    """
    if run.suspended and not isinstance(event, _THROUGH):
        if isinstance(event, ev.WorkflowStarted):
            _remember(run, event)
        run.withheld.append(event)
        return
    _TAKERS[type(event)](run, event)
    if run.loop.ready:
        run.advance()
        if run.diverged is not None:
            raise run.diverged


def _turn_began(run: Run, event: ev.WorkflowStarted) -> None:
    run.turn_began(event.at_us)
    if event.patches or event.version_name:
        _remember(run, event)


def _remember(run: Run, event: ev.WorkflowStarted) -> None:
    """Take note of what the turn has told of patches: its code may be run by an earlier event.

    That is so when a workflow is resumed: what was withheld comes before what resumed it.
    """
    run.history_version = event.version_name or run.history_version
    run.history_patches = run.history_patches.union(event.patches)


def _started(run: Run, event: ev.ExecutionStarted) -> None:
    run.instance_id = event.instance_id
    if event.router is not None:
        run.app_id = event.router.target_app or event.router.source_app
    try:
        run.workflow = run.registry.find_workflow(event.name, run.history_version)
    except OrchestratorNotRegisteredError as error:
        run.end_failed(error)
        return
    except VersionNotRegisteredException:
        run.end(Outcome(Status.STALLED))
        return
    workflow = run.workflow
    try:
        steps = workflow.function(run.context, *given(event.input, workflow.signature, run.typing))
    except NOT_OF_THE_CODE:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the code's own failure
        run.end_failed(error)
        return
    if hasattr(steps, "throw"):
        run.begin(steps)
    else:
        run.end_well(steps)


def _confirm(run: Run, event: Recorded) -> None:
    """Take what the event confirms off the list."""
    if run.outcome is not None and run.outcome.status is Status.STALLED:
        return  # there is no code that could have asked for it
    number = event.event_id
    action = run.actions.get(number)
    if isinstance(event, ev.TimerCreated) and _is_endless(event):
        if action is None or not _is_endless(action):
            return  # of a wait that the code has no more, or has elsewhere: it never fires
    elif action is not None and _is_endless(action):
        _take_back(run, number)
        action = run.actions.get(number)
    if not matches(action, event):
        diverge(_divergence(run, event, action))
    del run.actions[number]


def _divergence(run: Run, event: Recorded, action: act.Action | None) -> Divergence:
    if action is not None:
        asked = told(action)
        place = run.places.get(event.event_id) or run.place()
    else:
        asked, place = _asked_nothing(run), run.place()
    return Divergence(
        workflow=run.workflow.name if run.workflow is not None else "",
        instance_id=run.instance_id,
        step=event.event_id,
        recorded=told(event),
        asked=asked,
        file=place[0],
        line=place[1],
    )


def _asked_nothing(run: Run) -> str:
    if run.outcome is None:
        return "nothing yet"
    failure = run.outcome.failure
    if failure is None:
        return "nothing more, for it has ended"
    return f"nothing more, for it has failed with {failure.error_type}: {failure.message}"


def _is_endless(timer: ev.Event | act.Action) -> bool:
    """Tell the timers of waits without a time-out, which older SDKs did not set."""
    return (
        isinstance(timer, ev.TimerCreated | act.CreateTimer)
        and timer.fire_at_us == LATEST_US
        and timer.origin in {0, EVENT_TIMER}
    )


def _take_back(run: Run, number: int) -> None:
    """Take back a timer that the history does not have; what came after it is a number lower."""
    del run.actions[number]
    run.tasks.pop(number, None)
    for later in sorted(n for n in run.actions if n > number):
        run.actions[later - 1] = replace(run.actions.pop(later), id=later - 1)
        run.places[later - 1] = run.places.pop(later, ("", 0))
    for later in sorted(n for n in run.tasks if n > number):
        run.tasks[later - 1] = run.tasks.pop(later)
    run.sequence -= 1


def _timer_fired(run: Run, event: ev.TimerFired) -> None:
    step = run.tasks.pop(event.timer_id, None)
    if step is None:
        return
    again = step.retries
    if again is None:
        step.task.succeed(None)
        return
    assert again.action is not None, "what is tried again was asked for once"
    again.action = replace(again.action, id=run.next_id())
    run.ask(again.action, again)


def _succeeded(run: Run, event: ev.TaskCompleted | ev.ChildCompleted) -> None:
    step = run.tasks.pop(event.task_id, None)
    if step is not None:
        run.settle(step, event.result)


def _failed(run: Run, event: ev.TaskFailed | ev.ChildFailed) -> None:
    step = run.tasks.pop(event.task_id, None)
    if step is None:
        return
    failure = _failure(run, event.failure)
    pause_us = _pause_us(step, failure)
    if pause_us is None:
        is_activity = isinstance(event, ev.TaskFailed)
        what = f"{run.instance_id}: Activity" if is_activity else "Sub-orchestration"
        text = f"{what} task #{event.task_id} failed: {failure.message or failure.error_type}"
        step.task.fail(TaskFailedError(text, failure))
        return
    assert step.action is not None, "what is tried again was asked for"
    step.attempts += 1
    if isinstance(step.action, act.ScheduleTask):
        origin, text = ACTIVITY_RETRY, step.action.execution_id
    else:
        origin, text = CHILD_RETRY, step.action.instance_id
    pause = run.timer(min(run.now_us + pause_us, LATEST_US), origin, text_field(text))
    pause.retries = step


def _failure(run: Run, failure: ev.AnyFailure) -> ev.Failure:
    if failure is None:
        return ev.Failure("", "", non_retriable=False)
    return run.sources.failure_of(failure) if isinstance(failure, bytes) else failure


def _pause_us(step: OpenStep, failure: ev.Failure) -> int | None:
    policy = step.policy
    if policy is None or failure.non_retriable or failure.error_type == _NON_RETRYABLE:
        return None
    if failure.error_type in policy.non_retryable_error_types:
        return None
    return policy.next_pause_us(step.attempts)


def text_field(text: str) -> bytes:
    """Return a protobuf message that has the text in its first field, as timers' origins have."""
    data = text.encode()
    length, out = len(data), bytearray(b"\x0a" if data else b"")
    while length > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(length & 0x7F | 0x80)
        length >>= 7
    if data:
        out.append(length)
    return bytes(out) + data


def _raised(run: Run, event: ev.EventRaised) -> None:
    name = event.name.casefold()
    waits = run.waits.get(name)
    # What comes after the end is for the next generation, whatever the code still waits for.
    if waits is None or run.outcome is not None:
        run.arrivals += 1
        run.received.setdefault(name, deque()).append((run.arrivals, event))
        return
    step = waits.pop(0)
    if not waits:
        del run.waits[name]
    run.settle(step, event.input)


def _suspended(run: Run, _event: ev.ExecutionSuspended) -> None:
    run.suspended = True


def _resumed(run: Run, _event: ev.ExecutionResumed) -> None:
    if run.suspended:
        run.suspended = False
        withheld, run.withheld = run.withheld, []
        for event in withheld:
            take(run, event)


def _terminated(run: Run, event: ev.ExecutionTerminated) -> None:
    run.end(Outcome(Status.TERMINATED, event.input))


def _nothing(_run: Run, _event: ev.Event) -> None:
    """It says nothing to the code."""


_TAKERS: Final[dict[type[ev.Event], Callable[[Run, Any], None]]] = {
    ev.WorkflowStarted: _turn_began,
    ev.ExecutionStarted: _started,
    ev.TaskScheduled: _confirm,
    ev.TaskCompleted: _succeeded,
    ev.TaskFailed: _failed,
    ev.TimerCreated: _confirm,
    ev.TimerFired: _timer_fired,
    ev.ChildCreated: _confirm,
    ev.ChildCompleted: _succeeded,
    ev.ChildFailed: _failed,
    ev.EventSent: _confirm,
    ev.DetachedCreated: _confirm,
    ev.EventRaised: _raised,
    ev.ExecutionSuspended: _suspended,
    ev.ExecutionResumed: _resumed,
    ev.ExecutionTerminated: _terminated,
    ev.ExecutionStalled: _nothing,
    ev.ExecutionCompleted: _nothing,
}
