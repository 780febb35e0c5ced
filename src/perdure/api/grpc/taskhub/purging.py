"""Deleting instances: one, a batch, or all that a filter names."""

import asyncio
from collections.abc import AsyncIterator

from perdure.api.grpc.calls import Call
from perdure.api.grpc.taskhub.instances import Instances
from perdure.api.grpc.taskhub.queries import to_purge
from perdure.api.grpc.taskhub.refusals import of_purge
from perdure.base.errors import AccessDenied, CallerFault
from perdure.base.limits import PURGES_PER_SWEEP_MAX
from perdure.components.port import WorkflowComponent
from perdure.core.requests import Purge, Refusal
from perdure.store.query import Field, InstanceQuery, Order
from perdure.wire.generated import management_pb2 as pb
from perdure.wire.management import batch_of, route_of


class Purging:
    """PurgeInstances."""

    def __init__(self, instances: Instances) -> None:
        """Delete those of `instances` that a caller may delete."""
        self._instances = instances

    async def purge(
        self, request: pb.PurgeInstancesRequest, call: Call
    ) -> pb.PurgeInstancesResponse:
        """Delete what the request names.

        A single instance that cannot be deleted is an error; of many, those that can be are.
        """
        component = self._instances.seen_by(call, route_of(request))
        batch = batch_of(request)
        if batch is not None:
            count = sum([await _purge_if_can_be(component, each, request) for each in batch])
            return _reply(count, is_complete=True)
        match request.WhichOneof("request"):
            case "instance_id":
                return _reply(await _purge_one(component, request))
            case "purge_instance_filter":
                return await _purge_filtered(component, request)
            case _:
                msg = "no instance ID was provided, and no filter"
                raise CallerFault(msg)


async def _purge_one(component: WorkflowComponent, request: pb.PurgeInstancesRequest) -> int:
    answer = await component.purge(_purge(request.instance_id, request))
    if isinstance(answer, Refusal):
        raise of_purge(answer)
    return answer.count


async def _purge_if_can_be(
    component: WorkflowComponent, instance_id: str, request: pb.PurgeInstancesRequest
) -> int:
    try:
        answer = await component.purge(_purge(instance_id, request))
    except AccessDenied:
        return 0
    return 0 if isinstance(answer, Refusal) else answer.count


async def _purge_filtered(
    component: WorkflowComponent, request: pb.PurgeInstancesRequest
) -> pb.PurgeInstancesResponse:
    filter_ = request.purge_instance_filter
    seconds = filter_.timeout.ToNanoseconds() / 1e9 if filter_.HasField("timeout") else None
    loop = asyncio.get_running_loop()
    deadline = None if seconds is None else loop.time() + seconds
    count = 0
    async for instance_id in _named_by(component, filter_, force=request.force):
        if deadline is not None and loop.time() >= deadline:
            return _reply(count, is_complete=False)
        count += await _purge_if_can_be(component, instance_id, request)
    return _reply(count, is_complete=True)


async def _named_by(
    component: WorkflowComponent, filter_: pb.PurgeInstanceFilter, *, force: bool
) -> AsyncIterator[str]:
    where = to_purge(filter_, force=force)
    token: str | None = None
    while True:
        page = await component.find(
            InstanceQuery(where, (Order(Field.CREATED),), PURGES_PER_SWEEP_MAX, token)
        )
        for view in page.instances:
            yield view.instance_id
        token = page.next_token
        if token is None:
            return


def _purge(instance_id: str, request: pb.PurgeInstancesRequest) -> Purge:
    return Purge(instance_id=instance_id, recursive=request.recursive, force=request.force)


def _reply(count: int, *, is_complete: bool | None = None) -> pb.PurgeInstancesResponse:
    reply = pb.PurgeInstancesResponse(deleted_instance_count=count)
    if is_complete is not None:
        reply.is_complete.value = is_complete
    return reply
