"""grpc.health.v1.Health, for whoever decides whether to send calls here."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2 as pb
from grpc_health.v1.health import aio

from perdure.api.grpc.methods import AnyHandler
from perdure.components.runtime import Runtime

HEALTH_SERVICE: Final = "grpc.health.v1.Health"


class Health(aio.HealthServicer):
    """SERVING while the runtime is ready, for the server and for each of its services."""

    def __init__(self, runtime: Runtime) -> None:
        """Ask `runtime` at every check."""
        super().__init__()
        self._runtime = runtime
        self._stopping = False

    async def serve(self, services: Iterable[str]) -> None:
        """Begin to answer for `services`."""
        for service in services:
            await self.set(service, pb.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Answer NOT_SERVING from now on, and tell whoever watches."""
        self._stopping = True
        await self.enter_graceful_shutdown()

    async def Check(  # noqa: N802 - the protocol's name
        self,
        request: pb.HealthCheckRequest,
        context: Any,
    ) -> pb.HealthCheckResponse:
        """Answer for now. An unknown service is NOT_FOUND."""
        answer = await super().Check(request, context)
        if self._stopping or self._runtime.not_ready_because() is not None:
            return pb.HealthCheckResponse(status=pb.HealthCheckResponse.NOT_SERVING)
        return answer

    def handlers(self) -> Mapping[str, AnyHandler]:
        """Return what answers, by path."""
        check = grpc.unary_unary_rpc_method_handler(
            self.Check,
            pb.HealthCheckRequest.FromString,
            pb.HealthCheckResponse.SerializeToString,
        )
        watch = grpc.unary_stream_rpc_method_handler(
            self.Watch,
            pb.HealthCheckRequest.FromString,
            pb.HealthCheckResponse.SerializeToString,
        )
        return {f"/{HEALTH_SERVICE}/Check": check, f"/{HEALTH_SERVICE}/Watch": watch}
