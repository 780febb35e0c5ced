"""Which form a path is in, and so which handler answers it (api.md section 1)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response

from perdure.api.http.errors import Problem
from perdure.api.http.methods import Handler
from perdure.api.http.parameters import Parameters
from perdure.api.http.settings import Call
from perdure.components.catalog import is_released_form
from perdure.components.port import WorkflowComponent

# The names of path parameters are Dapr's, because they stand in an error's text.
FIRST = "workflowComponent"
INSTANCE = "instanceID"
NAME = "workflowName"
EVENT = "eventName"


@dataclass(frozen=True, slots=True)
class Target:
    """The instance that a path in document form means."""

    component: WorkflowComponent
    first_segment: str
    workflow_type: str | None  # None where the path names a component: any type will do
    instance_id: str


DocumentHandler = Callable[[Call, Target], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Forms:
    """A call's two handlers under `v1.0`.

    What only the document knows (suspend, DELETE, history) is answered under a component's
    name too; what only released Dapr knows (pause, purge) needs a component's name.
    """

    released: Handler | None
    document: DocumentHandler | None

    async def __call__(self, call: Call) -> Response:
        """Answer the call in the form that its path is in."""
        first = call.path[FIRST]
        names_component = first in call.door.component_names
        released = is_released_form(
            prefix="v1.0",
            first_segment=first,
            component_names=call.door.component_names,
            has_instance_query=NAME in call.path and Parameters(call.request).has("instanceID"),
        )
        if self.released is not None and (released or self.document is None):
            if not released:
                text = f"workflow component '{first}' does not exist"
                raise Problem(400, "ERR_WORKFLOW_COMPONENT_NOT_FOUND", text)
            return await self.released(call)
        assert self.document is not None, "a call is in at least one form"
        return await self.document(call, _target(call, first, names_component=names_component))


def _target(call: Call, first: str, *, names_component: bool) -> Target:
    # In document form the second segment of a start is an id, where Dapr has the type.
    instance_id = call.path[NAME] if NAME in call.path else call.path[INSTANCE]
    if names_component:
        return Target(call.door.component(first), first, None, instance_id)
    return Target(call.door.catalog.for_type(first), first, first, instance_id)
