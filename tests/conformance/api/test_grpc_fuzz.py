"""Nonsense over gRPC: a clear error for each, the server stays up and everybody else goes on."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor

from tests.conformance.api.grpc_door import DEADLINE_S, Door, Unary, open_door, refused
from tests.conformance.api.grpc_frames import (
    END_HEADERS,
    END_STREAM,
    Kind,
    connection,
)
from tests.conformance.api.grpc_worker import Streamed, complete, schedule, worker
from tests.conformance.wire import released
from tests.unit.transport.http2 import block as headers
from tests.unit.transport.http2 import message

Code = grpc.StatusCode
HUB: Final = "/TaskHubSidecarService"
DAPR: Final = "/dapr.proto.runtime.v1.Dapr"

# Every unary method with the message that it takes. Waits are not among them: they wait.
METHODS: Final = {
    f"{HUB}/StartInstance": ("dapr", "CreateInstanceRequest"),
    f"{HUB}/GetInstance": ("dapr", "GetInstanceRequest"),
    f"{HUB}/RaiseEvent": ("dapr", "RaiseEventRequest"),
    f"{HUB}/TerminateInstance": ("dapr", "TerminateRequest"),
    f"{HUB}/SuspendInstance": ("dapr", "SuspendRequest"),
    f"{HUB}/ResumeInstance": ("dapr", "ResumeRequest"),
    f"{HUB}/PurgeInstances": ("dapr", "PurgeInstancesRequest"),
    f"{HUB}/RerunWorkflowFromEvent": ("dapr", "RerunWorkflowFromEventRequest"),
    f"{HUB}/ListInstanceIDs": ("dapr", "ListInstanceIDsRequest"),
    f"{HUB}/GetInstanceHistory": ("dapr", "GetInstanceHistoryRequest"),
    f"{HUB}/CompleteOrchestratorTask": ("dapr", "WorkflowResponse"),
    f"{HUB}/CompleteWorkflowTask": ("dapr", "WorkflowResponse"),
    f"{HUB}/CompleteActivityTask": ("dapr", "ActivityResponse"),
    f"{HUB}/QueryInstances": ("microsoft", "QueryInstancesRequest"),
    f"{HUB}/ListInstanceIds": ("microsoft", "ListInstanceIdsRequest"),
    f"{HUB}/RestartInstance": ("microsoft", "RestartInstanceRequest"),
    f"{DAPR}/StartWorkflow": ("runtime", "StartWorkflowRequest"),
    f"{DAPR}/GetWorkflow": ("runtime", "GetWorkflowRequest"),
    f"{DAPR}/RaiseEventWorkflow": ("runtime", "RaiseEventWorkflowRequest"),
    f"{DAPR}/PauseWorkflow": ("runtime", "PauseWorkflowRequest"),
    f"{DAPR}/ResumeWorkflow": ("runtime", "ResumeWorkflowRequest"),
    f"{DAPR}/TerminateWorkflow": ("runtime", "TerminateWorkflowRequest"),
    f"{DAPR}/PurgeWorkflow": ("runtime", "PurgeWorkflowRequest"),
    f"{DAPR}/SetMetadata": ("runtime", "SetMetadataRequest"),
}

# How a request may end that is nonsense. INTERNAL is how Dapr words a refusal of its own service,
# and for it the text says that it is one; a fault of the server would carry another text.
CODES: Final = {
    Code.OK,
    Code.INVALID_ARGUMENT,
    Code.NOT_FOUND,
    Code.ALREADY_EXISTS,
    Code.FAILED_PRECONDITION,
    Code.RESOURCE_EXHAUSTED,
    Code.UNKNOWN,
    Code.INTERNAL,
}


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


@asynccontextmanager
async def goes_on(door: Door) -> AsyncIterator[None]:
    """A workflow that is half done before, and is done to its end after what happens."""
    async with worker(door, metadata=[("dapr-app-id", "quiet")]) as hands:
        await door.start("undisturbed", router={"targetAppID": "quiet"})
        await hands.answer(await hands.turn(), schedule(1, "act", "41"))
        activity = await hands.activity()
        yield
        await hands.result(activity, "42")
        item = await hands.turn()
        events = item.workflowRequest.newEvents
        assert [event.taskCompleted.result.value for event in events[1:]] == ["42"]
        await hands.answer(item, complete(2, '"end"'))
        assert (await door.finished("undisturbed")).workflowState.output.value == '"end"'


async def ended(door: Door, path: str, data: bytes) -> Code:
    """How a call ends; a fault of the server is an error of the test."""
    method: Unary = door.channel.unary_unary(path)
    call = method(data, timeout=DEADLINE_S)
    code = await call.code()
    details = await call.details()
    assert code in CODES, f"{path} {data.hex()}: {code} {details}"
    assert "the server failed" not in details, f"{path} {data.hex()}: {details}"
    assert code is Code.OK or details, f"{path} {data.hex()}: an error says what it is"
    return code


@pytest.mark.parametrize("seed", range(3))
async def test_random_bytes(door: Door, seed: int) -> None:
    chance = random.Random(seed)
    async with goes_on(door):
        for path in METHODS:
            for _ in range(40):
                await ended(door, path, chance.randbytes(chance.randrange(60)))


@pytest.mark.parametrize("seed", range(3))
async def test_random_values_in_every_field(door: Door, seed: int) -> None:
    """Well-formed messages whose every field is set, to something of its type or of another."""
    chance = random.Random(seed)
    async with goes_on(door):
        for path, (family, name) in METHODS.items():
            message_type = getattr(getattr(released, family)(), name)
            for _ in range(25):
                request = message_type()
                fill(request, chance, depth=4)
                if name == "PurgeInstancesRequest" and request.HasField("purgeInstanceFilter"):
                    request.force = False  # it would be right to delete everything then
                data = bytearray(request.SerializeToString())
                for _ in range(chance.randrange(3)):
                    if data:
                        data[chance.randrange(len(data))] = chance.randrange(256)
                if b"undisturbed" not in data:
                    await ended(door, path, bytes(data))


def fill(target: Any, chance: random.Random, depth: int) -> None:
    """Set a random choice of fields to random values."""
    for field in target.DESCRIPTOR.fields:
        if chance.random() < 0.3:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            getattr(target, field.name)[_text(chance)] = _text(chance)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            if depth:
                value = getattr(target, field.name)
                inner = value.add() if field.is_repeated else value
                fill(inner, chance, depth - 1)
                if not field.is_repeated:
                    value.SetInParent()
        elif field.is_repeated:
            getattr(target, field.name).append(_scalar(field, chance))
        else:
            setattr(target, field.name, _scalar(field, chance))


def _scalar(field: FieldDescriptor, chance: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text(chance)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return chance.randbytes(chance.randrange(8))
    return chance.choice(_NUMBERS[field.type])


_NUMBERS: Final[dict[int, list[Any]]] = {
    FieldDescriptor.TYPE_BOOL: [False, True],
    FieldDescriptor.TYPE_ENUM: [0, 1, 2, 5, 6, 8, 77, -1, 2**31 - 1],
    FieldDescriptor.TYPE_INT32: [0, 1, -1, 2**31 - 1, -(2**31)],
    FieldDescriptor.TYPE_UINT32: [0, 1, 7, 2**31, 2**32 - 1],
    FieldDescriptor.TYPE_INT64: [0, 1, -1, 2**63 - 1, -(2**63)],
}


def _text(chance: random.Random) -> str:
    return chance.choice(
        ["", "a", "b", "flow", "\0", "ü\u202e", "'; --", "x" * 2_000, "%s", "\U0010ffff"]
    )


async def test_random_bytes_to_open_a_stream_or_a_wait(door: Door) -> None:
    chance = random.Random(7)
    paths = ("GetWorkItems", "StreamInstanceHistory")
    waits = ("WaitForInstanceStart", "WaitForInstanceCompletion")
    async with goes_on(door):
        for _ in range(60):
            data = chance.randbytes(chance.randrange(12))
            for name in (*paths, *waits):
                method: Streamed = door.channel.unary_stream(f"{HUB}/{name}")
                code = await method(data, timeout=0.02).code()
                allowed = {Code.OK, Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.DEADLINE_EXCEEDED}
                assert code in allowed, f"{name} {data.hex()}: {code}"


async def test_a_worker_that_answers_nonsense(door: Door) -> None:
    """The right instance and token, and random bytes behind them."""
    chance = random.Random(11)
    async with goes_on(door), worker(door) as hands:
        for number in range(40):
            await door.start(f"i{number}")
            item = await hands.turn()
            request = item.workflowRequest
            head = released.dapr().WorkflowResponse(
                instanceId=request.instanceId, completionToken=item.completionToken
            )
            data = head.SerializeToString() + chance.randbytes(chance.randrange(1, 30))
            await ended(door, f"{HUB}/CompleteOrchestratorTask", data)
            purge = released.dapr().PurgeInstancesRequest(instanceId=f"i{number}", force=True)
            await ended(door, f"{HUB}/PurgeInstances", purge.SerializeToString())


async def test_a_worker_that_answers_activities_with_nonsense(door: Door) -> None:
    chance = random.Random(13)
    async with goes_on(door), worker(door) as hands:
        for number in range(40):
            await door.start(f"i{number}")
            # Some nonsense is a result: then the instance before has had another turn.
            while (item := await hands.turn()).workflowRequest.instanceId != f"i{number}":
                continue
            await hands.answer(item, schedule(1, "act"))
            item = await hands.activity()
            head = released.dapr().ActivityResponse(
                instanceId=f"i{number}", taskId=1, completionToken=item.completionToken
            )
            data = head.SerializeToString() + chance.randbytes(chance.randrange(1, 30))
            await ended(door, f"{HUB}/CompleteActivityTask", data)
            purge = released.dapr().PurgeInstancesRequest(instanceId=f"i{number}", force=True)
            await ended(door, f"{HUB}/PurgeInstances", purge.SerializeToString())


async def test_a_worker_that_never_answers_is_purged_around(door: Door) -> None:
    """It holds what it was sent; that can be ended and deleted all the same."""
    async with goes_on(door), worker(door) as hands:
        await door.start("a")
        await hands.turn()
        family = released.dapr()
        await door.hub("TerminateInstance", family.TerminateRequest(instanceId="a"))
        await door.hub("PurgeInstances", family.PurgeInstancesRequest(instanceId="a"))
        assert not (await door.state("a")).exists
        await door.start("a", "again")
        assert (await hands.turn()).workflowRequest.newEvents[1].executionStarted.name == "again"


# ---- what no library would send


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"no slash",
        b"//",
        b"/TaskHubSidecarService/",
        b"/TaskHubSidecarService/Hello/Hello",
        b"/" + b"x" * 5_000,
        b"/\xff",
        b"/TaskHubSidecarService/\xff\xfe",
    ],
)
async def test_paths_that_are_none(door: Door, path: bytes) -> None:
    async with goes_on(door):
        async with connection(door.port) as raw:
            await raw.send(Kind.HEADERS, END_HEADERS, 1, headers(path))
            await raw.send(Kind.DATA, END_STREAM, 1, message(b""))
            await raw.until_answered()
        assert await door.hub("Hello", b"") == b""


@pytest.mark.parametrize(
    "more",
    [
        [(b"dapr-app-id", b"\xff\xfe")],
        [(b"dapr-workflow-metadata", b"\xff=\xfe")],
        [(b"dapr-api-token", b"\x80")],
        [(b"user-agent", b"\xff")],
        [(b"x-bin", b"!!not base64!!")],
        [(b"grpc-timeout", b"never")],
        [(b"grpc-encoding", b"nonsense")],
    ],
    ids=lambda more: more[0][0].decode(),
)
@pytest.mark.parametrize("method", [b"StartInstance", b"GetWorkItems"])
async def test_metadata_that_is_none(door: Door, method: bytes, more: Any) -> None:
    async with goes_on(door):
        async with connection(door.port) as raw:
            path = b"/TaskHubSidecarService/" + method
            await raw.send(Kind.HEADERS, END_HEADERS, 1, headers(path, more))
            await raw.send(Kind.DATA, END_STREAM, 1, message(b"\xff"))
            await raw.until_answered()
        assert await door.hub("Hello", b"") == b""


async def test_a_call_that_is_closed_without_a_message(door: Door) -> None:
    async with goes_on(door):
        for method in (b"Hello", b"StartInstance", b"GetWorkItems", b"CompleteActivityTask"):
            async with connection(door.port) as raw:
                block = headers(b"/TaskHubSidecarService/" + method)
                await raw.send(Kind.HEADERS, END_HEADERS | END_STREAM, 1, block)
                await raw.until_answered()
        assert await door.hub("Hello", b"") == b""


async def test_a_message_that_stops_in_its_middle(door: Door) -> None:
    async with goes_on(door):
        for data in (b"\x00", b"\x00\x00\x00\x00\x09abc", b"\x09\x00\x00\x00\x01a"):
            async with connection(door.port) as raw:
                block = headers(b"/TaskHubSidecarService/StartInstance")
                await raw.send(Kind.HEADERS, END_HEADERS, 1, block)
                await raw.send(Kind.DATA, END_STREAM, 1, data)
                await raw.until_answered()
        assert await door.hub("Hello", b"") == b""


async def test_a_client_that_goes_in_the_middle_of_a_message(door: Door) -> None:
    async with goes_on(door):
        for _ in range(20):
            async with connection(door.port) as raw:
                block = headers(b"/TaskHubSidecarService/StartInstance")
                await raw.send(Kind.HEADERS, END_HEADERS, 1, block)
                await raw.send(Kind.DATA, 0, 1, b"\x00\x00\x00\x00\x09abc")
        assert await door.hub("Hello", b"") == b""


async def test_bytes_that_are_not_http(door: Door) -> None:
    chance = random.Random(17)
    async with goes_on(door):
        for _ in range(20):
            async with connection(door.port) as raw:
                await raw.send_raw(chance.randbytes(200))
        assert await door.hub("Hello", b"") == b""


async def test_many_calls_that_are_given_up_at_once(door: Door) -> None:
    method: Unary = door.channel.unary_unary(f"{HUB}/WaitForInstanceCompletion")
    request = released.dapr().GetInstanceRequest(instanceId="nobody").SerializeToString()
    async with goes_on(door):
        calls = [method(request) for _ in range(300)]
        await door.hub("Hello", b"")
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        async with refused(Code.DEADLINE_EXCEEDED):
            await method(request, timeout=0.02)
