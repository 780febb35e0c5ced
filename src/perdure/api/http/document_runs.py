"""The document form's start and GET, the two calls that can wait for an instance to finish."""

from contextlib import suppress
from typing import Final

from starlette.responses import Response

from perdure.api.http import errors
from perdure.api.http.body import read_body
from perdure.api.http.document import TOO_LARGE
from perdure.api.http.errors import Problem, doing, not_found, refused
from perdure.api.http.forms import Target
from perdure.api.http.parameters import Parameters
from perdure.api.http.prefer import applied, wait_seconds
from perdure.api.http.replies import come_again, json_reply
from perdure.api.http.settings import Call
from perdure.api.http.starting import (
    check_instance_id,
    check_workflow_name,
    options_of,
    tags_of,
    trace_of,
)
from perdure.api.http.views import FIELDS, PAYLOAD_FIELDS, instance_json, wanted_fields
from perdure.api.http.waiting import NotAwaited, wait_for
from perdure.base.errors import ComponentError, ShuttingDown, StoreError
from perdure.base.time import SECOND_US
from perdure.components.port import InstanceView
from perdure.core.requests import Refusal, Start
from perdure.core.status import Status
from perdure.wire.json_api.payload import payload_of

_ALL_FIELDS: Final = frozenset(FIELDS)


async def start(call: Call, target: Target) -> Response:
    """Start an instance; an id that was ever used and not purged is taken."""
    assert target.workflow_type is not None, "a component's name makes a start a released one"
    check_instance_id(call.door, target.instance_id)
    check_workflow_name(call.door, target.workflow_type)
    tags = tags_of(call.request)
    body = await read_body(call, too_large_status=TOO_LARGE)
    request = Start(
        instance_id=target.instance_id,
        name=target.workflow_type,
        app_id=call.asker.starts_in,
        input=payload_of(body) if body else None,
        tags=tags,
        trace=trace_of(call.request),
        replace_finished=False,
        options=options_of(call.request),
    )
    with doing(errors.START, target.workflow_type):
        outcome = await target.component.start(request)
    if isinstance(outcome, Refusal):
        raise refused(errors.START, target.workflow_type, outcome)
    seconds = wait_seconds(call.request.headers.getlist("prefer"))
    if seconds is None:
        return _accepted(call, target, {})
    return await _after_waiting(call, target, seconds)


async def get(call: Call, target: Target) -> Response:
    """Return an instance's metadata: 200 if it has finished, 202 if not."""
    parameters = Parameters(call.request)
    wanted = wanted_fields(parameters.words("fields"))
    failure_is_error = parameters.flag("returnInternalServerErrorOnFailure", default=False)
    seconds = wait_seconds(call.request.headers.getlist("prefer"))
    payloads = not wanted.isdisjoint(PAYLOAD_FIELDS)
    with doing(errors.GET, target.instance_id):
        view = _of_type(target, await target.component.get(target.instance_id, payloads=payloads))
        if seconds is not None and not view.finished:
            waited = target.component.wait(
                target.instance_id,
                finished=True,
                timeout_us=seconds * SECOND_US,
                payloads=payloads,
            )
            with suppress(NotAwaited):
                view = _of_type(target, await wait_for(call, waited))
    headers = {} if seconds is None else applied(seconds)
    if not view.finished:
        headers |= come_again(call, target)
        return json_reply(instance_json(view, wanted), 202, headers)
    failed = view.status is Status.FAILED and failure_is_error
    return json_reply(instance_json(view, wanted), 500 if failed else 200, headers)


def _of_type(target: Target, view: InstanceView | None) -> InstanceView:
    # Purged while it was waited for, or started again as another type: then it is gone.
    if view is None or target.workflow_type not in {None, view.name}:
        raise not_found(target.instance_id)
    return view


async def _after_waiting(call: Call, target: Target, seconds: int) -> Response:
    waited = target.component.wait(
        target.instance_id, finished=True, timeout_us=seconds * SECOND_US
    )
    try:
        view = await wait_for(call, waited)
    except (StoreError, ComponentError, ShuttingDown, NotAwaited):
        # The start is on disk and will not be lost; only the outcome cannot be told.
        view = None
    headers = applied(seconds)
    if view is None or not view.finished:
        return _accepted(call, target, headers)
    shown = instance_json(view, _ALL_FIELDS)
    if view.status is Status.COMPLETED:
        return json_reply(shown, 200, headers)
    raise Problem(500, "ERR_WORKFLOW_NOT_COMPLETED", _why(view), headers, shown)


def _why(view: InstanceView) -> str:
    text = f"workflow '{view.instance_id}' ended {view.status.name}"
    if view.failure is None:
        return text
    return f"{text}: {view.failure.error_type}: {view.failure.message}"


def _accepted(call: Call, target: Target, headers: dict[str, str]) -> Response:
    where = come_again(call, target)
    return json_reply({"instanceID": target.instance_id}, 202, headers | where)
