"""Looking at instances: one, one that is waited for, many, and their histories."""

from collections.abc import AsyncIterator
from typing import Final

import grpc

from perdure.api.grpc.calls import Call
from perdure.api.grpc.faults import Rejected
from perdure.api.grpc.methods import Send
from perdure.api.grpc.taskhub.instances import Instances
from perdure.api.grpc.taskhub.queries import to_list, to_list_finished
from perdure.api.grpc.taskhub.states import fill, reply_of
from perdure.api.grpc.waits import Waits
from perdure.base.limits import HISTORY_PAGE_ROWS_MAX, LIST_IDS_PAGE_DEFAULT, PAGE_ROWS_MAX
from perdure.store.query import Field, InstanceQuery, Order
from perdure.wire.generated import management_pb2 as pb
from perdure.wire.management import text_of
from perdure.wire.work_items import for_microsoft

# A page of states may carry payloads, and has to fit into one message.
_STATES_PAGE_DEFAULT: Final = 100


class Reading:
    """GetInstance, the waits, the listings and the histories."""

    def __init__(self, instances: Instances, waits: Waits, chunk_bytes_max: int) -> None:
        """Look at `instances`; a chunk of history stays below `chunk_bytes_max`."""
        self._instances = instances
        self._waits = waits
        self._chunk_bytes_max = chunk_bytes_max

    async def get(self, request: pb.GetInstanceRequest, call: Call) -> pb.GetInstanceResponse:
        """Return what may be seen of an instance."""
        component = self._instances.seen_by(call, request.router)
        payloads = request.get_inputs_and_outputs
        view = await component.get(request.instance_id, payloads=payloads)
        return reply_of(view, payloads=payloads)

    async def wait_for_start(
        self, request: pb.GetInstanceRequest, call: Call
    ) -> pb.GetInstanceResponse:
        """Return once an instance has left PENDING; a missing one is waited for."""
        return await self._wait(request, call, finished=False)

    async def wait_for_completion(
        self, request: pb.GetInstanceRequest, call: Call
    ) -> pb.GetInstanceResponse:
        """Return once an instance has finished; a missing one is waited for."""
        return await self._wait(request, call, finished=True)

    async def _wait(
        self, request: pb.GetInstanceRequest, call: Call, *, finished: bool
    ) -> pb.GetInstanceResponse:
        component = self._instances.seen_by(call, request.router)
        payloads = request.get_inputs_and_outputs
        outcome = component.wait(
            request.instance_id, finished=finished, timeout_us=None, payloads=payloads
        )
        return reply_of(await self._waits.until(outcome), payloads=payloads)

    async def list_ids(
        self, request: pb.ListInstanceIDsRequest, call: Call
    ) -> pb.ListInstanceIDsResponse:
        """Return a page of ids in the order of birth."""
        component = self._instances.seen_by(call)
        token = request.continuation_token or None
        limit = min(request.page_size or LIST_IDS_PAGE_DEFAULT, LIST_IDS_PAGE_DEFAULT)
        page = await component.list_ids(token, limit)
        return pb.ListInstanceIDsResponse(
            instance_ids=page.instance_ids, continuation_token=page.next_token
        )

    async def history(self, request: pb.GetInstanceHistoryRequest, call: Call) -> bytes:
        """Return the committed history as it was stored."""
        reply = pb.StoredEvents()
        async for events in self._pages(request.instance_id, call):
            reply.events.extend(events)
        return reply.SerializeToString()

    async def stream_history(
        self, request: pb.StreamInstanceHistoryRequest, call: Call, send: Send
    ) -> None:
        """Send the history to a client of Microsoft's in chunks that each fit into a message."""
        chunk, size = pb.StoredEvents(), 0
        async for events in self._pages(request.instance_id, call):
            for event in for_microsoft(events):
                if chunk.events and size + len(event) > self._chunk_bytes_max:
                    await send(chunk.SerializeToString())
                    chunk, size = pb.StoredEvents(), 0
                chunk.events.append(event)
                size += len(event)
        await send(chunk.SerializeToString())

    async def query(
        self, request: pb.QueryInstancesRequest, call: Call
    ) -> pb.QueryInstancesResponse:
        """Return a page of instances to a client of Microsoft's."""
        component = self._instances.seen_by(call)
        asked = request.query
        limit = min(max(asked.max_instance_count, 0) or _STATES_PAGE_DEFAULT, PAGE_ROWS_MAX)
        token = text_of(asked, "continuation_token") or None
        page = await component.find(
            InstanceQuery(to_list(asked), (Order(Field.CREATED),), limit, token),
            payloads=asked.fetch_inputs_and_outputs,
        )
        reply = pb.QueryInstancesResponse()
        for view in page.instances:
            fill(reply.orchestration_state.add(), view, payloads=asked.fetch_inputs_and_outputs)
        if page.next_token is not None:
            reply.continuation_token.value = page.next_token
        return reply

    async def list_finished(
        self, request: pb.ListFinishedRequest, call: Call
    ) -> pb.ListFinishedResponse:
        """Return a page of the ids of finished instances to a client of Microsoft's."""
        component = self._instances.seen_by(call)
        limit = min(max(request.page_size, 0) or PAGE_ROWS_MAX, PAGE_ROWS_MAX)
        token = text_of(request, "last_instance_key") or None
        page = await component.find(
            InstanceQuery(to_list_finished(request), (Order(Field.COMPLETED),), limit, token)
        )
        reply = pb.ListFinishedResponse(instance_ids=[view.instance_id for view in page.instances])
        if page.next_token is not None:
            reply.last_instance_key.value = page.next_token
        return reply

    async def _pages(self, instance_id: str, call: Call) -> AsyncIterator[tuple[bytes, ...]]:
        component = self._instances.seen_by(call)
        after: int | None = 0
        while after is not None:
            page = await component.history(
                instance_id, after_seq=after, limit=HISTORY_PAGE_ROWS_MAX
            )
            if page is None:
                text = f"workflow instance '{instance_id}' not found"
                raise Rejected(grpc.StatusCode.NOT_FOUND, text)
            # What has other events than ours stands behind other doors.
            yield tuple(event for event in page.events if isinstance(event, bytes))
            after = page.next_after
