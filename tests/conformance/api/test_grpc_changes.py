"""TaskHubSidecarService: events, terminate, suspend and resume, none of which needs a worker."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from perdure.base.limits import NAME_BYTES_MAX
from tests.conformance.api.grpc_door import Door, open_door, refused
from tests.conformance.api.grpc_worker import child, worker
from tests.conformance.wire.released import dapr

Code = grpc.StatusCode
RUNNING, COMPLETED, TERMINATED, PENDING, SUSPENDED, STALLED = 0, 1, 5, 6, 7, 8
MISSING = "no such instance exists"


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


async def change(door: Door, method: str, **fields: Any) -> None:
    """Call one of the four; each answers with an empty message."""
    message = {
        "RaiseEvent": "RaiseEventRequest",
        "TerminateInstance": "TerminateRequest",
        "SuspendInstance": "SuspendRequest",
        "ResumeInstance": "ResumeRequest",
    }[method]
    request = getattr(dapr(), message)(**fields)
    assert await door.hub(method, request) == b""


async def status(door: Door, instance_id: str) -> int:
    return int((await door.state(instance_id)).workflowState.workflowStatus)


async def history(door: Door, instance_id: str) -> Any:
    family = dapr()
    request = family.GetInstanceHistoryRequest(instanceId=instance_id)
    reply = await door.hub("GetInstanceHistory", request, family.GetInstanceHistoryResponse)
    return reply.events


async def begun(door: Door, instance_id: str) -> None:
    """Start an instance and let it have its first turn."""
    await door.start(instance_id)
    async with worker(door) as hands:
        await hands.answer(await hands.turn())
    await door.started(instance_id)


async def stalled(door: Door, instance_id: str) -> None:
    """Start an instance whose version the worker does not have."""
    await door.start(instance_id)
    action = dapr().WorkflowAction(id=0)
    action.workflowVersionNotAvailable.SetInParent()
    async with worker(door) as hands:
        await hands.answer(await hands.turn(), action)
        while await status(door, instance_id) != STALLED:
            await door.hub("Hello", b"")


# ---- a missing, a finished and a stalled one


@pytest.mark.parametrize(
    ("method", "fields", "text"),
    [
        ("RaiseEvent", {"name": "e"}, MISSING),
        ("TerminateInstance", {}, f"failed to submit termination request: {MISSING}"),
        ("SuspendInstance", {}, MISSING),
        ("ResumeInstance", {}, MISSING),
    ],
)
async def test_a_missing_instance(door: Door, method: str, fields: Any, text: str) -> None:
    async with refused(Code.UNKNOWN, text):
        await change(door, method, instanceId="nobody", **fields)


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("RaiseEvent", {"name": "e"}),
        ("TerminateInstance", {"output": {"value": "late"}}),
        ("SuspendInstance", {}),
        ("ResumeInstance", {}),
    ],
)
async def test_a_finished_instance_takes_it_and_drops_it(
    door: Door, method: str, fields: Any
) -> None:
    await door.start("a")
    async with worker(door) as hands:
        await hands.finish_next()
        before = await door.finished("a")
    await change(door, method, instanceId="a", **fields)
    assert await door.state("a") == before


async def test_a_stalled_instance(door: Door) -> None:
    """It takes no event; it can be terminated."""
    await stalled(door, "a")
    async with refused(Code.UNKNOWN, "workflow is stalled"):
        await change(door, "RaiseEvent", instanceId="a", name="e")
    await change(door, "TerminateInstance", instanceId="a")
    assert await status(door, "a") == TERMINATED


# ---- RaiseEvent


async def test_events_come_in_order_and_as_they_were_sent(door: Door) -> None:
    await begun(door, "a")
    sent: list[tuple[str, str | None]] = [("Go", None), ("gO", ""), ("ü", '{"a": 1}'), ("Go", "2")]
    for name, text in sent:
        fields: dict[str, Any] = {} if text is None else {"input": {"value": text}}
        await change(door, "RaiseEvent", instanceId="a", name=name, **fields)
    async with worker(door) as hands:
        events = [e.eventRaised for e in (await hands.turn()).workflowRequest.newEvents[1:]]
    seen = [(e.name, e.input.value if e.HasField("input") else None) for e in events]
    assert seen == sent


async def test_an_event_needs_a_name(door: Door) -> None:
    await door.start("a")
    async with refused(Code.INVALID_ARGUMENT, "missing workflow event name"):
        await change(door, "RaiseEvent", instanceId="a")
    async with refused(Code.INVALID_ARGUMENT, "event name is longer than"):
        await change(door, "RaiseEvent", instanceId="a", name="n" * (NAME_BYTES_MAX + 1))


async def test_an_event_waits_for_a_first_worker(door: Door) -> None:
    await door.start("a")
    await change(door, "RaiseEvent", instanceId="a", name="early")
    async with worker(door) as hands:
        events = (await hands.turn()).workflowRequest.newEvents
    kinds = [event.WhichOneof("eventType") for event in events]
    assert kinds == ["workflowStarted", "executionStarted", "eventRaised"]


# ---- TerminateInstance


@pytest.mark.parametrize("output", [None, "", '"bye"'], ids=["absent", "empty", "there"])
async def test_terminate_is_in_force_when_it_is_answered(door: Door, output: str | None) -> None:
    fields: dict[str, Any] = {} if output is None else {"output": {"value": output}}
    for instance_id, prepare in (("new", door.start), ("old", None)):
        await (prepare(instance_id) if prepare else begun(door, instance_id))
        await change(door, "TerminateInstance", instanceId=instance_id, **fields)
        state = (await door.state(instance_id)).workflowState
        assert state.workflowStatus == TERMINATED
        assert state.HasField("output") is (output is not None)
        assert state.output.value == (output or "")


@pytest.mark.parametrize("recursive", [True, False])
async def test_terminate_reaches_the_children_if_asked_to(door: Door, recursive: bool) -> None:
    await door.start("a")
    async with worker(door) as hands:
        await hands.answer(await hands.turn(), child(1, "small", "b"))
        await hands.answer(await hands.turn())
    await door.started("b")
    await change(door, "TerminateInstance", instanceId="a", recursive=recursive)
    if recursive:
        reply = await door.finished("b")
        assert reply.workflowState.workflowStatus == TERMINATED
    else:
        assert await status(door, "b") == RUNNING


async def test_an_answer_after_a_terminate_is_dropped(door: Door) -> None:
    await door.start("a")
    async with worker(door) as hands:
        item = await hands.turn()
        await change(door, "TerminateInstance", instanceId="a", output={"value": "1"})
        await hands.answer(item)
    state = (await door.state("a")).workflowState
    assert (state.workflowStatus, state.output.value) == (TERMINATED, "1")


# ---- SuspendInstance and ResumeInstance


async def test_suspend_and_resume_are_in_force_when_they_are_answered(door: Door) -> None:
    await begun(door, "a")
    for _ in range(2):
        await change(door, "SuspendInstance", instanceId="a")
        assert await status(door, "a") == SUSPENDED
    for _ in range(2):
        await change(door, "ResumeInstance", instanceId="a")
        assert await status(door, "a") == RUNNING


async def test_a_suspended_instance_keeps_its_events(door: Door) -> None:
    await begun(door, "a")
    await change(door, "SuspendInstance", instanceId="a", reason={"value": "lunch"})
    await change(door, "RaiseEvent", instanceId="a", name="e")
    await change(door, "ResumeInstance", instanceId="a")
    async with worker(door) as hands:
        item = await hands.turn()
    events = item.workflowRequest.newEvents
    assert [event.WhichOneof("eventType") for event in events] == [
        "workflowStarted",
        "executionSuspended",
        "eventRaised",
        "executionResumed",
    ]
    assert events[1].executionSuspended.input.value == "lunch"
    assert not events[3].executionResumed.HasField("input")


async def test_an_empty_reason_is_not_an_absent_one(door: Door) -> None:
    await begun(door, "a")
    await change(door, "SuspendInstance", instanceId="a", reason={"value": ""})
    await change(door, "ResumeInstance", instanceId="a", reason={"value": ""})
    async with worker(door) as hands:
        await hands.finish_next()
        await door.finished("a")
    events = {event.WhichOneof("eventType"): event for event in await history(door, "a")}
    assert events["executionSuspended"].executionSuspended.HasField("input")
    assert events["executionResumed"].executionResumed.HasField("input")
