"""What happened to one instance: its history, its activities, and a new run from a point of it."""

from base64 import b64encode
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from starlette.responses import Response

from perdure.api.http import errors
from perdure.api.http.body import read_body
from perdure.api.http.document import TOO_LARGE, check_type
from perdure.api.http.errors import Problem, doing, not_found
from perdure.api.http.forms import Target
from perdure.api.http.parameters import Parameters
from perdure.api.http.replies import come_again, json_reply
from perdure.api.http.settings import Call
from perdure.api.http.starting import check_instance_id
from perdure.api.http.views import task_json
from perdure.base.errors import CallerFault
from perdure.base.limits import HISTORY_PAGE_ROWS_MAX
from perdure.components.port import ShownEvent
from perdure.core.requests import Reason, Refusal, Rerun
from perdure.wire.json_api.history import event_json
from perdure.wire.json_api.text import Json, members, read

HISTORY_PAGE_DEFAULT: Final = 100
_SEQ_MAX: Final = 2**53 - 1
_EVENT_ID_MAX: Final = 2**31 - 1


async def get_history(call: Call, target: Target) -> Response:
    """Return a page of the events of the present generation, oldest first."""
    parameters = Parameters(call.request)
    limit = parameters.number(
        "pageSize", default=HISTORY_PAGE_DEFAULT, least=1, most=HISTORY_PAGE_ROWS_MAX
    )
    after_seq = parameters.number("token", default=0, least=0, most=_SEQ_MAX)
    raw = parameters.flag("raw", default=False)
    await check_type(errors.GET, target)
    with doing(errors.GET, target.instance_id):
        page = await target.component.history(target.instance_id, after_seq=after_seq, limit=limit)
    if page is None:
        raise not_found(target.instance_id)
    answer: dict[str, Json] = {
        "instanceID": target.instance_id,
        "events": [
            _shown(event, seq, raw=raw) for seq, event in enumerate(page.events, page.first_seq)
        ],
    }
    if page.next_after is not None:
        answer["token"] = str(page.next_after)
    return json_reply(answer)


def _shown(event: bytes | ShownEvent, seq: int, *, raw: bool) -> dict[str, Json]:
    """Return an event for people, and its bytes as they were committed if they are asked for."""
    if isinstance(event, ShownEvent):
        if raw:
            raise CallerFault("raw: the events of this component are not kept as bytes")
        return dict(event.members)
    bytes_too: dict[str, Json] = {"raw": b64encode(event).decode()} if raw else {}
    return event_json(event, seq) | bytes_too


async def get_activities(call: Call, target: Target) -> Response:
    """Return the activities of an instance in the order of scheduling, ended ones too."""
    del call
    await check_type(errors.GET, target)
    with doing(errors.GET, target.instance_id):
        tasks = await target.component.tasks(target.instance_id)
    if tasks is None:
        raise not_found(target.instance_id)
    return json_reply(
        {"instanceID": target.instance_id, "activities": [task_json(task) for task in tasks]}
    )


async def rerun(call: Call, target: Target) -> Response:
    """Begin a new instance from an event of a finished one."""
    body = await read_body(call, too_large_status=TOO_LARGE)
    request = _rerun_request(call, target.instance_id, body)
    await check_type(errors.RERUN, target)
    with doing(errors.RERUN, target.instance_id):
        outcome = await target.component.rerun(request)
    if isinstance(outcome, Refusal):
        raise _rerun_refused(target.instance_id, outcome)
    where = come_again(call, replace(target, instance_id=outcome.instance_id))
    return json_reply({"instanceID": outcome.instance_id}, 202, where)


def _rerun_request(call: Call, source_id: str, body: bytes) -> Rerun:
    try:
        found = members(body.decode())
    except UnicodeDecodeError as error:
        raise CallerFault("the body is not UTF-8") from error
    values = {name: read(text) for name, text in found.items() if name != "input"}
    chosen = _text(values, "newInstanceID")
    new_id = chosen or str(uuid4())
    check_instance_id(call.door, new_id)
    return Rerun(
        source_id=source_id,
        event_id=_event_id(values.get("eventID")),
        new_id=new_id,
        new_id_chosen=chosen is not None,
        input=str(found["input"]) if "input" in found else None,
        overwrite_input=_flag(values, "overwriteInput"),
        new_child_id=_text(values, "newChildWorkflowInstanceID"),
    )


def _event_id(value: Any) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 0 <= value <= _EVENT_ID_MAX:
        raise CallerFault(f"eventID must be a whole number from 0 to {_EVENT_ID_MAX}")
    return int(value)


def _text(values: dict[str, Any], name: str) -> str | None:
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise CallerFault(f"{name} must be a string")
    return value or None


def _flag(values: dict[str, Any], name: str) -> bool:
    value = values.get(name)
    if value is not None and not isinstance(value, bool):
        raise CallerFault(f"{name} must be true or false")
    return bool(value)


def _rerun_refused(instance_id: str, refusal: Refusal) -> Problem:
    status, _ = errors.REFUSALS[refusal.reason]
    exists = refusal.reason is Reason.ALREADY_EXISTS
    code = errors.ALREADY_EXISTS if exists else errors.RERUN.code
    return Problem(status, code, errors.RERUN.message(instance_id, refusal.text))
