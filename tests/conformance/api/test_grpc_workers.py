"""The workers' streams: who gets the work, what comes of a worker that goes, and of its answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from perdure.base.limits import STREAM_ITEMS_MAX_NODE
from tests.conformance.api.grpc_door import DEADLINE_S, HOST, Door, open_door, refused
from tests.conformance.api.grpc_worker import Streamed, complete, schedule, worker
from tests.conformance.wire.released import dapr

Code = grpc.StatusCode
RUNNING, COMPLETED = 0, 1
WORK = "/TaskHubSidecarService/GetWorkItems"
NOT_NOW = "unable to establish work item stream at this time: "


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


# ---- streams


async def test_a_stream_is_counted_while_it_is_open(door: Door) -> None:
    async with worker(door):
        assert door.server.connected_workers == 1
        assert door.runtime.connected_workers() == 1
    await door.watcher.until_gone(1)
    assert door.server.connected_workers == 0


async def test_the_work_of_a_worker_that_goes_is_handed_out_again(door: Door) -> None:
    await door.start("a")
    async with worker(door) as first:
        item = await first.turn()
    async with worker(door) as second:
        again = await second.turn()
        assert again.workflowRequest.newEvents == item.workflowRequest.newEvents
        await second.answer(again, schedule(1, "act"))
        activity = await second.activity()
    async with worker(door) as third:
        assert (await third.activity()).activityRequest == activity.activityRequest


async def test_a_batch_stays_the_same_when_it_is_handed_out_again(door: Door) -> None:
    """What comes meanwhile waits for the next turn."""
    await door.start("a")
    async with worker(door) as first:
        item = await first.turn()
        await door.hub("RaiseEvent", dapr().RaiseEventRequest(instanceId="a", name="e"))
    async with worker(door) as second:
        again = await second.turn()
        assert again.workflowRequest.newEvents == item.workflowRequest.newEvents
        await second.answer(again)
        events = (await second.turn()).workflowRequest.newEvents
    assert [event.WhichOneof("eventType") for event in events] == ["workflowStarted", "eventRaised"]


async def test_an_item_goes_to_one_worker(door: Door) -> None:
    async with worker(door) as first, worker(door) as second:
        for number in range(10):
            await door.start(f"i{number}")
        seen = [await each.turn() for each in (first, second) for _ in range(5)]
    assert {item.workflowRequest.instanceId for item in seen} == {f"i{n}" for n in range(10)}


async def test_a_javascript_worker_is_not_sent_more_than_it_keeps(door: Door) -> None:
    count = STREAM_ITEMS_MAX_NODE + 20
    for number in range(count):
        await door.start(f"i{number}")
    options = (("grpc.primary_user_agent", "grpc-node-js/1.8.1"),)
    async with grpc.aio.insecure_channel(f"{HOST}:{door.port}", options=options) as channel:
        door.channel = channel
        async with worker(door) as hands:
            items = [await hands.turn() for _ in range(STREAM_ITEMS_MAX_NODE)]
            reading = asyncio.ensure_future(hands.stream.read())
            for _ in range(20):
                await door.hub("Hello", b"")
            assert not reading.done()
            await hands.answer(items[0])
            async with asyncio.timeout(DEADLINE_S):
                assert isinstance(await reading, bytes)


async def test_a_worker_that_keeps_histories_is_sent_what_is_new(door: Door) -> None:
    await door.start("a")
    async with worker(door, b"\x22\x02\x03\x02") as hands:
        lengths = []
        for number in range(1, 4):
            item = await hands.turn()
            request = item.workflowRequest
            lengths.append((request.cachedHistory.eventCount, len(request.pastEvents)))
            await hands.answer(item, schedule(number, "act"))
            await hands.result(await hands.activity(), None)
    # Nothing at first, then all of it, then what was added.
    assert lengths == [(0, 0), (0, 3), (3, 3)]


async def test_there_is_a_bound_on_workers() -> None:
    async with open_door(streams_max=1) as door, worker(door):
        async with refused(Code.UNAVAILABLE, f"{NOT_NOW}1 workers are connected"):
            await _refused_stream(door)
        assert await door.hub("Hello", b"") == b""


async def test_a_stopping_engine_takes_no_workers(door: Door) -> None:
    door.engine.stop_handing_out()
    async with refused(Code.UNAVAILABLE, NOT_NOW):
        await _refused_stream(door)


async def _refused_stream(door: Door) -> None:
    method: Streamed = door.channel.unary_stream(WORK)
    async for _ in method(b"", timeout=DEADLINE_S):
        continue


async def test_a_worker_that_takes_nothing_loses_its_work() -> None:
    """It is connected and does not read; its stream ends and another worker gets on with it."""
    window = 64 * 1_024
    options = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", window))
    async with open_door(send_timeout_us=50_000) as door:
        for number in range(8):
            await door.start(f"i{number}", input={"value": "x" * 1_000_000})
        address = f"{HOST}:{door.port}"
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            method: Streamed = channel.unary_stream(WORK)
            stuck = method(b"")
            await stuck.initial_metadata()
            await door.watcher.until_gone(1)
            async with worker(door) as hands:
                seen = {(await hands.turn()).workflowRequest.instanceId for _ in range(8)}
            stuck.cancel()
    assert seen == {f"i{number}" for number in range(8)}


# ---- answers


@pytest.mark.parametrize("method", ["CompleteOrchestratorTask", "CompleteWorkflowTask"])
async def test_a_turn_is_answered_under_either_name(door: Door, method: str) -> None:
    await door.start("a")
    async with worker(door) as hands:
        item = await hands.turn()
        response = dapr().WorkflowResponse(
            instanceId="a", completionToken=item.completionToken, actions=[complete(1, '"x"')]
        )
        assert await door.hub(method, response) == b""
        assert (await door.finished("a")).workflowState.output.value == '"x"'


async def test_answers_without_a_token_are_taken(door: Door) -> None:
    """JavaScript, .NET and older SDKs do not echo it."""
    await door.start("a")
    async with worker(door) as hands:
        item = await hands.turn()
        item.completionToken = ""
        await hands.answer(item, schedule(1, "act"))
        activity = await hands.activity()
        activity.completionToken = ""
        await hands.result(activity, "42")
        events = (await hands.turn()).workflowRequest.newEvents
    assert events[1].taskCompleted.result.value == "42"


async def test_answers_to_nothing_are_dropped(door: Door) -> None:
    family = dapr()
    for instance_id in ("nobody", ""):
        turn = family.WorkflowResponse(instanceId=instance_id, completionToken="x")
        activity = family.ActivityResponse(instanceId=instance_id, taskId=7, completionToken="x")
        assert await door.hub("CompleteOrchestratorTask", turn) == b""
        assert await door.hub("CompleteActivityTask", activity) == b""


async def test_an_answer_that_comes_twice_counts_once(door: Door) -> None:
    await door.start("a")
    async with worker(door) as hands:
        item = await hands.turn()
        for _ in range(2):
            await hands.answer(item, schedule(1, "act"))
        activity = await hands.activity()
        for text in ("first", "second"):
            await hands.result(activity, text)
        item = await hands.turn()
        assert [e.taskCompleted.result.value for e in item.workflowRequest.newEvents[1:]] == [
            "first"
        ]
        await hands.answer(item, complete(2, None))
        await hands.answer(item, complete(2, '"late"'))
        state = (await door.finished("a")).workflowState
    assert not state.HasField("output")


async def test_an_answer_with_another_token_is_dropped(door: Door) -> None:
    await door.start("a")
    async with worker(door) as hands:
        item = await hands.turn()
        token, item.completionToken = item.completionToken, "another"
        await hands.answer(item, complete(1, '"wrong"'))
        item.completionToken = token
        await hands.answer(item, complete(1, '"right"'))
        assert (await door.finished("a")).workflowState.output.value == '"right"'


async def test_the_answer_of_a_worker_whose_stream_has_gone_finds_nothing(door: Door) -> None:
    await door.start("a")
    async with worker(door) as first:
        item = await first.turn()
    await door.watcher.until_gone(1)
    async with worker(door) as second:
        again = await second.turn()
        await first.answer(item, complete(1, '"late"'))
        await second.answer(again, complete(1, '"fresh"'))
        assert (await door.finished("a")).workflowState.output.value == '"fresh"'


def _action(**fields: Any) -> Any:
    return dapr().WorkflowAction(**fields)


@pytest.mark.parametrize(
    "actions",
    [
        [_action(id=1)],
        [_action(id=1, completeWorkflow={"workflowStatus": 77})],
        [_action(id=1, completeWorkflow={"workflowStatus": 0})],
        [schedule(1, "act"), schedule(1, "act")],
        [_action(id=1, completeWorkflow={"workflowStatus": 2, "carryoverEvents": [{}]})],
    ],
    ids=["none", "no such status", "running", "an id twice", "carries nothing"],
)
async def test_an_answer_that_breaks_the_protocol(door: Door, actions: Any) -> None:
    """The worker is told; the turn is tried again, and nothing else is disturbed."""
    await door.start("a")
    async with worker(door) as hands:
        item = await hands.turn()
        async with refused(Code.INVALID_ARGUMENT):
            await hands.answer(item, *actions)
        await door.start("b")
        while (item := await hands.turn()).workflowRequest.instanceId != "b":
            continue
        await hands.answer(item, complete(1, None))
        assert (await door.finished("b")).workflowState.workflowStatus == COMPLETED
        assert not (await door.state("a")).workflowState.HasField("output")


@pytest.mark.parametrize("method", ["CompleteOrchestratorTask", "CompleteActivityTask"])
async def test_an_answer_that_cannot_be_parsed(door: Door, method: str) -> None:
    async with refused(Code.INVALID_ARGUMENT, "cannot be parsed"):
        await door.hub(method, b"\x0a\xff")


# ---- stopping


async def test_streams_end_well_and_nobody_is_let_in_again() -> None:
    async with open_door() as door:
        await door.start("a")
        async with worker(door) as hands:
            await hands.turn()
            stopping = asyncio.create_task(door.server.stop(5.0, door.engine.stop_handing_out))
            await hands.ended()
            assert await hands.stream.code() is Code.OK
            async with refused(Code.UNAVAILABLE):
                await door.hub("Hello", b"")
            await stopping


async def test_calls_that_wait_are_told_to_try_again() -> None:
    async with open_door() as door:
        waiting = asyncio.create_task(door.finished("nobody"))
        await door.hub("Hello", b"")
        await door.server.stop(5.0, door.engine.stop_handing_out)
        async with refused(Code.UNAVAILABLE, "the server is stopping; try again"):
            await waiting


async def test_a_stopped_server_is_stopped() -> None:
    async with open_door() as door:
        for _ in range(2):
            await door.server.stop(5.0, door.engine.stop_handing_out)
