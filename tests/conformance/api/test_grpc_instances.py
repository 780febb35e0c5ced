"""TaskHubSidecarService: starting an instance, and looking at it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import grpc
import pytest

from perdure.base.limits import (
    NAME_BYTES_MAX,
    TAG_KEY_CHARS_MAX,
    TAG_VALUE_CHARS_MAX,
    TAGS_MAX,
    TASKHUB_INSTANCE_ID_BYTES_MAX,
)
from tests.conformance.api.grpc_door import Door, Unary, open_door, refused
from tests.conformance.api.grpc_worker import FAILED, child, complete, worker
from tests.conformance.wire.released import dapr, microsoft, older

Code = grpc.StatusCode
RUNNING, COMPLETED, TERMINATED, PENDING = 0, 1, 5, 6
TAGS = "dapr-workflow-metadata"


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


async def test_hello(door: Door) -> None:
    assert await door.hub("Hello", b"") == b""


# ---- StartInstance


async def test_a_start_needs_no_worker(door: Door) -> None:
    assert await door.start("a") == "a"
    state = (await door.state("a")).workflowState
    assert (state.instanceId, state.name, state.workflowStatus) == ("a", "flow", PENDING)


async def test_an_empty_id_is_filled_in(door: Door) -> None:
    UUID(await door.start(""))


@pytest.mark.parametrize("instance_id", ["a:0001", "x||y|z@device", "ä/ b", "i" * 1_024])
async def test_any_id_is_taken(door: Door, instance_id: str) -> None:
    assert await door.start(instance_id) == instance_id
    assert (await door.state(instance_id)).exists


async def test_what_cannot_be_started(door: Door) -> None:
    async with refused(Code.INVALID_ARGUMENT, "workflow name is not configured"):
        await door.start("a", "")
    async with refused(Code.INVALID_ARGUMENT, "workflow name is longer than"):
        await door.start("a", "n" * (NAME_BYTES_MAX + 1))
    async with refused(Code.INVALID_ARGUMENT, "instance ID is longer than"):
        await door.start("i" * (TASKHUB_INSTANCE_ID_BYTES_MAX + 1))
    async with refused(Code.INVALID_ARGUMENT, "cannot be named 'dapr'"):
        await door.start("a", "dapr")
    assert not (await door.state("a")).exists


async def test_an_active_id_is_taken(door: Door) -> None:
    """Both texts that the SDKs' tests look for are there."""
    await door.start("a")
    released = (
        "failed to create workflow instance: rpc error: code = AlreadyExists desc = "
        "an active workflow with ID 'a' already exists"
    )
    async with refused(Code.ALREADY_EXISTS, released, "orchestration instance already exists"):
        await door.start("a")


async def test_a_finished_id_is_replaced(door: Door) -> None:
    async with worker(door) as hands:
        await door.start("a")
        await hands.finish_next()
        first = await door.finished("a")
        await door.start("a", "other")
    second = await door.state("a")
    assert second.workflowState.name == "other"
    assert second.workflowState.workflowStatus == PENDING
    assert second.workflowState.executionId != first.workflowState.executionId


async def test_a_unique_id_is_not_replaced(door: Door) -> None:
    async with worker(door) as hands:
        await door.start("a")
        await hands.finish_next()
        await door.finished("a")
    async with refused(Code.ALREADY_EXISTS, "already exists"):
        await door.start("a", enforceUniqueInstanceId=True)


async def test_microsofts_request_time_does_not_make_an_id_unique(door: Door) -> None:
    async with worker(door) as hands:
        await door.start("a")
        await hands.finish_next()
        await door.finished("a")
    request = microsoft().CreateInstanceRequest(instanceId="a", name="again")
    request.requestTime.seconds = 1
    await door.hub("StartInstance", request)
    assert (await door.state("a")).workflowState.name == "again"


async def _start_with_policy(door: Door, action: int, *statuses: int) -> str:
    request = older().CreateInstanceRequest(instanceId="a", name="second")
    request.orchestrationIdReusePolicy.operationStatus.extend(statuses)
    request.orchestrationIdReusePolicy.action = action
    reply = await door.hub("StartInstance", request, dapr().CreateInstanceResponse)
    return str(reply.instanceId)


@pytest.mark.parametrize(
    ("action", "statuses", "name"),
    [(1, (PENDING,), "flow"), (2, (RUNNING, PENDING), "second")],
    ids=["ignore", "terminate"],
)
async def test_reuse_policies(door: Door, action: int, statuses: Any, name: str) -> None:
    await door.start("a")
    assert await _start_with_policy(door, action, *statuses) == "a"
    assert (await door.state("a")).workflowState.name == name


@pytest.mark.parametrize(
    ("action", "statuses"),
    [(0, (PENDING,)), (1, (RUNNING,)), (2, (RUNNING,)), (2, ())],
    ids=["error", "ignore another", "terminate another", "terminate none"],
)
async def test_reuse_policies_that_do_not_fit(door: Door, action: int, statuses: Any) -> None:
    await door.start("a")
    async with refused(Code.ALREADY_EXISTS, "already exists"):
        await _start_with_policy(door, action, *statuses)
    assert (await door.state("a")).workflowState.name == "flow"


@pytest.mark.parametrize("text", [None, "", "41"], ids=["absent", "empty", "there"])
async def test_the_input_stays_as_it_was_sent(door: Door, text: str | None) -> None:
    fields: dict[str, Any] = {} if text is None else {"input": {"value": text}}
    await door.start("a", **fields)
    state = (await door.state("a")).workflowState
    assert state.HasField("input") is (text is not None)
    assert state.input.value == (text or "")
    async with worker(door) as hands:
        begun = (await hands.turn()).workflowRequest.newEvents[1].executionStarted
    assert begun.HasField("input") is (text is not None)
    assert begun.input.value == (text or "")


async def test_the_version_reaches_the_worker(door: Door) -> None:
    await door.start("a", version={"value": "1.2"})
    async with worker(door) as hands:
        begun = (await hands.turn()).workflowRequest.newEvents[1].executionStarted
    assert begun.version.value == "1.2"


async def test_the_trace_goes_on(door: Door) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    parent = f"00-{trace_id}-b7ad6b7169203331-01"
    await door.start("a", parentTraceContext={"traceParent": parent})
    async with worker(door) as hands:
        begun = (await hands.turn()).workflowRequest.newEvents[1].executionStarted
    assert begun.parentTraceContext.traceParent.split("-")[1] == trace_id


async def test_a_scheduled_start_waits_for_its_time(door: Door) -> None:
    due = int(time.time()) + 3_600
    await door.start("later", scheduledStartTimestamp={"seconds": due})
    await door.start("now")
    async with worker(door) as hands:
        assert (await hands.turn()).workflowRequest.instanceId == "now"
    state = (await door.state("later")).workflowState
    assert state.workflowStatus == PENDING
    assert state.scheduledStartTimestamp.seconds == due


async def test_a_worker_gets_the_work_of_its_own_app(door: Door) -> None:
    """The protocol does not carry the app; request metadata does, or a start's router."""
    family = dapr()
    by_metadata = family.CreateInstanceRequest(instanceId="a", name="flow")
    await door.hub("StartInstance", by_metadata, metadata=[("dapr-app-id", "other")])
    await door.start("b", router={"targetAppID": "third"})
    await door.start("c")
    for app, instance_id in (("other", "a"), ("third", "b"), ("app", "c")):
        async with worker(door, metadata=[("dapr-app-id", app)]) as hands:
            request = (await hands.turn()).workflowRequest
        assert request.instanceId == instance_id
        assert request.newEvents[1].router.sourceAppID == app


async def test_tags_from_the_request_and_from_its_metadata(door: Door) -> None:
    request = dapr().CreateInstanceRequest(instanceId="a", name="flow", tags={"b": "2", "c": "3"})
    metadata = [(TAGS, "a=1; b=x"), (TAGS, "d=4")]
    await door.hub("StartInstance", request, metadata=metadata)
    expected = {"a": "1", "b": "2", "c": "3", "d": "4"}
    assert dict((await door.state("a")).workflowState.tags) == expected
    async with worker(door) as hands:
        begun = (await hands.turn()).workflowRequest.newEvents[1].executionStarted
    assert dict(begun.tags) == expected


async def test_the_largest_tags_fit_into_the_metadata(door: Door) -> None:
    pairs = {f"{n:0{TAG_KEY_CHARS_MAX}}": "v" * TAG_VALUE_CHARS_MAX for n in range(TAGS_MAX)}
    request = dapr().CreateInstanceRequest(instanceId="a", name="flow")
    metadata = [(TAGS, f"{key}={value}") for key, value in pairs.items()]
    await door.hub("StartInstance", request, metadata=metadata)
    assert dict((await door.state("a")).workflowState.tags) == pairs


@pytest.mark.parametrize("value", ["nothing", "=1", f"a={'v' * (TAG_VALUE_CHARS_MAX + 1)}"])
async def test_tags_that_are_none(door: Door, value: str) -> None:
    request = dapr().CreateInstanceRequest(instanceId="a", name="flow")
    async with refused(Code.INVALID_ARGUMENT, TAGS):
        await door.hub("StartInstance", request, metadata=[(TAGS, value)])
    async with refused(Code.INVALID_ARGUMENT, TAGS):
        await door.start("a", tags={str(n): "" for n in range(TAGS_MAX + 1)})
    assert not (await door.state("a")).exists


# ---- GetInstance


async def test_a_missing_instance_is_no_error(door: Door) -> None:
    reply = await door.state("nobody")
    assert not reply.exists
    assert not reply.HasField("workflowState")


async def test_payloads_only_where_asked_for(door: Door) -> None:
    await door.start("a", input={"value": "41"})
    failure = {"errorType": "E", "errorMessage": "no", "stackTrace": {"value": "line"}}
    async with worker(door) as hands:
        ending = complete(1, None, FAILED)
        ending.completeWorkflow.failureDetails.MergeFrom(dapr().TaskFailureDetails(**failure))
        await hands.answer(await hands.turn(), ending, customStatus={"value": "half"})
        full = (await door.finished("a")).workflowState
    assert full.workflowStatus == FAILED
    assert (full.input.value, full.customStatus.value) == ("41", "half")
    assert full.failureDetails == dapr().TaskFailureDetails(**failure)
    bare = (await door.state("a", payloads=False)).workflowState
    for field in ("input", "output", "customStatus", "failureDetails"):
        assert not bare.HasField(field)
    for field in ("createdTimestamp", "lastUpdatedTimestamp", "startedAt", "completedTimestamp"):
        assert bare.HasField(field)
    assert (bare.name, bare.workflowStatus) == ("flow", FAILED)


async def test_the_output_and_an_empty_custom_status_which_is_none(door: Door) -> None:
    await door.start("a")
    async with worker(door) as hands:
        ending = complete(1, '"out"')
        await hands.answer(await hands.turn(), ending, customStatus={"value": ""})
        state = (await door.finished("a")).workflowState
    assert state.output.value == '"out"'
    assert not state.HasField("customStatus")


async def test_a_child_knows_its_parent(door: Door) -> None:
    await door.start("a")
    async with worker(door) as hands:
        await hands.answer(await hands.turn(), child(1, "small"))
        begun = (await hands.turn()).workflowRequest
    assert begun.instanceId == "a:0001"
    state = (await door.state("a:0001")).workflowState
    assert state.parentInstanceId.value == "a"
    assert state.parentAppId.value == "app"


# ---- the waits


async def test_waiting_for_the_start(door: Door) -> None:
    await door.start("a")
    waiting = asyncio.create_task(door.started("a"))
    async with worker(door) as hands:
        await hands.answer(await hands.turn())
        reply = await waiting
    assert reply.workflowState.workflowStatus == RUNNING


async def test_waiting_for_the_completion(door: Door) -> None:
    await door.start("a", input={"value": "1"})
    waiting = [asyncio.create_task(door.finished("a", payloads=p)) for p in (True, False)]
    async with worker(door) as hands:
        await hands.finish_next()
        full, bare = await asyncio.gather(*waiting)
    assert full.workflowState.workflowStatus == bare.workflowState.workflowStatus == COMPLETED
    assert full.workflowState.output.value == '"done"'
    assert not bare.workflowState.HasField("output")
    again = await door.finished("a")
    assert again == full


async def test_a_missing_instance_is_waited_for(door: Door) -> None:
    waiting = asyncio.create_task(door.finished("a"))
    async with worker(door) as hands:
        await door.hub("Hello", b"")
        await door.start("a")
        await hands.finish_next()
        assert (await waiting).exists


@pytest.mark.parametrize("method", ["WaitForInstanceStart", "WaitForInstanceCompletion"])
async def test_the_client_ends_a_wait(door: Door, method: str) -> None:
    call: Unary = door.channel.unary_unary(f"/TaskHubSidecarService/{method}")
    request = dapr().GetInstanceRequest(instanceId="nobody").SerializeToString()
    async with refused(Code.DEADLINE_EXCEEDED):
        await call(request, timeout=0.05)
    waiting = call(request)
    await door.hub("Hello", b"")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await door.hub("Hello", b"") == b""
