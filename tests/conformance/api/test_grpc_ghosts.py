"""A worker that echoes no tokens, whose connection broke, and that answers all the same."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.conformance.api.grpc_door import Door, open_door
from tests.conformance.api.grpc_frames import (
    END_HEADERS,
    END_STREAM,
    Connection,
    Kind,
    connection,
)
from tests.conformance.api.grpc_worker import Worker, complete, worker
from tests.conformance.wire import released
from tests.unit.transport.http2 import block as headers
from tests.unit.transport.http2 import message

COMPLETE = b"/TaskHubSidecarService/CompleteOrchestratorTask"


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


async def _call(on: Connection, path: bytes, data: bytes) -> None:
    await on.send(Kind.HEADERS, END_HEADERS, 1, headers(path))
    await on.send(Kind.DATA, END_STREAM, 1, message(data))


async def _turn_of(on: Connection) -> Any:
    """The first turn on a new stream of work items."""
    await _call(on, b"/TaskHubSidecarService/GetWorkItems", b"")
    frame = await on.until(Kind.DATA)
    assert frame is not None
    return released.dapr().WorkItem.FromString(frame.payload[5:]).workflowRequest


async def _raise(door: Door, name: str) -> None:
    request = released.dapr().RaiseEventRequest(instanceId="i", name=name)
    await door.hub("RaiseEvent", request)


async def _raised_in(hands: Worker) -> list[str]:
    turn = (await hands.turn()).workflowRequest
    return [event.eventRaised.name for event in turn.newEvents if event.HasField("eventRaised")]


async def test_an_answer_over_a_new_connection_is_not_the_next_turns(door: Door) -> None:
    nothing = released.dapr().WorkflowResponse(instanceId="i")
    await door.start("i")
    async with connection(door.port) as broken:
        assert (await _turn_of(broken)).instanceId == "i"
    await door.watcher.until_gone(1)
    async with worker(door) as hands:
        await hands.turn()
        await door.hub("CompleteOrchestratorTask", nothing)
        await _raise(door, "go")
        assert await _raised_in(hands) == ["go"]
        async with connection(door.port) as late:
            await _call(late, COMPLETE, nothing.SerializeToString())
            assert await _raised_in(hands) == ["go"], "the turn is there once more"
        own = released.dapr().WorkflowResponse(instanceId="i", actions=[complete(1, '"seen"')])
        await door.hub("CompleteOrchestratorTask", own)
        assert (await door.finished("i")).workflowState.output.value == '"seen"'


async def test_two_equal_answers_are_believed(door: Door) -> None:
    nothing = released.dapr().WorkflowResponse(instanceId="i")
    await door.start("i")
    async with connection(door.port) as broken:
        await _turn_of(broken)
    await door.watcher.until_gone(1)
    async with worker(door) as hands:
        await hands.turn()
        await door.hub("CompleteOrchestratorTask", nothing)
        await _raise(door, "one")
        for _ in range(2):
            assert await _raised_in(hands) == ["one"]
            await door.hub("CompleteOrchestratorTask", nothing)
        await _raise(door, "two")
        assert await _raised_in(hands) == ["two"]
