"""The load: instances started over gRPC and waited for, a fixed number of them in flight.

It calls through our own transport: whatever the load costs is taken from those that are measured.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from perdure.transport.client.channel import Channel
from perdure.wire.generated import management_pb2 as pb

_SERVICE = "/TaskHubSidecarService"
_COMPLETED = pb.ORCHESTRATION_STATUS_COMPLETED


@dataclass(frozen=True, slots=True)
class Run:
    """How a run went: seconds in all, and for each instance from its start to its end."""

    duration_s: float
    latencies_s: tuple[float, ...]


class Client:
    """Starts and awaits instances on one connection."""

    def __init__(self, target: str) -> None:
        """Connect when first used."""
        host, _, port = target.rpartition(":")
        self._channel = Channel(host, int(port))

    async def start(self, instance_id: str, workflow: str, value: object) -> None:
        """Start an instance."""
        request = pb.CreateInstanceRequest(instance_id=instance_id, name=workflow)
        request.input.value = json.dumps(value)
        await self._channel.unary(f"{_SERVICE}/StartInstance", request.SerializeToString())

    async def complete(self, instance_id: str) -> None:
        """Return when an instance has completed; another end is an error."""
        request = pb.GetInstanceRequest(instance_id=instance_id)
        path = f"{_SERVICE}/WaitForInstanceCompletion"
        data = await self._channel.unary(path, request.SerializeToString())
        answer = pb.GetInstanceResponse.FromString(data)
        status = answer.workflow_state.workflow_status
        assert status == _COMPLETED, f"{instance_id} ended {status}"

    async def raise_event(self, instance_id: str, name: str) -> None:
        """Raise an event without data."""
        request = pb.RaiseEventRequest(instance_id=instance_id, name=name)
        await self._channel.unary(f"{_SERVICE}/RaiseEvent", request.SerializeToString())

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()


async def drive(  # noqa: PLR0913 - what a run is made of
    client: Client,
    workflow: str,
    value: object,
    *,
    count: int,
    in_flight: int,
    prefix: str,
    full: Callable[[], None] = lambda: None,
) -> Run:
    """Run `count` instances to their end, `in_flight` at a time.

    `full` is called when the load has become full, and when it begins to run out.
    """
    latencies: list[float] = []

    async def one(number: int) -> None:
        began = time.perf_counter()
        instance_id = f"{prefix}-{number}"
        await client.start(instance_id, workflow, value)
        await client.complete(instance_id)
        latencies.append(time.perf_counter() - began)

    began = time.perf_counter()
    await at_once(one, range(count), in_flight, full)
    return Run(time.perf_counter() - began, tuple(latencies))


async def at_once(
    one: Callable[[int], Awaitable[None]],
    numbers: range,
    in_flight: int,
    full: Callable[[], None] = lambda: None,
) -> None:
    """Do `one` for each number, `in_flight` at a time; `full` is called as in `drive`."""
    places = asyncio.Semaphore(in_flight)
    done = 0

    async def placed(number: int) -> None:
        nonlocal done
        async with places:
            await one(number)
            done += 1
            if done in {in_flight, len(numbers) - in_flight}:
                full()

    await asyncio.gather(*(placed(number) for number in numbers))


async def begin(client: Client, workflow: str, *, count: int, in_flight: int) -> None:
    """Start `count` instances and wait for none of them."""

    async def one(number: int) -> None:
        await client.start(f"idle-{number}", workflow, None)

    await at_once(one, range(count), in_flight)
