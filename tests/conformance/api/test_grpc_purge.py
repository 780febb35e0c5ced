"""TaskHubSidecarService: deleting one instance, a batch, or what a filter names."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from tests.conformance.api.grpc_door import Door, open_door, refused
from tests.conformance.api.grpc_worker import FAILED, child, worker
from tests.conformance.wire.released import dapr, microsoft

Code = grpc.StatusCode
RUNNING, COMPLETED, TERMINATED, PENDING = 0, 1, 5, 6


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


async def purge(door: Door, *, family: Any = None, **fields: Any) -> Any:
    family = family or dapr()
    request = family.PurgeInstancesRequest(**fields)
    return await door.hub("PurgeInstances", request, family.PurgeInstancesResponse)


async def made(door: Door, *instance_ids: str, status: int = COMPLETED) -> None:
    """Start instances and end them."""
    async with worker(door) as hands:
        for instance_id in instance_ids:
            await door.start(instance_id)
            await hands.finish_next(status=status)
            await door.finished(instance_id)


async def left(door: Door, *instance_ids: str) -> list[str]:
    return [each for each in instance_ids if (await door.state(each)).exists]


async def test_a_missing_instance(door: Door) -> None:
    text = "failed to purge workflow state: no such instance exists"
    async with refused(Code.UNKNOWN, text):
        await purge(door, instanceId="nobody")


async def test_one_that_has_not_finished(door: Door) -> None:
    await door.start("a")
    text = "failed to purge workflow state: orchestration has not yet completed"
    async with refused(Code.UNKNOWN, text):
        await purge(door, instanceId="a")
    assert await left(door, "a") == ["a"]


async def test_one_that_has_finished(door: Door) -> None:
    await made(door, "a")
    reply = await purge(door, instanceId="a")
    assert reply.deletedInstanceCount == 1
    assert not reply.HasField("isComplete")
    assert await left(door, "a") == []


async def test_nothing_is_named(door: Door) -> None:
    async with refused(Code.INVALID_ARGUMENT, "no instance ID was provided"):
        await purge(door)


@pytest.mark.parametrize(("recursive", "count"), [(True, 2), (False, 1)])
async def test_the_children_too_if_asked_to(door: Door, recursive: bool, count: int) -> None:
    await door.start("a")
    async with worker(door) as hands:
        await hands.answer(await hands.turn(), child(1, "small", "b"))
        await hands.finish_next()
        await hands.finish_next()
        await door.finished("a")
    reply = await purge(door, instanceId="a", recursive=recursive)
    assert reply.deletedInstanceCount == count
    assert await left(door, "a", "b") == ([] if recursive else ["b"])


async def test_force_needs_no_end(door: Door) -> None:
    await door.start("a")
    async with worker(door) as hands:
        item = await hands.turn()
        assert (await purge(door, instanceId="a", force=True)).deletedInstanceCount == 1
        await hands.answer(item)
    assert await left(door, "a") == []
    async with refused(Code.UNKNOWN, "no such instance exists"):
        await purge(door, instanceId="a", force=True)


async def test_force_that_is_there_and_false(door: Door) -> None:
    await door.start("a")
    async with refused(Code.UNKNOWN, "orchestration has not yet completed"):
        await purge(door, instanceId="a", force=False)


async def test_microsofts_batch(door: Door) -> None:
    """Its field is the one in which Dapr has `force`. What cannot be deleted is passed over."""
    await made(door, "a", "b", "c")
    await door.start("running")
    batch = {"instanceIds": ["a", "nobody", "b", "running"]}
    reply = await purge(door, family=microsoft(), instanceBatch=batch)
    assert reply.deletedInstanceCount == 2
    assert reply.isComplete.value
    assert await left(door, "a", "b", "c", "running") == ["c", "running"]


async def test_microsofts_flag_is_not_read_as_a_router(door: Door) -> None:
    await made(door, "a")
    reply = await purge(door, family=microsoft(), instanceId="a", isOrchestration=True)
    assert reply.deletedInstanceCount == 1


@pytest.mark.parametrize(
    ("filter_fields", "kept"),
    [
        ({}, ["running"]),
        ({"runtimeStatus": [COMPLETED]}, ["failed", "running"]),
        ({"runtimeStatus": [FAILED, TERMINATED]}, ["done", "running"]),
        ({"runtimeStatus": [PENDING]}, ["done", "failed", "running"]),
        ({"createdTimeFrom": {"seconds": 1}}, ["running"]),
        ({"createdTimeTo": {"seconds": 1}}, ["done", "failed", "running"]),
        ({"createdTimeFrom": {"seconds": 9_000_000_000}}, ["done", "failed", "running"]),
    ],
)
async def test_what_a_filter_names(door: Door, filter_fields: Any, kept: list[str]) -> None:
    await made(door, "done")
    await made(door, "failed", status=FAILED)
    await door.start("running")
    reply = await purge(door, purgeInstanceFilter=filter_fields)
    assert await left(door, "done", "failed", "running") == kept
    assert reply.deletedInstanceCount == 3 - len(kept)
    assert reply.isComplete.value


async def test_a_filter_with_force_takes_what_has_not_finished_too(door: Door) -> None:
    await made(door, "done")
    await door.start("running")
    fields = {"runtimeStatus": [PENDING]}
    reply = await purge(door, purgeInstanceFilter=fields, force=True)
    assert reply.deletedInstanceCount == 1
    assert await left(door, "done", "running") == ["done"]


async def test_a_filter_that_names_more_than_a_page(door: Door) -> None:
    ids = [f"i{number}" for number in range(230)]
    await made(door, *ids)
    reply = await purge(door, purgeInstanceFilter={"runtimeStatus": [COMPLETED]})
    assert reply.deletedInstanceCount == len(ids)
    assert await left(door, *ids) == []


async def test_a_filter_whose_time_is_over(door: Door) -> None:
    """Microsoft's clients bound a purge in time and ask again until it is complete."""
    await made(door, "a", "b")
    # The message of the released protocol has no such field: 4, a duration of a nanosecond.
    request = b"\x12\x04\x22\x02\x10\x01"
    reply = await door.hub("PurgeInstances", request, dapr().PurgeInstancesResponse)
    assert reply.HasField("isComplete")
    assert not reply.isComplete.value
