"""What tests ask of a component about an instance, in few words."""

from typing import Any

from perdure.components.port import WorkflowComponent
from perdure.core import requests as rq


class Asking:
    """The calls that change an instance. Each returns what came of it, a refusal too."""

    component: WorkflowComponent

    async def raise_event(self, instance_id: str, name: str, text: str | None = None) -> Any:
        return await self.component.raise_event(
            rq.RaiseEvent(instance_id=instance_id, name=name, input=text)
        )

    async def terminate(self, instance_id: str, output: str | None = None, **fields: bool) -> Any:
        return await self.component.terminate(
            rq.Terminate(instance_id=instance_id, output=output, **fields)
        )

    async def suspend(self, instance_id: str) -> Any:
        return await self.component.suspend(rq.Suspend(instance_id=instance_id))

    async def resume(self, instance_id: str) -> Any:
        return await self.component.resume(rq.Resume(instance_id=instance_id))

    async def purge(self, instance_id: str, **fields: bool) -> Any:
        return await self.component.purge(rq.Purge(instance_id=instance_id, **fields))
