"""The load on perdure, and on daprd: the calls of the Dapr SDKs, over our own transport."""

import json
import os
from itertools import cycle
from typing import Any

import uvloop
from driving import serve

from perdure.transport.client.channel import Channel
from perdure.wire.generated import management_pb2 as pb

_SERVICE = "/TaskHubSidecarService"


class Client:
    """Starts and awaits instances on one connection to each node, in turn."""

    def __init__(self) -> None:
        """Connect when first used."""
        ports = os.environ["DAPR_GRPC_PORT"].split(",")
        self._channels = cycle([Channel("127.0.0.1", int(port)) for port in ports])

    async def _call(self, name: str, request: Any) -> bytes:
        channel = next(self._channels)
        return await channel.unary(f"{_SERVICE}/{name}", request.SerializeToString())

    async def _result(self, instance_id: str) -> Any:
        request = pb.GetInstanceRequest(instance_id=instance_id, get_inputs_and_outputs=True)
        data = await self._call("WaitForInstanceCompletion", request)
        state = pb.GetInstanceResponse.FromString(data).workflow_state
        assert state.workflow_status == pb.ORCHESTRATION_STATUS_COMPLETED, state
        return json.loads(state.output.value)

    async def _start(self, instance_id: str, workflow: str, value: Any) -> None:
        request = pb.CreateInstanceRequest(instance_id=instance_id, name=workflow)
        request.input.value = json.dumps(value)
        await self._call("StartInstance", request)

    async def run(self, instance_id: str, workflow: str, value: Any) -> Any:
        await self._start(instance_id, workflow, value)
        return await self._result(instance_id)

    async def begin(self, instance_id: str) -> None:
        await self._start(instance_id, "wait", None)

    async def wake(self, instance_id: str) -> Any:
        request = pb.RaiseEventRequest(instance_id=instance_id, name="go")
        request.input.value = json.dumps("gone")
        await self._call("RaiseEvent", request)
        return await self._result(instance_id)


if __name__ == "__main__":

    async def main() -> None:
        await serve(Client())

    uvloop.run(main())
