"""What SDKs and tools ask of the runtime itself: metadata, and that it stops."""

from typing import Final

import grpc
from google.protobuf.empty_pb2 import Empty

from perdure.api.grpc.calls import Call, checked_name
from perdure.api.grpc.faults import Rejected
from perdure.base.errors import CallerFault
from perdure.base.limits import KIB
from perdure.components.catalog import Catalog
from perdure.components.runtime import Runtime
from perdure.wire.generated import runtime_pb2 as pb

# The pairs live in memory for as long as the process does.
_PAIRS_MAX: Final = 1_000
_VALUE_BYTES_MAX: Final = 4 * KIB


class Metadata:
    """GetMetadata, SetMetadata and Shutdown."""

    def __init__(self, runtime: Runtime, catalog: Catalog) -> None:
        """Tell of `runtime`."""
        self._runtime = runtime
        self._catalog = catalog

    async def get(self, request: Empty, call: Call) -> pb.GetMetadataResponse:
        """Return what Dapr's tools look for: who this is and whether workers are connected."""
        del request, call
        runtime = self._runtime
        reply = pb.GetMetadataResponse(
            id=runtime.app_id,
            runtime_version=runtime.version,
            extended_metadata={
                **runtime.extended_metadata(),
                **self._catalog.troubles(),
                "daprRuntimeVersion": runtime.version,
            },
            registered_components=[
                pb.RegisteredComponent(name=component.name, type=component.kind, version="v1")
                for component in self._catalog.components.values()
            ],
        )
        if self._catalog.triggers is not None:
            reply.registered_components.extend(
                pb.RegisteredComponent(name=view.name, type=view.kind, version="v1")
                for view in self._catalog.triggers.component_views()
            )
        for policy in self._catalog.access.policies:
            reply.workflow_access_policies.add(name=policy.name)
        workers = runtime.connected_workers()
        reply.actor_runtime.runtime_status = pb.ActorRuntime.RUNNING
        reply.actor_runtime.host_ready = True
        if workers:
            reply.workflows.connected_workers = workers
            types = [
                pb.ActiveActors(type=f"dapr.internal.default.{runtime.app_id}.{kind}")
                for kind in ("activity", "workflow")
            ]
            reply.active_actors_count.extend(types)
            reply.actor_runtime.active_actors.extend(types)
        return reply

    async def set(self, request: pb.SetMetadataRequest, call: Call) -> Empty:
        """Add a pair to the metadata."""
        del call
        if not request.key:
            msg = "the metadata key is missing"
            raise CallerFault(msg)
        checked_name(request.key, "metadata key")
        if len(request.value.encode()) > _VALUE_BYTES_MAX:
            raise CallerFault(f"the metadata value is longer than {_VALUE_BYTES_MAX} bytes")
        present = self._runtime.extended_metadata()
        if request.key not in present and len(present) >= _PAIRS_MAX:
            text = f"the metadata has {_PAIRS_MAX} pairs, and no more may be added"
            raise Rejected(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
        self._runtime.set_extended_metadata(request.key, request.value)
        return Empty()

    async def shutdown(self, request: Empty, call: Call) -> Empty:
        """Begin to stop in good order."""
        del request, call
        self._runtime.request_shutdown(force=False)
        return Empty()
