"""Microsoft's dialect: the streams that speak it, and the methods that only its clients call."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import grpc
import pytest

from perdure.wire.generated.history_pb2 import HistoryEvent
from tests.conformance.api.grpc_door import DEADLINE_S, Door, open_door, refused
from tests.conformance.api.grpc_worker import Streamed, complete, schedule, worker
from tests.conformance.wire.released import dapr, microsoft

Code = grpc.StatusCode
COMPLETED, PENDING = 1, 6


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


def opening(**fields: Any) -> Any:
    return microsoft().GetWorkItemsRequest(**({"worker_instance_id": "w"} | fields))


async def made(door: Door, *instance_ids: str) -> None:
    async with worker(door) as hands:
        for instance_id in instance_ids:
            await door.start(instance_id, input={"value": "1"})
            await hands.finish_next()
            await door.finished(instance_id)


# ---- streams


async def test_what_means_something_else_there_is_not_sent(door: Door) -> None:
    """No route, which is a rewind there, and no task execution id, which is a map of tags."""
    await door.start("a")
    async with worker(door, opening(), family=dapr()) as hands:
        item = await hands.turn()
        await hands.answer(item, schedule(1, "act", "41"))
        activity = await hands.activity()
        await hands.result(activity, "42")
        second = (await hands.turn()).workflowRequest
    assert activity.activityRequest.taskExecutionId == ""
    for request in (item.workflowRequest, second):
        assert not request.HasField("router")
        assert not any(event.HasField("router") for event in request.pastEvents)
        assert not any(event.HasField("router") for event in request.newEvents)
    scheduled = [e.taskScheduled for e in second.pastEvents if e.HasField("taskScheduled")]
    assert [(task.name, task.taskExecutionId) for task in scheduled] == [("act", "")]


async def test_its_items_are_read_by_its_own_messages(door: Door) -> None:
    await door.start("a")
    async with worker(door, opening(), family=microsoft()) as hands:
        item = await hands.item()
    events = item.orchestratorRequest.newEvents
    kinds = [event.WhichOneof("eventType") for event in events]
    assert kinds == ["orchestratorStarted", "executionStarted"]


async def test_its_field_six_is_no_list_of_patches(door: Door) -> None:
    await door.start("a")
    response = microsoft().OrchestratorResponse(instanceId="a")
    response.orchestrationTraceContext.SetInParent()
    async with worker(door, opening(), family=microsoft()) as hands:
        item = await hands.item()
        response.completionToken = item.completionToken
        # A string in field 1 of field 6: for Dapr the patch "p".
        data = response.SerializeToString() + b"\x32\x03\x0a\x01p"
        await door.hub("CompleteOrchestratorTask", data)
        await door.started("a")
    await door.hub("RaiseEvent", dapr().RaiseEventRequest(instanceId="a", name="e"))
    async with worker(door) as hands:
        await hands.answer(await hands.turn(), complete(1, None))
        assert (await door.finished("a")).workflowState.workflowStatus == COMPLETED


async def test_an_idle_stream_is_pinged() -> None:
    async with (
        open_door(ping_after_us=20_000) as door,
        worker(door, opening(), family=microsoft()) as hands,
    ):
        for _ in range(2):
            assert (await hands.item()).HasField("healthPing")


async def test_a_newer_dapr_worker_that_asks_for_pings_gets_its_own() -> None:
    async with open_door(ping_after_us=20_000) as door, worker(door, b"\x22\x02\x03\x02") as hands:
        assert (await hands.item()).HasField("healthPing")


async def test_a_worker_says_how_much_it_takes_at_once(door: Door) -> None:
    for name in ("a", "b"):
        await door.start(name)
    bounded = opening(maxConcurrentOrchestrationWorkItems=1, maxConcurrentActivityWorkItems=1)
    async with worker(door, bounded) as hands:
        first = await hands.turn()
        await hands.answer(first, schedule(1, "act"), schedule(2, "act"))
        # Of a turn and two activities one turn and one activity are sent.
        items = [await hands.item() for _ in range(2)]
        kinds = sorted(item.WhichOneof("request") for item in items)
        assert kinds == ["activityRequest", "workflowRequest"]
        await hands.result(next(i for i in items if i.HasField("activityRequest")), None)
        assert (await hands.item()).HasField("activityRequest")


# ---- methods


async def query(door: Door, **fields: Any) -> Any:
    family = microsoft()
    request = family.QueryInstancesRequest(query=fields)
    return await door.hub("QueryInstances", request, family.QueryInstancesResponse)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, ["a1", "a2", "b"]),
        ({"runtimeStatus": [COMPLETED]}, ["a1", "a2"]),
        ({"runtimeStatus": [COMPLETED, PENDING]}, ["a1", "a2", "b"]),
        ({"instanceIdPrefix": {"value": "a"}}, ["a1", "a2"]),
        ({"instanceIdPrefix": {"value": "a"}, "runtimeStatus": [PENDING]}, []),
        ({"createdTimeFrom": {"seconds": 1}}, ["a1", "a2", "b"]),
        ({"createdTimeTo": {"seconds": 1}}, []),
    ],
)
async def test_queries(door: Door, fields: Any, found: list[str]) -> None:
    await made(door, "a1", "a2")
    await door.start("b")
    reply = await query(door, **fields)
    assert [state.instanceId for state in reply.orchestrationState] == found
    assert not any(state.HasField("input") for state in reply.orchestrationState)
    assert not reply.HasField("continuationToken")


async def test_queries_in_pages_and_with_payloads(door: Door) -> None:
    await made(door, "a", "b", "c")
    first = await query(door, maxInstanceCount=2, fetchInputsAndOutputs=True)
    token = {"value": first.continuationToken.value}
    second = await query(door, maxInstanceCount=2, continuationToken=token)
    states = [*first.orchestrationState, *second.orchestrationState]
    assert [state.instanceId for state in states] == ["a", "b", "c"]
    assert [state.input.value for state in states] == ["1", "1", ""]
    assert states[0].output.value == '"done"'
    assert not second.HasField("continuationToken")
    async with refused(Code.INVALID_ARGUMENT, "token"):
        await query(door, continuationToken={"value": "nonsense"})


async def list_finished(door: Door, **fields: Any) -> Any:
    family = microsoft()
    request = family.ListInstanceIdsRequest(**fields)
    return await door.hub("ListInstanceIds", request, family.ListInstanceIdsResponse)


async def test_the_ids_of_the_finished(door: Door) -> None:
    await made(door, "a", "b")
    await door.start("running")
    assert list((await list_finished(door)).instanceIds) == ["a", "b"]
    assert list((await list_finished(door, completedTimeTo={"seconds": 1})).instanceIds) == []
    assert list((await list_finished(door, runtimeStatus=[3])).instanceIds) == []
    page = await list_finished(door, pageSize=1)
    assert list(page.instanceIds) == ["a"]
    key = {"value": page.lastInstanceKey.value}
    assert list((await list_finished(door, pageSize=1, lastInstanceKey=key)).instanceIds) == ["b"]


async def chunks(door: Door, instance_id: str) -> list[Any]:
    family = microsoft()
    method: Streamed = door.channel.unary_stream("/TaskHubSidecarService/StreamInstanceHistory")
    request = family.StreamInstanceHistoryRequest(instanceId=instance_id)
    call = method(request.SerializeToString(), timeout=DEADLINE_S)
    return [family.HistoryChunk.FromString(data) async for data in call]


async def test_a_history_in_chunks() -> None:
    async with open_door(message_bytes_max=8_000) as door:
        await door.start("a")
        async with worker(door) as hands:
            await hands.answer(await hands.turn(), schedule(1, "act", "x" * 2_500))
            await hands.result(await hands.activity(), "y" * 2_500)
            await hands.finish_next()
            await door.finished("a")
        streamed = await chunks(door, "a")
    assert len(streamed) > 1
    events = [event for chunk in streamed for event in chunk.events]
    assert events[1].executionStarted.name == "flow"
    assert events[2].taskScheduled.input.value == "x" * 2_500
    assert not any(
        HistoryEvent.FromString(e.SerializeToString()).HasField("router") for e in events
    )


async def test_a_missing_history_in_chunks(door: Door) -> None:
    async with refused(Code.NOT_FOUND, "workflow instance 'nobody' not found"):
        await chunks(door, "nobody")


async def restart(door: Door, instance_id: str, *, anew: bool) -> str:
    family = microsoft()
    fields = {"instanceId": instance_id, "restartWithNewInstanceId": anew}
    request = family.RestartInstanceRequest(**fields)
    reply = await door.hub("RestartInstance", request, family.RestartInstanceResponse)
    return str(reply.instanceId)


async def test_a_finished_instance_is_started_again(door: Door) -> None:
    await made(door, "a")
    assert await restart(door, "a", anew=False) == "a"
    state = (await door.state("a")).workflowState
    assert (state.name, state.input.value, state.workflowStatus) == ("flow", "1", PENDING)


async def test_a_finished_instance_is_started_again_under_a_new_id(door: Door) -> None:
    await made(door, "a")
    new_id = await restart(door, "a", anew=True)
    UUID(new_id)
    assert (await door.state(new_id)).workflowState.input.value == "1"
    assert (await door.state("a")).workflowState.workflowStatus == COMPLETED


async def test_what_cannot_be_started_again(door: Door) -> None:
    async with refused(Code.NOT_FOUND, "workflow instance 'nobody' not found"):
        await restart(door, "nobody", anew=False)
    await door.start("a")
    async with refused(Code.FAILED_PRECONDITION, "has not finished"):
        await restart(door, "a", anew=True)


@pytest.mark.parametrize(
    "method",
    [
        "RewindInstance",
        "CreateTaskHub",
        "DeleteTaskHub",
        "AbandonTaskActivityWorkItem",
        "AbandonTaskOrchestratorWorkItem",
        "AbandonTaskEntityWorkItem",
        "SignalEntity",
        "GetEntity",
        "QueryEntities",
        "CleanEntityStorage",
        "CompleteEntityTask",
        "SkipGracefulOrchestrationTerminations",
    ],
)
async def test_what_is_not_there(door: Door, method: str) -> None:
    async with refused(Code.UNIMPLEMENTED, f"'/TaskHubSidecarService/{method}' is not served here"):
        await door.hub(method, b"")
