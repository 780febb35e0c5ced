"""The document form: the early reference of the Workflow API, as api.md section 2 reads it.

In this form an empty body is no payload at all. HTTP does not tell an empty body from none, the
document speaks of "a payload, if included", and workers read payloads as JSON, which an empty
string is not. A body that says nothing is read all the same: a request that breaks off in the
middle changes nothing.
"""

from typing import Final

from starlette.responses import Response

from perdure.api.http import errors
from perdure.api.http.body import read_body
from perdure.api.http.errors import Operation, doing, not_found, refused
from perdure.api.http.event_name import named_event
from perdure.api.http.forms import EVENT, Target
from perdure.api.http.parameters import Parameters
from perdure.api.http.replies import come_again
from perdure.api.http.settings import Call
from perdure.api.http.starting import check_name
from perdure.components.port import Done
from perdure.core.requests import (
    Purge,
    RaiseEvent,
    Refusal,
    Resume,
    Suspend,
    Terminate,
)
from perdure.wire.json_api.payload import payload_of

TOO_LARGE: Final = 413


async def raise_event(call: Call, target: Target) -> Response:
    """Give an instance an event; 202 once it is on disk."""
    in_query = Parameters(call.request).text("eventName")
    body = await read_body(call, too_large_status=TOO_LARGE)
    name, payload = named_event(call.path.get(EVENT), in_query, call.request.headers, body)
    check_name(name, "ERR_WORKFLOW_EVENT_NAME_INVALID", "workflow event name")
    await check_type(errors.RAISE, target)
    request = RaiseEvent(instance_id=target.instance_id, name=name, input=payload)
    with doing(errors.RAISE, target.instance_id):
        outcome = await target.component.raise_event(request)
    if isinstance(outcome, Refusal):
        raise refused(errors.RAISE, target.instance_id, outcome)
    return Response(status_code=202)


async def terminate(call: Call, target: Target) -> Response:
    """End an instance with the body, if there is one, as its output."""
    recursive = Parameters(call.request).flag("recursive", default=True)
    body = await read_body(call, too_large_status=TOO_LARGE)
    await check_type(errors.TERMINATE, target)
    request = Terminate(
        instance_id=target.instance_id,
        output=payload_of(body) if body else None,
        recursive=recursive,
    )
    with doing(errors.TERMINATE, target.instance_id):
        outcome = await target.component.terminate(request)
    return _done(call, target, errors.TERMINATE, outcome)


async def suspend(call: Call, target: Target) -> Response:
    """Let an instance take no new work."""
    await read_body(call, too_large_status=TOO_LARGE)
    await check_type(errors.PAUSE, target)
    with doing(errors.PAUSE, target.instance_id):
        outcome = await target.component.suspend(Suspend(instance_id=target.instance_id))
    return _done(call, target, errors.PAUSE, outcome)


async def resume(call: Call, target: Target) -> Response:
    """Let a suspended instance go on; nothing happens to one that is not suspended."""
    await read_body(call, too_large_status=TOO_LARGE)
    await check_type(errors.RESUME, target)
    with doing(errors.RESUME, target.instance_id):
        outcome = await target.component.resume(Resume(instance_id=target.instance_id))
    return _done(call, target, errors.RESUME, outcome)


async def purge(call: Call, target: Target) -> Response:
    """Delete everything about an instance."""
    parameters = Parameters(call.request)
    request = Purge(
        instance_id=target.instance_id,
        recursive=parameters.flag("recursive", default=True),
        force=parameters.flag("force", default=False),
    )
    await read_body(call, too_large_status=TOO_LARGE)
    await check_type(errors.PURGE, target)
    with doing(errors.PURGE, target.instance_id):
        outcome = await target.component.purge(request)
    if isinstance(outcome, Refusal):
        raise refused(errors.PURGE, target.instance_id, outcome)
    return _in_force(call, target, in_force=outcome.in_force)


async def check_type(operation: Operation, target: Target) -> None:
    """Raise Problem if the instance is not of the type that the path names.

    It is then as if it did not exist. Who may do something to it need not be allowed to read it.
    """
    if target.workflow_type is None:
        return
    with doing(operation, target.instance_id):
        view = await target.whole.get(target.instance_id, payloads=False)
    if view is None or view.name != target.workflow_type:
        raise not_found(target.instance_id)


def _done(call: Call, target: Target, operation: Operation, outcome: Done | Refusal) -> Response:
    if isinstance(outcome, Refusal):
        raise refused(operation, target.instance_id, outcome)
    return _in_force(call, target, in_force=outcome.in_force)


def _in_force(call: Call, target: Target, *, in_force: bool) -> Response:
    if in_force:
        return Response(status_code=200)
    where = come_again(call, target)
    return Response(status_code=202, headers=where)
