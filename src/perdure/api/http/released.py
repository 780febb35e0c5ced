"""The released form: Dapr's own HTTP API, to the byte (behaviour.md 1)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import uuid4

from starlette.responses import Response

from perdure.api.http import errors
from perdure.api.http.body import read_body
from perdure.api.http.errors import FORBIDDEN, Operation, Problem, malformed, not_found
from perdure.api.http.forms import EVENT, FIRST, INSTANCE, NAME
from perdure.api.http.parameters import Parameters
from perdure.api.http.protojson import check
from perdure.api.http.replies import json_reply
from perdure.api.http.settings import Call
from perdure.api.http.starting import (
    check_instance_id,
    check_name,
    check_workflow_name,
    options_of,
    tags_of,
    trace_of,
)
from perdure.api.http.views import released_json
from perdure.base.errors import CallerFault
from perdure.base.limits import KIB
from perdure.components.port import WorkflowComponent
from perdure.core.requests import (
    Purge,
    RaiseEvent,
    Reason,
    Refusal,
    Resume,
    Start,
    Suspend,
    Terminate,
)
from perdure.wire.json_api.payload import payload_of
from perdure.wire.json_api.text import read

# Released Dapr reports a body that is too large like any other that it could not read.
_TOO_LARGE: Final = 400

# Released Dapr answers 500 to everything that its engine refuses, save what was wrong to ask.
_STATUSES: Final = {Reason.INVALID: 400, Reason.UNSUPPORTED: 501}

# The members of the request messages, by both names that protojson takes; Dapr overwrites what they
# say by what the path says. `instanceId` is none of them, and passed over like any unknown one.
_STRING_MEMBERS: Final = {
    "instanceID": "instanceID",
    "instance_id": "instanceID",
    "workflowComponent": "workflowComponent",
    "workflow_component": "workflowComponent",
}


# A longer body is read at one go, and refused in fewer words: the loop waits meanwhile.
_TOLD_CHARACTERS_MAX: Final = 64 * KIB


async def start(call: Call) -> Response:
    """Start an instance; a finished one under the same id is replaced."""
    name = call.path[NAME]
    # Dapr takes an empty id for none.
    instance_id = Parameters(call.request).text("instanceID") or str(uuid4())
    check_instance_id(call.door, instance_id)
    check_workflow_name(call.door, name)
    tags = tags_of(call.request)
    # An empty body is a present, empty input: Dapr makes a string of whatever comes.
    body = await read_body(call, too_large_status=_TOO_LARGE)
    request = Start(
        instance_id=instance_id,
        name=name,
        app_id=call.asker.starts_in,
        input=payload_of(body),
        tags=tags,
        trace=trace_of(call.request),
        options=options_of(call.request),
    )
    with doing(errors.START, name):
        outcome = await _component(call).start(request)
    if isinstance(outcome, Refusal):
        raise _start_refused(name, outcome)
    return json_reply({"instanceID": outcome.instance_id}, 202)


async def get(call: Call) -> Response:
    """Return an instance's state."""
    await _ignore_body(call)
    instance_id = call.path[INSTANCE]
    with doing(errors.GET, instance_id):
        view = await _component(call).get(instance_id)
    if view is None:
        raise not_found(instance_id)
    return json_reply(released_json(view))


async def raise_event(call: Call) -> Response:
    """Give an instance an event; a finished one drops it."""
    instance_id, name = call.path[INSTANCE], call.path[EVENT]
    check_name(name, "ERR_WORKFLOW_EVENT_NAME_INVALID", "workflow event name")
    body = await read_body(call, too_large_status=_TOO_LARGE)
    request = RaiseEvent(instance_id=instance_id, name=name, input=payload_of(body))
    with doing(errors.RAISE, instance_id):
        outcome = await _component(call).raise_event(request)
    context = f"failed to raise event {name} on workflow {instance_id}: failed to raise event"
    return _changed(errors.RAISE, instance_id, context, outcome)


async def pause(call: Call) -> Response:
    """Let an instance take no new work."""
    await _ignore_body(call)
    instance_id = call.path[INSTANCE]
    with doing(errors.PAUSE, instance_id):
        outcome = await _component(call).suspend(Suspend(instance_id=instance_id))
    context = f"failed to pause workflow {instance_id}: failed to suspend workflow"
    return _changed(errors.PAUSE, instance_id, context, outcome)


async def resume(call: Call) -> Response:
    """Let a suspended instance go on."""
    await _ignore_body(call)
    instance_id = call.path[INSTANCE]
    with doing(errors.RESUME, instance_id):
        outcome = await _component(call).resume(Resume(instance_id=instance_id))
    context = f"failed to resume workflow {instance_id}: failed to resume workflow"
    return _changed(errors.RESUME, instance_id, context, outcome)


async def terminate(call: Call) -> Response:
    """End an instance and all below it."""
    await _ignore_body(call)
    instance_id = call.path[INSTANCE]
    with doing(errors.TERMINATE, instance_id):
        outcome = await _component(call).terminate(Terminate(instance_id=instance_id))
    if isinstance(outcome, Refusal) and outcome.reason is Reason.NOT_FOUND:
        raise not_found(instance_id)
    context = f"failed to terminate workflow {instance_id}: failed to terminate workflow"
    return _changed(errors.TERMINATE, instance_id, context, outcome)


async def purge(call: Call) -> Response:
    """Delete a finished instance and all below it."""
    await _ignore_body(call)
    instance_id = call.path[INSTANCE]
    with doing(errors.PURGE, instance_id):
        outcome = await _component(call).purge(Purge(instance_id=instance_id))
    if isinstance(outcome, Refusal) and outcome.reason is Reason.NOT_FOUND:
        raise not_found(instance_id)
    context = f"failed to Purge workflow {instance_id}: failed to purge workflow state"
    return _changed(errors.PURGE, instance_id, context, outcome)


async def no_instance_id(_call: Call) -> Response:
    """Answer a GET whose path ends where the instance id should stand."""
    raise Problem(400, "ERR_INSTANCE_ID_PROVIDED_MISSING", "no instance ID was provided")


@contextmanager
def doing(operation: Operation, subject: str) -> Iterator[None]:
    """Name the operation in the answer to a fault. Dapr answers 500 to what a policy denies."""
    try:
        with errors.doing(operation, subject):
            yield
    except Problem as problem:
        if problem.status == FORBIDDEN:
            problem.status = 500
        raise


def _component(call: Call) -> WorkflowComponent:
    return call.door.component(call.path[FIRST])


def _start_refused(name: str, refusal: Refusal) -> Problem:
    status = _STATUSES.get(refusal.reason)
    if status is not None:
        return Problem(status, errors.START.code, errors.START.message(name, refusal.text))
    # Released Dapr answers 500 to an id in use; only the text tells why.
    inner = (
        "unable to start workflow: failed to start workflow: "
        f"rpc error: code = AlreadyExists desc = {refusal.text}"
    )
    return Problem(500, errors.START.code, errors.START.message(name, inner))


def _changed(operation: Operation, instance_id: str, context: str, outcome: object) -> Response:
    """Return the answer to a change. What has ended cannot be changed, and that is fine."""
    if isinstance(outcome, Refusal) and outcome.reason is not Reason.ALREADY_FINISHED:
        text = operation.message(instance_id, f"{context}: {outcome.text}")
        raise Problem(_STATUSES.get(outcome.reason, 500), operation.code, text)
    return json_reply({}, 202)


async def _ignore_body(call: Call) -> None:
    """Read a body that has to be the protojson of the request, though it says nothing new."""
    body = await read_body(call, too_large_status=_TOO_LARGE)
    if not body:
        return
    try:
        text = body.decode()
        if len(text) <= _TOLD_CHARACTERS_MAX:
            check(text, _STRING_MEMBERS)
        _check_message(read(text))
    except UnicodeDecodeError as error:
        raise _undecodable("proto: syntax error (line 1:1): invalid UTF-8") from error
    except CallerFault as fault:
        raise _undecodable(str(fault)) from fault


def _check_message(value: Any) -> None:
    """Check what is too long to be looked at token by token, and half pairs within strings."""
    if not isinstance(value, dict):
        raise CallerFault("proto: syntax error (line 1:1): unexpected token")
    for name, field in _STRING_MEMBERS.items():
        if not isinstance(value.get(name), str | None):
            raise CallerFault(f"proto: (line 1:1): invalid value for string field {field}")


def _undecodable(text: str) -> Problem:
    return malformed(f"failed deserializing HTTP body: {text}")
