"""What tools and transports see: reflection, health, sizes, pings, ports."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from perdure.base.errors import ConfigurationError
from tests.conformance.api.grpc_door import DEADLINE_S, HOST, Door, open_door, refused
from tests.conformance.api.grpc_frames import ACK, Kind, connection
from tests.conformance.api.grpc_worker import Streamed, worker
from tests.conformance.wire import released

Code = grpc.StatusCode
HEALTH: Final = "/grpc.health.v1.Health"
STATUS = health_pb2.HealthCheckResponse
DAPR: Final = "dapr.proto.runtime.v1.Dapr"


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


# ---- reflection


async def reflect(door: Door, version: str, **question: Any) -> Any:
    request = reflection_pb2.ServerReflectionRequest(**question)
    path = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    method: Any = door.channel.stream_stream(path)
    call = method(iter([request.SerializeToString()]), timeout=DEADLINE_S)
    answers = [reflection_pb2.ServerReflectionResponse.FromString(data) async for data in call]
    assert len(answers) == 1
    return answers[0]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_the_services_are_listed(door: Door, version: str) -> None:
    reply = await reflect(door, version, list_services="")
    names = [service.name for service in reply.list_services_response.service]
    assert {"TaskHubSidecarService", DAPR, "grpc.health.v1.Health"} < set(names)


async def pool_of(door: Door, symbol: str) -> DescriptorPool:
    """All that a tool needs to call what `symbol` is."""
    reply = await reflect(door, "v1", file_containing_symbol=symbol)
    files = reply.file_descriptor_response.file_descriptor_proto
    pool = DescriptorPool()
    waiting = [FileDescriptorProto.FromString(data) for data in files]
    known: set[str] = set()
    while waiting:
        ready = [file for file in waiting if set(file.dependency) <= known]
        assert ready, "every file comes with those it imports"
        for file in ready:
            pool.AddSerializedFile(file.SerializeToString())
            known.add(file.name)
            waiting.remove(file)
    return pool


@pytest.mark.parametrize(
    ("service", "count"), [("TaskHubSidecarService", 21), (DAPR, 27)], ids=["TaskHub", "Dapr"]
)
async def test_every_method_that_is_told_of_is_there(door: Door, service: str, count: int) -> None:
    descriptor = (await pool_of(door, service)).FindServiceByName(service)
    assert len(descriptor.methods) == count
    for method in descriptor.methods:
        path = f"/{service}/{method.name}"
        call: Any = door.channel.stream_stream(path)
        async with refused(Code.INVALID_ARGUMENT):
            await anext(aiter(call(iter([b"\xff"]), timeout=DEADLINE_S)))


async def test_a_tool_can_call_a_method_by_its_json(door: Door) -> None:
    service = (await pool_of(door, DAPR)).FindServiceByName(DAPR)
    start = service.FindMethodByName("StartWorkflowBeta1")
    request: Any = GetMessageClass(start.input_type)()
    fields = {"instanceID": "a", "workflowName": "flow", "input": "NDE="}
    ParseDict(fields, request)
    reply: Any = GetMessageClass(start.output_type)
    answer = await door.dapr("StartWorkflowBeta1", request, reply)
    assert MessageToDict(answer) == {"instanceID": "a"}
    get = service.FindMethodByName("GetWorkflow")
    asked: Any = GetMessageClass(get.input_type)(instance_id="a")
    seen = MessageToDict(await door.dapr("GetWorkflow", asked, GetMessageClass(get.output_type)))
    assert seen["runtimeStatus"] == "PENDING"
    assert seen["properties"] == {"dapr.workflow.input": "41"}


async def test_streams_are_told_apart(door: Door) -> None:
    name = "TaskHubSidecarService"
    service = (await pool_of(door, name)).FindServiceByName(name)
    streaming = {method.name for method in service.methods if method.server_streaming}
    assert streaming == {"GetWorkItems", "StreamInstanceHistory"}


async def test_what_reflection_does_not_know(door: Door) -> None:
    reply = await reflect(door, "v1", file_containing_symbol="no.such.Service")
    assert reply.error_response.error_code == Code.NOT_FOUND.value[0]


# ---- health


async def health(door: Door, service: str) -> Any:
    request = health_pb2.HealthCheckRequest(service=service)
    return (await door.call(f"{HEALTH}/Check", request, STATUS)).status


@pytest.mark.parametrize("service", ["", "TaskHubSidecarService", DAPR])
async def test_health(door: Door, service: str) -> None:
    assert await health(door, service) == STATUS.SERVING
    door.runtime.not_ready = "the store is away"
    assert await health(door, service) == STATUS.NOT_SERVING


async def test_the_health_of_an_unknown_service(door: Door) -> None:
    async with refused(Code.NOT_FOUND):
        await health(door, "nobody")


async def test_who_watches_health_learns_of_the_stop() -> None:
    async with open_door() as door:
        method: Streamed = door.channel.unary_stream(f"{HEALTH}/Watch")
        call = method(b"", timeout=DEADLINE_S)
        assert STATUS.FromString(await _read(call)).status == STATUS.SERVING
        stopping = asyncio.create_task(door.server.stop(0.2, door.engine.stop_handing_out))
        assert STATUS.FromString(await _read(call)).status == STATUS.NOT_SERVING
        call.cancel()
        await stopping


async def _read(call: Any) -> bytes:
    data = await call.read()
    assert isinstance(data, bytes)
    return data


# ---- sizes


async def test_a_message_that_is_too_large_is_refused(door: Door) -> None:
    """The default is Dapr's; the connection and everybody else's calls go on."""
    async with worker(door) as hands:
        async with refused(Code.RESOURCE_EXHAUSTED, "larger than max"):
            await door.start("large", input={"value": "x" * 4 * 1_024 * 1_024})
        await door.start("a", input={"value": "x" * 4 * 1_000 * 1_000})
        async with refused(Code.RESOURCE_EXHAUSTED, "larger than max"):
            await door.hub("CompleteActivityTask", b"x" * 4 * 1_024 * 1_025)
        await door.start("b")
        assert (await hands.turn()).workflowRequest.instanceId in {"a", "b"}


async def test_the_size_of_a_message_can_be_set() -> None:
    options = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
    text = "x" * 6_000_000
    async with open_door(message_bytes_max=8_000_000) as door:
        address = f"{HOST}:{door.port}"
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            door.channel = channel
            await door.start("a", input={"value": text})
            assert (await door.state("a")).workflowState.input.value == text


async def test_an_answer_that_is_too_large_is_an_error_of_that_call(door: Door) -> None:
    text = "x" * 3_000_000
    for name in ("a", "b"):
        await door.start(name, input={"value": text})
    family = released.microsoft()
    request = family.QueryInstancesRequest(query={"fetchInputsAndOutputs": True})
    async with refused(Code.RESOURCE_EXHAUSTED, "ask for less"):
        await door.hub("QueryInstances", request)


# ---- pings


async def test_a_quiet_client_may_ping_as_often_as_it_likes(door: Door) -> None:
    """Without a call, and faster than any keepalive: no GOAWAY, no ENHANCE_YOUR_CALM."""
    async with connection(door.port) as raw:
        for number in range(200):
            await raw.send(Kind.PING, 0, 0, number.to_bytes(8))
        acknowledged = 0
        while acknowledged < 200:
            frame = await raw.next()
            assert frame is not None, "the server has closed the connection"
            assert frame.kind != Kind.GOAWAY, frame
            acknowledged += frame.kind == Kind.PING and frame.flags & ACK


# ---- ports


async def test_a_port_in_use_is_told() -> None:
    async with open_door() as door, open_door() as other:
        assert other.port != door.port
        await other.server.stop(0, other.engine.stop_handing_out)
        with pytest.raises(ConfigurationError, match=rf"{HOST}:{door.port}.*--dapr-grpc-port"):
            await other.server.start(door.port)


async def test_several_addresses_share_a_port() -> None:
    async with open_door(hosts=("127.0.0.1", "127.0.0.2")) as door:
        for host in ("127.0.0.1", "127.0.0.2"):
            async with grpc.aio.insecure_channel(f"{host}:{door.port}") as channel:
                door.channel = channel
                assert await door.hub("Hello", b"") == b""
