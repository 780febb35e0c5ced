"""Workflow code for the tests of the HTTP door: what each type decides, seeing its history."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from perdure.core import events as ev
from perdure.core.status import Status
from perdure.wire.events import decode
from perdure.wire.fields import set_time
from perdure.wire.generated import history_pb2, work_pb2

LATEST_US: Final = 253_402_300_799_999_999
E = TypeVar("E")
Script = Callable[[Sequence[ev.Event]], list[work_pb2.Action]]


def completed(
    status: Status, result: str | None, failure: bytes | None = None, *, action_id: int = 9
) -> work_pb2.Action:
    """Return the action that ends an instance."""
    action = work_pb2.Action(id=action_id)
    action.complete.status = status
    if result is not None:
        action.complete.result.value = result
    if failure is not None:
        action.complete.failure = failure
    return action


def failure() -> bytes:
    """Return a failure with a cause, as a worker sends it."""
    details = history_pb2.FailureDetails(error_type="ValueError", message="no such order")
    details.stack_trace.value = "at line 1"
    details.inner.error_type = "KeyError"
    details.inner.message = "42"
    return details.SerializeToString()


def echo(events: Sequence[ev.Event]) -> list[work_pb2.Action]:
    """Complete with the input."""
    started = _first(events, ev.ExecutionStarted)
    return [completed(Status.COMPLETED, None if started is None else started.input)]


def fails(_events: Sequence[ev.Event]) -> list[work_pb2.Action]:
    """Fail."""
    return [completed(Status.FAILED, None, failure())]


def waits(events: Sequence[ev.Event]) -> list[work_pb2.Action]:
    """Wait for any event, and complete with its name and data."""
    raised = _first(events, ev.EventRaised)
    if raised is not None:
        return [completed(Status.COMPLETED, f"{raised.name}={raised.input}")]
    return [_wait_for_event("go")] if _is_first_turn(events) else []


def calls(events: Sequence[ev.Event]) -> list[work_pb2.Action]:
    """Run one activity, and complete with its result."""
    done = _first(events, ev.TaskCompleted)
    if done is not None:
        return [completed(Status.COMPLETED, done.result)]
    if not _is_first_turn(events):
        return []
    action = work_pb2.Action(id=1)
    action.schedule_task.name = "Step"
    action.schedule_task.input.value = '{"step": 1}'
    return [action]


def parent(events: Sequence[ev.Event]) -> list[work_pb2.Action]:
    """Start a child that waits, and wait for it."""
    if not _is_first_turn(events):
        return []
    started = _first(events, ev.ExecutionStarted)
    assert started is not None, "a first turn has the start"
    action = work_pb2.Action(id=1)
    action.create_child.name = "Waits"
    action.create_child.instance_id = f"{started.instance_id}-child"
    return [action]


def stalls(_events: Sequence[ev.Event]) -> list[work_pb2.Action]:
    """Say that this worker does not have the version of the workflow that is asked for."""
    action = work_pb2.Action(id=1)
    action.version_not_available.SetInParent()
    return [action]


SCRIPTS: Final[dict[str, Script]] = {
    "Echo": echo,
    "Fails": fails,
    "Waits": waits,
    "Calls": calls,
    "Parent": parent,
    "Stalls": stalls,
}


def answer(turn: work_pb2.TurnRequest, token: str, custom_status: str | None) -> bytes:
    """Return the answer to a turn, which its workflow's script decides; an unknown one echoes."""
    events = [decode(data) for data in (*turn.past, *turn.new)]
    started = _first(events, ev.ExecutionStarted)
    assert started is not None, "every history has a start"
    reply = work_pb2.TurnAnswer(
        instance_id=turn.instance_id, actions=SCRIPTS.get(started.name, echo)(events), token=token
    )
    if custom_status is not None:
        reply.custom_status.value = custom_status
    return reply.SerializeToString()


def _wait_for_event(name: str) -> work_pb2.Action:
    action = work_pb2.Action(id=1)
    set_time(action.create_timer.fire_at, LATEST_US)
    action.create_timer.external_event.name = name
    return action


def _is_first_turn(events: Sequence[ev.Event]) -> bool:
    return sum(isinstance(event, ev.WorkflowStarted) for event in events) == 1


def _first(events: Sequence[ev.Event], kind: type[E]) -> E | None:
    return next((event for event in events if isinstance(event, kind)), None)
