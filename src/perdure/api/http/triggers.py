"""Triggers: seen, paused and resumed, and the messages that they could not use."""

import json
from base64 import b64encode
from typing import Final

from starlette.responses import Response

from perdure.api.http.body import read_body
from perdure.api.http.document import TOO_LARGE
from perdure.api.http.errors import Problem
from perdure.api.http.parameters import Parameters
from perdure.api.http.replies import json_reply
from perdure.api.http.settings import Call
from perdure.base.limits import PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX
from perdure.base.rfc3339 import render
from perdure.components.triggering import (
    DeadLetterView,
    KeptMessageView,
    MessageView,
    Triggers,
    TriggerView,
)
from perdure.wire.json_api.text import Json, JsonText

NAME: Final = "triggerName"
KEY: Final = "deadLetterID"


async def list_triggers(call: Call) -> Response:
    """Return every trigger, by name."""
    triggers = call.door.catalog.triggers
    found = () if triggers is None else await triggers.list()
    return json_reply({"triggers": [_trigger(view) for view in found]})


async def get_trigger(call: Call) -> Response:
    """Return one trigger, with what was written about it."""
    view = await _triggers(call).get(call.path[NAME])
    if view is None:
        raise _no_trigger(call)
    return json_reply({**_trigger(view), "spec": JsonText(json.dumps(view.spec, default=str))})


async def pause(call: Call) -> Response:
    """Take no more messages for a trigger; 204 once that is on disk."""
    await read_body(call, too_large_status=TOO_LARGE)
    if not await _triggers(call).pause(call.path[NAME]):
        raise _no_trigger(call)
    return Response(status_code=204)


async def resume(call: Call) -> Response:
    """Take messages for a trigger again; 204 once that is on disk."""
    await read_body(call, too_large_status=TOO_LARGE)
    if not await _triggers(call).resume(call.path[NAME]):
        raise _no_trigger(call)
    return Response(status_code=204)


async def list_dead_letters(call: Call) -> Response:
    """Return a page of a trigger's dead letters, oldest first."""
    token, limit = _paging(call)
    page = await _triggers(call).dead_letters(call.path[NAME], token=token, limit=limit)
    if page is None:
        raise _no_trigger(call)
    letters: list[Json] = [_letter(view, whole=False) for view in page.letters]
    return json_reply({"deadLetters": letters, **_next(page.next_token)})


async def get_dead_letter(call: Call) -> Response:
    """Return one dead letter with its message."""
    view = await _triggers(call).dead_letter(call.path[NAME], call.path[KEY])
    if view is None:
        raise _no_letter(call)
    return json_reply(_letter(view, whole=True))


async def edit_dead_letter(call: Call) -> Response:
    """Put the body in the place of a dead letter's payload."""
    body = await read_body(call, too_large_status=TOO_LARGE)
    kind = call.request.headers.get("content-type")
    if not await _triggers(call).edit(call.path[NAME], call.path[KEY], body, kind):
        raise _no_letter(call)
    return Response(status_code=204)


async def discard_dead_letter(call: Call) -> Response:
    """Delete a dead letter."""
    if not await _triggers(call).discard(call.path[NAME], call.path[KEY]):
        raise _no_letter(call)
    return Response(status_code=204)


async def replay_dead_letter(call: Call) -> Response:
    """Try a dead letter again; 200 with what it led to, 409 if it cannot be used still."""
    await read_body(call, too_large_status=TOO_LARGE)
    met = await _triggers(call).replay(call.path[NAME], call.path[KEY])
    if met is None:
        raise _no_letter(call)
    if not met.done:
        raise Problem(409, "ERR_TRIGGER_MESSAGE_UNUSABLE", met.outcome)
    return json_reply({"outcome": met.outcome})


async def list_kept(call: Call) -> Response:
    """Return a page of the messages that are kept for a backtest, oldest first."""
    token, limit = _paging(call)
    since_us = Parameters(call.request).moment_us("since") or 0
    page = await _triggers(call).kept(call.path[NAME], since_us=since_us, token=token, limit=limit)
    if page is None:
        raise _no_trigger(call)
    return json_reply(
        {"messages": [_kept(view) for view in page.messages], **_next(page.next_token)}
    )


def _triggers(call: Call) -> Triggers:
    triggers = call.door.catalog.triggers
    if triggers is None:
        raise _no_trigger(call)
    return triggers


def _paging(call: Call) -> tuple[str | None, int]:
    parameters = Parameters(call.request)
    limit = parameters.number("pageSize", default=PAGE_ROWS_DEFAULT, least=1, most=PAGE_ROWS_MAX)
    return parameters.text("token") or None, limit


def _next(token: str | None) -> dict[str, Json]:
    return {} if token is None else {"nextToken": token}


def _no_trigger(call: Call) -> Problem:
    return Problem(404, "ERR_TRIGGER_NOT_FOUND", f"there is no trigger {call.path[NAME]}")


def _no_letter(call: Call) -> Problem:
    text = f"trigger {call.path[NAME]} has no dead letter {call.path[KEY]}"
    return Problem(404, "ERR_DEAD_LETTER_NOT_FOUND", text)


def _trigger(view: TriggerView) -> dict[str, Json]:
    source: dict[str, Json] = {
        "name": view.source.name,
        "type": view.source.kind,
        "connected": view.source.connected,
        "received": view.source.received,
    }
    if view.source.trouble is not None:
        source["trouble"] = view.source.trouble
    if view.source.notes:
        source["notes"] = dict(view.source.notes)
    shown: dict[str, Json] = {
        "name": view.name,
        "action": view.action,
        "workflowComponent": view.component,
        "definedAt": view.place,
        "source": source,
        "paused": view.paused,
        "deadLetters": view.dead_letters,
        "messages": dict(view.counts),
    }
    return shown if view.workflow is None else {**shown, "workflowName": view.workflow}


def _letter(view: DeadLetterView, *, whole: bool) -> dict[str, Json]:
    shown: dict[str, Json] = {
        "id": view.key,
        "trigger": view.trigger,
        "source": view.source,
        "reason": view.reason,
        "attempts": view.attempts,
        "deadLetteredAt": render(view.at_us),
    }
    return {**shown, "message": _message(view.message)} if whole else shown


def _kept(view: KeptMessageView) -> dict[str, Json]:
    return {"id": view.key, "outcome": view.outcome, "message": _message(view.message)}


def _message(view: MessageView) -> dict[str, Json]:
    named = {
        "id": view.message_id,
        "topic": view.topic,
        "contentType": view.content_type,
        "namedAfter": view.named_after,
    }
    shown: dict[str, Json] = {
        "receivedAt": render(view.received_at_us),
        "attributes": [[name, value] for name, value in view.attributes],
        **{name: value for name, value in named.items() if value is not None},
    }
    try:
        shown["data"] = view.data.decode()
    except UnicodeDecodeError:
        shown["dataBase64"] = b64encode(view.data).decode()
    return shown
