"""Which form a path is in, and so which handler answers it (api.md section 1)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response

from perdure.api.http.errors import Problem
from perdure.api.http.methods import Handler
from perdure.api.http.parameters import SHOWN_CHARS_MAX, Parameters
from perdure.api.http.settings import Call
from perdure.components.catalog import is_released_form
from perdure.components.port import WorkflowComponent

# The names of path parameters are Dapr's, because they stand in an error's text.
FIRST = "workflowComponent"
INSTANCE = "instanceID"
NAME = "workflowName"
EVENT = "eventName"
# A parameter of the query: which component is meant, where the path does not tell.
COMPONENT = "component"


@dataclass(frozen=True, slots=True)
class Target:
    """The instance that a path in document form means."""

    component: WorkflowComponent
    first_segment: str
    workflow_type: str | None  # None where the path names a component: any type will do
    instance_id: str
    whole: WorkflowComponent  # the component as no policy narrows it
    by_query: bool = False  # the query names the component, and has to name it again


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
                raise no_component(first)
            return await self.released(call)
        assert self.document is not None, "a call is in at least one form"
        return await self.document(call, _target(call, first, names_component=names_component))


def _target(call: Call, first: str, *, names_component: bool) -> Target:
    # In document form the second segment of a start is an id, where Dapr has the type.
    instance_id = call.path[NAME] if NAME in call.path else call.path[INSTANCE]
    if names_component:
        return _seen(call, call.door.component(first), None, instance_id)
    named = component_in_query(call)
    if named is not None:
        return _seen(call, named, first, instance_id, by_query=True)
    return _seen(call, call.door.catalog.for_type(first), first, instance_id)


def _seen(
    call: Call,
    component: WorkflowComponent,
    workflow_type: str | None,
    instance_id: str,
    *,
    by_query: bool = False,
) -> Target:
    whole = call.whole.components[component.name]
    return Target(component, call.path[FIRST], workflow_type, instance_id, whole, by_query)


def component_in_query(call: Call) -> WorkflowComponent | None:
    """Return the component that the query names. Raises Problem if there is none of that name."""
    name = Parameters(call.request).text(COMPONENT)
    if name is None:
        return None
    component = call.door.catalog.named(name)
    if component is None:
        raise no_component(name)
    return component


def no_component(name: str) -> Problem:
    """Return the answer where no component of this name is loaded."""
    text = f"workflow component '{name[:SHOWN_CHARS_MAX]}' does not exist"
    return Problem(400, "ERR_WORKFLOW_COMPONENT_NOT_FOUND", text)
