"""dapr.proto.runtime.v1.Dapr: what SDKs and tools ask of the runtime itself."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from perdure.base.limits import NAME_BYTES_MAX
from tests.conformance.api.grpc_door import APP_ID, Door, open_door, refused
from tests.conformance.api.grpc_worker import worker
from tests.conformance.wire import released

Code = grpc.StatusCode


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


async def metadata_of(door: Door) -> Any:
    return await door.dapr("GetMetadata", b"", released.runtime().GetMetadataResponse)


async def test_metadata(door: Door) -> None:
    reply = await metadata_of(door)
    assert reply.id == APP_ID
    assert reply.runtime_version == reply.extended_metadata["daprRuntimeVersion"]
    assert [(c.name, c.type) for c in reply.registered_components] == [("dapr", "workflow.dapr")]
    assert not reply.HasField("workflows")
    assert reply.actor_runtime.host_ready
    assert list(reply.actor_runtime.active_actors) == []


async def test_metadata_tells_of_workers(door: Door) -> None:
    async with worker(door), worker(door):
        reply = await metadata_of(door)
    assert reply.workflows.connected_workers == 2
    types = [actor.type for actor in reply.actor_runtime.active_actors]
    assert types == [f"dapr.internal.default.{APP_ID}.{kind}" for kind in ("activity", "workflow")]
    await door.watcher.until_gone(2)
    assert not (await metadata_of(door)).HasField("workflows")


async def test_metadata_can_be_added(door: Door) -> None:
    request = released.runtime().SetMetadataRequest(key="k", value="v")
    assert await door.dapr("SetMetadata", request) == b""
    assert (await metadata_of(door)).extended_metadata["k"] == "v"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"value": "v"}, "the metadata key is missing"),
        ({"key": "k" * (NAME_BYTES_MAX + 1)}, "the metadata key is longer than"),
        ({"key": "k", "value": "v" * 4_097}, "the metadata value is longer than 4096 bytes"),
    ],
)
async def test_metadata_that_cannot_be_added(door: Door, fields: Any, text: str) -> None:
    async with refused(Code.INVALID_ARGUMENT, text):
        await door.dapr("SetMetadata", released.runtime().SetMetadataRequest(**fields))


async def test_metadata_has_a_bound(door: Door) -> None:
    door.runtime.extended.update({str(number): "" for number in range(1_000)})
    known = released.runtime().SetMetadataRequest(key="1", value="new")
    await door.dapr("SetMetadata", known)
    async with refused(Code.RESOURCE_EXHAUSTED, "no more may be added"):
        await door.dapr("SetMetadata", released.runtime().SetMetadataRequest(key="one more"))


async def test_shutdown(door: Door) -> None:
    assert await door.dapr("Shutdown", b"") == b""
    assert door.runtime.shutdowns == [False]
