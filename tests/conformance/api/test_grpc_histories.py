"""TaskHubSidecarService: histories, listings, and beginning again from an event."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import grpc
import pytest

from tests.conformance.api.grpc_door import Door, open_door, refused
from tests.conformance.api.grpc_worker import Worker, child, complete, schedule, timer, worker
from tests.conformance.wire.released import dapr

Code = grpc.StatusCode


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


async def history(door: Door, instance_id: str) -> Any:
    family = dapr()
    request = family.GetInstanceHistoryRequest(instanceId=instance_id)
    reply = await door.hub("GetInstanceHistory", request, family.GetInstanceHistoryResponse)
    return list(reply.events)


def kinds(events: Any) -> list[str]:
    return [event.WhichOneof("eventType") for event in events]


# ---- GetInstanceHistory


async def test_a_missing_history(door: Door) -> None:
    async with refused(Code.NOT_FOUND, "workflow instance 'nobody' not found"):
        await history(door, "nobody")


async def test_the_committed_history_in_order(door: Door) -> None:
    await door.start("a", input={"value": "41"})
    assert await history(door, "a") == []  # what waits in the inbox is not history yet
    async with worker(door) as hands:
        await hands.answer(await hands.turn(), schedule(1, "act"), timer(2, 1))
        await hands.result(await hands.activity(), "42")
        fired: set[str] = set()
        while fired != {"taskCompleted", "timerFired"}:
            item = await hands.turn()
            fired |= set(kinds(item.workflowRequest.newEvents)) - {"workflowStarted"}
            ending = [complete(3, None)] if fired == {"taskCompleted", "timerFired"} else []
            await hands.answer(item, *ending)
        await door.finished("a")
    events = await history(door, "a")
    assert kinds(events)[:4] == [
        "workflowStarted",
        "executionStarted",
        "taskScheduled",
        "timerCreated",
    ]
    assert [event.eventId for event in events[:4]] == [-1, -1, 1, 2]
    assert kinds(events)[-1] == "executionCompleted"
    assert {"taskCompleted", "timerFired"} < set(kinds(events))


async def test_a_history_of_more_than_a_page(door: Door) -> None:
    await door.start("a")
    for number in range(1_200):
        event = dapr().RaiseEventRequest(instanceId="a", name=str(number))
        await door.hub("RaiseEvent", event)
    async with worker(door) as hands:
        await hands.finish_next()
        await door.finished("a")
    raised = [e.eventRaised.name for e in await history(door, "a") if e.HasField("eventRaised")]
    assert raised == [str(number) for number in range(1_200)]


async def test_a_history_that_fits_into_no_message() -> None:
    async with open_door(message_bytes_max=20_000) as door:
        await door.start("a")
        async with worker(door) as hands:
            await hands.answer(await hands.turn(), schedule(1, "act", "x" * 8_000))
            await hands.result(await hands.activity(), "y" * 8_000)
            await hands.finish_next(f'"{"z" * 8_000}"')
            await door.finished("a")
        async with refused(Code.RESOURCE_EXHAUSTED, "a message at most 20000"):
            await history(door, "a")
        assert (await door.state("a")).exists


# ---- ListInstanceIDs


async def ids(door: Door, **fields: Any) -> Any:
    family = dapr()
    request = family.ListInstanceIDsRequest(**fields)
    return await door.hub("ListInstanceIDs", request, family.ListInstanceIDsResponse)


async def test_ids_in_the_order_of_birth(door: Door) -> None:
    empty = await ids(door)
    assert list(empty.instanceIds) == []
    assert not empty.HasField("continuationToken")
    names = ["c", "a", "b"]
    for name in names:
        await door.start(name)
    assert list((await ids(door)).instanceIds) == names
    assert list((await ids(door, pageSize=0)).instanceIds) == names


async def test_pages_of_ids(door: Door) -> None:
    names = [f"i{number}" for number in range(5)]
    for name in names:
        await door.start(name)
    seen: list[list[str]] = []
    fields: dict[str, Any] = {}
    while True:
        page = await ids(door, pageSize=2, **fields)
        seen.append(list(page.instanceIds))
        if not page.HasField("continuationToken"):
            break
        fields = {"continuationToken": page.continuationToken}
    assert seen == [names[:2], names[2:4], names[4:]]
    whole = await ids(door, pageSize=5)
    assert not whole.HasField("continuationToken")
    assert len((await ids(door, pageSize=2**32 - 1)).instanceIds) == len(names)


@pytest.mark.parametrize("token", ["nonsense", "-1", "9" * 40, "٣"])
async def test_a_token_of_nobody(door: Door, token: str) -> None:
    async with refused(Code.INVALID_ARGUMENT, "token"):
        await ids(door, continuationToken=token)


# ---- RerunWorkflowFromEvent


async def rerun(door: Door, **fields: Any) -> str:
    family = dapr()
    request = family.RerunWorkflowFromEventRequest(**fields)
    reply = await door.hub("RerunWorkflowFromEvent", request, family.RerunWorkflowFromEventResponse)
    return str(reply.newInstanceID)


async def ran(door: Door, hands: Worker, instance_id: str) -> None:
    """An instance with an activity 1, a timer 2 and a child 3 that has finished."""
    await door.start(instance_id)
    await hands.answer(
        await hands.turn(), schedule(1, "act", "41"), timer(2, 1), child(3, "small", "kid")
    )
    done = False
    while not done:
        item = await hands.item()
        if item.HasField("activityRequest"):
            await hands.result(item, "42")
        elif item.workflowRequest.instanceId == "kid":
            await hands.answer(item, complete(1, "7"))
        else:
            request = item.workflowRequest
            seen = kinds([*request.pastEvents, *request.newEvents])
            done = {"taskCompleted", "timerFired", "childWorkflowInstanceCompleted"} <= set(seen)
            await hands.answer(item, *([complete(4, '"all"')] if done else []))
    await door.finished(instance_id)


@pytest.mark.parametrize(
    ("fields", "code", "text"),
    [
        ({}, Code.INVALID_ARGUMENT, "rerun workflow source instance ID is required"),
        (
            {"sourceInstanceID": "a", "eventID": 1, "newInstanceID": "a"},
            Code.INVALID_ARGUMENT,
            "rerun workflow instance ID must be different from the original instance ID",
        ),
        (
            {"sourceInstanceID": "nobody", "eventID": 1},
            Code.NOT_FOUND,
            "workflow instance does not exist with ID 'nobody'",
        ),
        (
            {"sourceInstanceID": "running", "eventID": 1},
            Code.INVALID_ARGUMENT,
            "'running' is not in a terminal state",
        ),
        (
            {"sourceInstanceID": "kid", "eventID": 1},
            Code.INVALID_ARGUMENT,
            "'kid': cannot rerun from child-workflows",
        ),
        (
            {"sourceInstanceID": "a", "eventID": 9},
            Code.NOT_FOUND,
            "does not have history event with ID '9'",
        ),
        (
            {"sourceInstanceID": "a", "eventID": 4},
            Code.NOT_FOUND,
            "target event '*protos.HistoryEvent_ExecutionCompleted' with ID '4' is not an event",
        ),
        (
            {"sourceInstanceID": "a", "eventID": 2, "overwriteInput": True},
            Code.INVALID_ARGUMENT,
            "cannot write input to timer event '2'",
        ),
        (
            {"sourceInstanceID": "a", "eventID": 1, "newChildWorkflowInstanceID": "x"},
            Code.INVALID_ARGUMENT,
            "cannot set new child workflow instance ID on activity event '1'",
        ),
        (
            {"sourceInstanceID": "a", "eventID": 2, "newChildWorkflowInstanceID": "x"},
            Code.INVALID_ARGUMENT,
            "cannot set new child workflow instance ID on timer event '2'",
        ),
        (
            {"sourceInstanceID": "a", "eventID": 1, "newInstanceID": "running"},
            Code.ALREADY_EXISTS,
            "workflow 'running' has already been created",
        ),
    ],
)
async def test_what_cannot_be_run_again(
    door: Door, fields: Any, code: grpc.StatusCode, text: str
) -> None:
    async with worker(door) as hands:
        await ran(door, hands, "a")
    await door.start("running")
    async with refused(code, text):
        await rerun(door, **fields)


async def test_an_activity_is_run_again_with_another_input(door: Door) -> None:
    async with worker(door) as hands:
        await ran(door, hands, "a")
        fields = {"input": {"value": "100"}, "overwriteInput": True}
        new_id = await rerun(door, sourceInstanceID="a", eventID=1, newInstanceID="b", **fields)
        assert new_id == "b"
        request = (await hands.activity()).activityRequest
    assert (request.workflowInstance.instanceId, request.taskId) == ("b", 1)
    assert (request.name, request.input.value) == ("act", "100")


async def test_a_new_id_is_made_up_if_none_is_given(door: Door) -> None:
    async with worker(door) as hands:
        await ran(door, hands, "a")
        UUID(await rerun(door, sourceInstanceID="a", eventID=1))


async def test_a_child_is_run_again_under_the_id_that_is_asked_for(door: Door) -> None:
    async with worker(door) as hands:
        await ran(door, hands, "a")
        fields = {"newInstanceID": "b", "newChildWorkflowInstanceID": "kid2"}
        await rerun(door, sourceInstanceID="a", eventID=3, **fields)
        request = (await hands.turn()).workflowRequest
    assert request.instanceId == "kid2"
