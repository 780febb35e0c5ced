"""A seat in an engine of this process: TaskHub's methods without a network in between."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Final, TypeVar, cast

import grpc
from google.protobuf.message import Message

from perdure.api.grpc.calls import Call, Context
from perdure.api.grpc.faults import status_of
from perdure.api.grpc.taskhub.changing import Changing
from perdure.api.grpc.taskhub.instances import Instances
from perdure.api.grpc.taskhub.purging import Purging
from perdure.api.grpc.taskhub.reading import Reading
from perdure.api.grpc.taskhub.starting import Starting
from perdure.api.grpc.waits import Waits
from perdure.authoring.registry import Registry
from perdure.base.limits import MESSAGE_BYTES_MAX
from perdure.components.catalog import EMBEDDED, Catalog
from perdure.hosting.threaded import Hosted, give_back, hosted
from perdure.wire.generated import management_pb2 as pb
from perdure.wire.management import parse
from perdure.workflow.faults import WorkflowRpcError, closed
from perdure.workflow.seats import Bounds, Employed, InThisProcess, Seat

T = TypeVar("T")

Answer = Callable[[Any, Call], Awaitable[Message | bytes]]


class _NoNetwork:
    """What a method of a door asks of the call that it answers."""

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """Return nothing: whoever calls from within is the engine's own app."""
        return ()


_CALL: Final = Call(cast("Context", _NoNetwork()))


class LocalSeat(Seat):
    """A share in the engine of a store."""

    def __init__(self, place: InThisProcess) -> None:
        """Open the engine, unless it is open in this process already.

        Raises StoreLocked if another process has the store.
        """
        self._share: Hosted | None = hosted(place.store, app_id=place.app_id)
        self._methods = _methods_of(self._share)

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        try:
            share = self._held()
        except WorkflowRpcError:
            work.close()
            raise
        return share.submit(work)

    def is_here(self) -> bool:
        return self._held().is_here()

    async def call(self, method: str, message: bytes, timeout_s: float | None) -> bytes:
        request_type, answer = self._methods[method]
        try:
            async with asyncio.timeout(timeout_s):
                found = await answer(parse(request_type, message), _CALL)
        except TimeoutError as error:
            text = f"no answer within {timeout_s} s"
            raise WorkflowRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, text) from error
        except Exception as error:
            raise WorkflowRpcError(*status_of(error)) from error
        return found if isinstance(found, bytes) else found.SerializeToString()

    def employ(self, registry: Registry, bounds: Bounds, *, stateful: bool) -> Employed:
        del stateful  # nothing is sent
        return _Local(self._held(), registry, bounds)

    def give_back(self) -> None:
        share, self._share = self._share, None
        if share is not None:
            give_back(share)

    def _held(self) -> Hosted:
        if self._share is None:
            raise closed()
        return self._share


class _Local(Employed):
    """A registry that is attached to the engine."""

    def __init__(self, share: Hosted, registry: Registry, bounds: Bounds) -> None:
        self._share = share
        self._member = share.attach(registry, bounds=bounds)

    def is_ready(self) -> bool:
        return True

    def leave(self) -> None:
        # The last one closes the engine, which lets what runs come to its end first.
        if self._share.shares > 1:
            self._share.detach(self._member)


def _methods_of(share: Hosted) -> dict[str, tuple[type[Message], Answer]]:
    engine = share.engine
    catalog = Catalog({EMBEDDED: engine.component}, {})
    instances, waits = Instances(catalog, engine.app_id), Waits()
    starting = Starting(instances, frozenset(catalog.components))
    reading = Reading(instances, waits, MESSAGE_BYTES_MAX // 2)
    changing, purging = Changing(instances, waits), Purging(instances)
    one = pb.GetInstanceRequest
    return {
        "StartInstance": (pb.CreateInstanceRequest, starting.start),
        "RerunWorkflowFromEvent": (pb.RerunWorkflowFromEventRequest, starting.rerun),
        "GetInstance": (one, reading.get),
        "WaitForInstanceStart": (one, reading.wait_for_start),
        "WaitForInstanceCompletion": (one, reading.wait_for_completion),
        "ListInstanceIDs": (pb.ListInstanceIDsRequest, reading.list_ids),
        "GetInstanceHistory": (pb.GetInstanceHistoryRequest, reading.history),
        "RaiseEvent": (pb.RaiseEventRequest, changing.raise_event),
        "TerminateInstance": (pb.TerminateRequest, changing.terminate),
        "SuspendInstance": (pb.SuspendRequest, changing.suspend),
        "ResumeInstance": (pb.ResumeRequest, changing.resume),
        "PurgeInstances": (pb.PurgeInstancesRequest, purging.purge),
    }
